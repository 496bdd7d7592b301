"""Faults with many or large messages: group 9."""

import frames
from faults.registry import fault
from frames import BINARY, CLOSE, Failure
from peer import Peer


@fault("9", {"9.1.1": "FAILED OK", "9.2.1": "FAILED OK", "9.1.2": "FAILED OK"}, ok=["1.1.6", "9.7.1", "9.8.3"])
class LosesAByteOfLargeMessages(Peer):
    """Echoes from 65536 bytes have one byte less."""

    def echo(self, opcode, payload):
        super().echo(opcode, payload if len(payload) < 65536 else payload[:-1])


@fault("9", {"9.2.1": "FAILED OK"}, ok=["9.1.1", "1.1.7"])
class LargeBinaryBecomesText(Peer):
    """Binary messages from 65536 bytes come back as text of the same length."""

    def echo(self, opcode, payload):
        if opcode == BINARY and len(payload) >= 65536:
            opcode, payload = frames.TEXT, b"*" * len(payload)
        super().echo(opcode, payload)


@fault("9", {"9.1.4": "FAILED FAILED", "9.2.4": "FAILED FAILED"}, ok=["9.1.1", "9.1.3"], quick=False)
class RefusesOverAMebibyte(Peer):
    """Messages over 1 MiB are refused with 1009."""

    def check_header(self, header):
        super().check_header(header)
        if header.length > 1 << 20:
            raise Failure(1009, "too large")


@fault("9", {"9.3.4": "FAILED OK", "9.4.4": "FAILED OK"}, ok=["9.3.6", "9.3.9", "10.1.1"], quick=False)
class KeepsAThousandFragments(Peer):
    """Fragments behind the first thousand are forgotten."""

    def join(self, fragments):
        return super().join(fragments[:1000])


@fault("9", {"9.7.1": "FAILED FAILED", "9.8.2": "FAILED FAILED"}, ok=["9.1.1", "1.1.1"])
class StopsAfter20Messages(Peer):
    """TCP ends behind the 20th message."""

    count = 0

    def echo(self, opcode, payload):
        super().echo(opcode, payload)
        self.count += 1
        if self.count == 20:
            self.end_tcp()


@fault("9", {"9.7.2": "FAILED FAILED", "9.8.1": "FAILED FAILED"}, ok=["9.2.1", "2.11"])
class ClosesAfter20Messages(Peer):
    """The connection is closed with 1001 behind the 20th message."""

    count = 0

    def echo(self, opcode, payload):
        super().echo(opcode, payload)
        self.count += 1
        if self.count == 20:
            self.send_frame(CLOSE, frames.close_payload(1001))
            self.end_tcp()


@fault("9", {"9.7.3": "FAILED OK", "9.8.3": "FAILED OK"}, ok=["9.7.1", "9.8.1", "1.1.1"])
class TruncatesThe15thMessage(Peer):
    """The 15th echo of a connection has one byte less."""

    count = 0

    def echo(self, opcode, payload):
        self.count += 1
        super().echo(opcode, payload[:-1] if self.count == 15 else payload)
