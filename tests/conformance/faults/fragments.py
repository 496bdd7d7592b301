"""Faults of fragmentation: groups 5 and 10."""

from faults.registry import fault
from frames import CONTINUATION, PONG, Failure
from peer import Peer


@fault("5", {"5.1": "FAILED OK"}, ok=["2.5", "5.2", "5.3", "5.6", "5.9"])
class AnswersFragmentedPings(Peer):
    """A ping without FIN is answered."""

    def check_control(self, header):
        header.fin = True
        super().check_control(header)


@fault("5", {"5.1": "FAILED FAILED", "5.2": "OK FAILED"}, ok=["5.3", "5.6"])
class JoinsFragmentedControlFrames(Peer):
    """A control frame without FIN and its continuation are taken for one."""

    open_control = None

    def check_control(self, header):
        if not header.fin:
            self.open_control = header.opcode
            header.fin = True
        super().check_control(header)

    def check_order(self, header):
        if header.opcode == CONTINUATION and self.open_control is not None:
            header.opcode, self.open_control = self.open_control, None
        else:
            super().check_order(header)


@fault("5", {"5.3": "FAILED OK", "5.4": "FAILED OK", "5.19": "FAILED OK"}, ok=["5.9", "5.18", "1.1.2", "6.1.3"])
class LosesLastFragment(Peer):
    """The last fragment is missing in the echo."""

    def join(self, fragments):
        return b"".join(fragments[:-1] if len(fragments) > 1 else fragments)


@fault("5", {"5.3": "FAILED OK", "5.5": "FAILED OK", "5.6": "FAILED OK"}, ok=["1.1.2", "5.18"])
class EchoesOnlyTheFirstFragment(Peer):
    """The echo ends with the first fragment."""

    def join(self, fragments):
        return fragments[0]


@fault("5", {"5.3": "FAILED OK", "5.20": "FAILED OK", "6.2.2": "FAILED OK"}, ok=["1.1.2", "6.1.3", "10.1.1"])
class TurnsFragmentsRound(Peer):
    """The fragments come back from the last to the first."""

    def join(self, fragments):
        return b"".join(fragments[::-1])


@fault("5", {"5.6": "FAILED OK", "5.7": "FAILED OK", "5.19": "FAILED OK"}, ok=["2.2", "2.10", "5.3"])
class HoldsPongsBack(Peer):
    """Pings within a message are answered when it is complete."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.pings = []

    def on_ping(self, payload):
        self.pings.append(payload)
        self.answer_pings()

    def on_message(self, opcode, payload):
        super().on_message(opcode, payload)
        self.answer_pings()

    def answer_pings(self):
        if self.message_opcode is None:
            for payload in self.pings:
                self.send_frame(PONG, payload)
            self.pings = []


@fault("5", {"5.9": "FAILED FAILED", "5.12": "FAILED FAILED", "5.17": "FAILED FAILED"}, ok=["5.3", "5.18"])
class IgnoresLoneContinuations(Peer):
    """A continuation of nothing is skipped."""

    skipping = False

    def check_order(self, header):
        self.skipping = header.opcode == CONTINUATION and self.message_opcode is None
        if not self.skipping:
            super().check_order(header)

    def start_frame(self, header):
        if self.skipping and not header.is_control():
            self.header, self.taken = header, 0
        else:
            super().start_frame(header)

    def take(self, data):
        if not self.skipping or self.header.is_control():
            super().take(data)

    def end_frame(self, header):
        if not self.skipping or header.is_control():
            super().end_frame(header)


@fault("5", {"5.18": "FAILED FAILED"}, ok=["5.3", "5.9", "5.15"])
class AcceptsTextWithinAMessage(Peer):
    """A new message may begin within one that is not complete, which is then forgotten."""

    def check_order(self, header):
        if header.opcode == CONTINUATION:
            super().check_order(header)


@fault("5", {"1.1.2": "FAILED *", "5.3": "FAILED *"}, ok=["1.1.1", "2.2"])
class SendsFragmentsWithTheOpcodeAgain(Peer):
    """Echoes go out in two fragments, and the second one is no continuation."""

    def send_message(self, opcode, payload):
        if payload:
            self.send_frame(opcode, payload[:1], fin=False)
        self.send_frame(opcode, payload[1:])


@fault("5", {}, ok=["1.1.1", "1.1.2", "1.2.7", "5.3", "5.6", "5.19", "6.2.1", "10.1.1"])
class SendsFragments(Peer):
    """Echoes go out in fragments of 1000 bytes: no fault, the cases must let it pass."""

    def send_message(self, opcode, payload):
        for at in range(0, len(payload) or 1, 1000):
            self.send_frame(opcode if at == 0 else CONTINUATION, payload[at:at + 1000], at + 1000 >= len(payload))


@fault("10", {"10.1.1": "FAILED WRONG_CODE"}, ok=["5.3", "5.19", "9.3.9"])
class ChangesLongMessages(Peer):
    """One byte of messages of more than 32 fragments is changed."""

    def join(self, fragments):
        payload = super().join(fragments)
        return payload[:-1] + b"?" if len(fragments) > 32 else payload


@fault("10", {"10.1.1": "FAILED FAILED"}, ok=["5.3", "5.19", "6.2.3"])
class RefusesManyFragments(Peer):
    """A message of more than 40 fragments is refused with 1008."""

    def start_frame(self, header):
        super().start_frame(header)
        if not header.is_control() and len(self.message_parts) > 40:
            raise Failure(1008, "too many fragments")


@fault("10", {"10.1.1": "FAILED WRONG_CODE"}, ok=["5.3", "5.19"])
class EchoesEachFragment(Peer):
    """Each ten fragments come back as a message of their own."""

    def end_frame(self, header):
        super().end_frame(header)
        if self.message_opcode is not None and not header.is_control() and len(self.message_parts) >= 10:
            self.send_message(self.message_opcode, b"".join(b"".join(part) for part in self.message_parts))
            self.message_parts = []
