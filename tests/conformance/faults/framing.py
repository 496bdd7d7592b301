"""Faults in single frames: groups 1, 3 and 4."""

import frames
from faults.registry import fault
from frames import BINARY, TEXT, Failure
from peer import Peer


@fault("1", {"1.1.2": "FAILED WRONG_CODE", "1.2.5": "FAILED WRONG_CODE"}, ok=["1.1.1", "1.2.1", "2.2"])
class TruncatesEcho(Peer):
    """The echo has one byte less."""

    def echo(self, opcode, payload):
        super().echo(opcode, payload[:-1])


@fault("1", {"1.1.1": "FAILED WRONG_CODE", "1.1.5": "FAILED WRONG_CODE", "6.2.1": "FAILED OK"}, ok=["1.2.1", "1.2.5"])
class ChangesType(Peer):
    """Text comes back as binary."""

    def echo(self, opcode, payload):
        super().echo(BINARY, payload)


@fault("1", {"1.1.3": "FAILED WRONG_CODE", "1.2.3": "FAILED WRONG_CODE"}, ok=["1.1.2", "2.4", "3.1"])
class ChangesContent(Peer):
    """One bit of echoes over 125 bytes is turned."""

    def echo(self, opcode, payload):
        if len(payload) > 125:
            payload = payload[:60] + bytes([payload[60] ^ 1]) + payload[61:]
        super().echo(opcode, payload)


@fault("1", {"1.1.1": "FAILED WRONG_CODE", "1.2.1": "FAILED WRONG_CODE", "6.1.1": "FAILED OK"}, ok=["1.1.2", "2.1"])
class LosesEmptyMessages(Peer):
    """Messages without payload are not echoed."""

    def echo(self, opcode, payload):
        if payload:
            super().echo(opcode, payload)


@fault("1", {"1.1.1": "FAILED *", "1.2.2": "FAILED *", "2.2": "FAILED *"})
class MasksTheWrongWay(Peer):
    """As a server it masks its frames, as a client it does not."""

    def is_masking(self):
        return not super().is_masking()


@fault("1", {"1.1.2": "FAILED *", "1.2.2": "FAILED *"}, ok=["1.1.3", "1.1.6"])
class WritesLongLengths(Peer):
    """Messages of up to 125 bytes have a length of 16 bits (section 5.2: the shortest form)."""

    def encode(self, opcode, payload, fin, rsv):
        def length(size):
            return (126, size.to_bytes(2, "big")) if size <= 125 and opcode < 8 else frames.length_field(size)
        return frames.encode(opcode, payload, fin, rsv, self.is_masking(), length)


@fault("1", {"1.1.7": "FAILED *", "1.2.7": "FAILED *"}, ok=["1.1.6", "1.2.6"])
class WritesLengthsModulo65536(Peer):
    """Lengths from 65536 are written with their low 16 bits."""

    def encode(self, opcode, payload, fin, rsv):
        def length(size):
            return (126, (size & 0xFFFF).to_bytes(2, "big")) if size > 0xFFFF else frames.length_field(size)
        return frames.encode(opcode, payload, fin, rsv, self.is_masking(), length)


@fault("3", {"3.1": "FAILED FAILED", "3.2": "FAILED FAILED", "3.5": "FAILED FAILED"},
       ok=["1.1.2", "3.7", "4.1.1"])
class IgnoresReservedBits(Peer):
    """Frames with reserved bits are taken like others."""

    # 3.7 can not see it: what it sends does not count as a Close frame, so its answer is that of a peer that closes.

    def check_rsv(self, header):
        pass


@fault("3", {"3.4": "FAILED FAILED"}, ok=["3.1", "3.2", "3.3", "3.5", "3.6"])
class IgnoresRsv1(Peer):
    """RSV1 is taken although nothing was negotiated for it."""

    def check_rsv(self, header):
        if header.rsv & ~frames.RSV1:
            super().check_rsv(header)


@fault("3", {"3.1": "OK WRONG_CODE", "3.7": "OK WRONG_CODE"}, ok=["4.1.1", "6.3.1"])
class FailsReservedBitsWith1003(Peer):
    """Reserved bits lead to 1003 instead of 1002."""

    def check_rsv(self, header):
        try:
            super().check_rsv(header)
        except Failure as failure:
            raise Failure(1003) from failure


@fault("3", {"3.2": "NON-STRICT OK", "3.3": "NON-STRICT OK", "4.1.3": "NON-STRICT OK", "4.2.5": "NON-STRICT OK",
             "5.15": "NON-STRICT OK"}, ok=["1.1.2", "3.1", "4.1.1"])
class LosesOutputOnFailure(Peer):
    """Echoes wait until nothing more comes, and a failure throws them away."""

    idle_s = 0.3

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.waiting = []

    def echo(self, opcode, payload):
        self.waiting.append((opcode, payload))

    def on_idle(self):
        for message in self.waiting:
            super().echo(*message)
        self.waiting = []

    def on_close(self, payload):
        self.on_idle()
        super().on_close(payload)


@fault("4", {"4.1.1": "OK FAILED", "4.1.3": "FAILED FAILED", "4.2.1": "OK FAILED", "4.2.4": "FAILED FAILED"},
       ok=["3.1", "5.18"])
class IgnoresReservedOpcodes(Peer):
    """Frames with reserved opcodes are skipped."""

    def check_opcode(self, header):
        pass

    def check_order(self, header):
        if header.opcode in frames.OPCODES:
            super().check_order(header)

    def start_frame(self, header):
        if header.opcode in frames.OPCODES:
            super().start_frame(header)
        else:
            self.header, self.taken = header, 0

    def take(self, data):
        if self.header.opcode in frames.OPCODES:
            super().take(data)

    def end_frame(self, header):
        if header.opcode in frames.OPCODES:
            super().end_frame(header)


@fault("4", {"4.1.1": "FAILED FAILED", "4.1.2": "FAILED FAILED", "4.1.4": "FAILED FAILED"}, ok=["4.2.1", "4.2.2", "4.2.3"])
class EchoesReservedFrames(Peer):
    """Frames with the opcodes 3 to 7 are echoed as binary messages."""

    def check_opcode(self, header):
        if 3 <= header.opcode <= 7:
            header.opcode = BINARY
        super().check_opcode(header)


@fault("4", {"4.2.1": "FAILED FAILED", "4.2.2": "FAILED FAILED", "4.2.5": "FAILED FAILED"}, ok=["4.1.1", "4.1.3"])
class AnswersReservedControlFrames(Peer):
    """Frames with the opcodes 11 to 15 are answered like pings."""

    def check_opcode(self, header):
        if header.opcode > frames.PONG:
            header.opcode = frames.PING
        super().check_opcode(header)


@fault("4", {"4.1.1": "FAILED OK", "4.1.3": "FAILED OK", "4.2.1": "FAILED OK"}, ok=["1.1.1", "3.1"])
class ComplainsAboutReservedOpcodes(Peer):
    """A message goes out before the connection is failed for a reserved opcode."""

    def check_opcode(self, header):
        if header.opcode not in frames.OPCODES:
            self.send_message(TEXT, b"what is this?")
        super().check_opcode(header)
