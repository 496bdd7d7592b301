"""Faults of pings and pongs: group 2."""

from faults.registry import fault
from frames import PING, PONG
from peer import Peer


@fault("2", {"2.1": "FAILED OK", "2.2": "FAILED OK", "2.10": "FAILED OK", "5.6": "FAILED OK"},
       ok=["2.5", "2.7", "2.8", "1.1.2"])
class IgnoresPings(Peer):
    """Pings are not answered."""

    def on_ping(self, payload):
        pass


class WithHeldPongs(Peer):
    """Collects pings until nothing more comes."""

    idle_s = 0.3

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.pings = []

    def on_ping(self, payload):
        self.pings.append(payload)

    def on_idle(self):
        for payload in self.order(self.pings):
            self.send_frame(PONG, payload)
        self.pings = []

    def on_close(self, payload):
        self.on_idle()
        super().on_close(payload)


@fault("2", {"2.10": "FAILED OK", "2.11": "FAILED OK"}, ok=["2.1", "2.2", "2.9"])
class PongsOnlyTheLast(WithHeldPongs):
    """Of several pings in a row only the last is answered (section 5.5.3 allows that, the cases do not)."""

    def order(self, pings):
        return pings[-1:]


@fault("2", {"2.10": "FAILED OK", "2.11": "FAILED OK"}, ok=["2.2", "2.9"])
class PongsInReverse(WithHeldPongs):
    """Several pings in a row are answered from the last to the first."""

    def order(self, pings):
        return pings[::-1]


@fault("2", {"2.2": "FAILED OK", "2.3": "FAILED OK", "2.10": "FAILED OK"}, ok=["2.1", "2.7"])
class PongsWithoutPayload(Peer):
    """Pongs are empty."""

    def on_ping(self, payload):
        super().on_ping(b"")


@fault("2", {"2.4": "FAILED OK", "2.6": "FAILED OK"}, ok=["2.1", "2.2", "2.3"])
class PongsTruncated(Peer):
    """Pongs have at most 124 bytes."""

    def on_ping(self, payload):
        super().on_ping(payload[:124])


@fault("2", {"2.8": "FAILED OK", "2.9": "FAILED OK"}, ok=["2.2", "2.10"])
class AnswersPongs(Peer):
    """Pongs are answered by pongs."""

    def on_pong(self, payload):
        self.send_frame(PONG, payload)


@fault("2", {"2.5": "FAILED FAILED"}, ok=["2.4", "7.3.5", "7.3.6"])
class AcceptsLongPings(Peer):
    """Pings over 125 bytes are answered, as far as they fit."""

    def check_control(self, header):
        if header.opcode != PING:
            super().check_control(header)

    def on_ping(self, payload):
        super().on_ping(payload[:125])
