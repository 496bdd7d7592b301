"""Faults of the closing handshake: group 7."""

import frames
from faults.registry import fault
from frames import CLOSE, Failure
from peer import Peer


@fault("7", {"7.3.3": "OK UNCLEAN", "7.1.1": "OK UNCLEAN", "1.1.2": "OK UNCLEAN"}, ok=["3.1", "4.1.1", "6.3.1"])
class NeverAnswersClose(Peer):
    """Close frames are ignored."""

    def on_close(self, payload):
        pass


@fault("7", {"7.3.1": "OK UNCLEAN", "7.3.3": "OK UNCLEAN", "7.7.3": "OK UNCLEAN"}, ok=["3.1", "7.9.1"])
class DropsTcpOnClose(Peer):
    """A Close frame is answered by the end of TCP alone."""

    def on_close(self, payload):
        self.check_close(payload)
        self.end_tcp()


@fault("7", {"7.3.3": "FAILED WRONG_CODE", "7.7.1": "FAILED WRONG_CODE", "7.1.1": "FAILED WRONG_CODE",
             "1.1.2": "OK WRONG_CODE"}, ok=["7.7.2", "7.9.1"])
class AnswersWith1001(Peer):
    """Each Close frame is answered with 1001."""

    def answer_close(self, payload):
        self.check_close(payload)
        self.send_frame(CLOSE, frames.close_payload(1001))


@fault("7", {"7.3.3": "* UNCLEAN|FAILED|WRONG_CODE", "7.7.1": "* UNCLEAN|FAILED|WRONG_CODE"}, ok=["7.3.1", "7.9.1"])
class AnswersWith1005(Peer):
    """A code is answered with 1005, which no frame may carry (section 7.4.1)."""

    def answer_close(self, payload):
        self.check_close(payload)
        self.send_frame(CLOSE, frames.close_payload(1005) if payload else b"")


@fault("7", {"7.3.4": "* UNCLEAN|FAILED|WRONG_CODE"}, ok=["7.3.1", "7.3.3", "7.5.1"])
class AnswersWithABadReason(Peer):
    """A reason is answered with one that is not UTF-8."""

    def answer_close(self, payload):
        self.check_close(payload)
        self.send_frame(CLOSE, payload[:2] + (b"\xce" if len(payload) > 2 else b""))


@fault("7", {"7.1.3": "FAILED OK", "7.1.4": "FAILED OK", "7.1.5": "FAILED OK"}, ok=["7.1.1", "7.1.2", "7.3.3"])
class GoesOnAfterClose(Peer):
    """What comes behind a Close frame is still answered, and the Close frame at last."""

    idle_s = 0.3
    close = None

    def on_close(self, payload):
        if self.close is None:
            self.close = payload

    def on_idle(self):
        if self.close is not None:
            super().on_close(self.close)


@fault("7", {"7.3.3": "OK UNCLEAN", "1.1.2": "OK UNCLEAN", "7.9.1": "OK FAILED_BY_CLIENT"}, roles=("server",))
class NeverDropsTcp(Peer):
    """The server leaves the end of TCP to the client, always (section 7.1.1)."""

    def end_tcp(self):
        self.drain()


@fault("7", {"7.3.2": "FAILED WRONG_CODE"}, ok=["7.3.1", "7.3.3", "7.9.1"])
class AcceptsHalfACloseCode(Peer):
    """A Close frame with one byte is answered with 1000."""

    def answer_close(self, payload):
        super().answer_close(payload if len(payload) != 1 else frames.close_payload(1000))


@fault("7", {"7.9.1": "FAILED WRONG_CODE", "7.9.4": "FAILED WRONG_CODE", "7.9.9": "FAILED WRONG_CODE"},
       ok=["7.3.2", "7.7.1", "7.7.13"])
class AcceptsBadCloseCodes(Peer):
    """Codes that no frame may carry are answered with 1000."""

    def answer_close(self, payload):
        try:
            super().answer_close(payload)
        except Failure as failure:
            if len(payload) < 2 or failure.code != 1002:
                raise
            self.send_frame(CLOSE, frames.close_payload(1000))


@fault("7", {"7.7.10": "FAILED WRONG_CODE", "7.7.13": "FAILED WRONG_CODE"}, ok=["7.7.1", "7.7.9", "7.9.9"])
class RejectsPrivateCloseCodes(Peer):
    """The codes 3000 to 4999 are refused."""

    def check_close_code(self, code):
        if code >= 3000:
            raise Failure(1002)
        super().check_close_code(code)


@fault("7", {"7.5.1": "FAILED WRONG_CODE"}, ok=["7.3.4", "6.3.1"])
class AcceptsBadReasons(Peer):
    """The reason is not checked for UTF-8."""

    def check_close_reason(self, reason):
        pass


@fault("7", {"7.3.6": "FAILED WRONG_CODE"}, ok=["7.3.5", "2.5"])
class AcceptsLongCloseFrames(Peer):
    """Close frames over 125 bytes are answered."""

    def check_control(self, header):
        if header.opcode != CLOSE:
            super().check_control(header)


@fault("7", {"7.1.1": "FAILED WRONG_CODE", "7.3.3": "FAILED WRONG_CODE"}, ok=["7.7.3"])
class AnswersWith1002(Peer):
    """Every Close frame is taken for an error of the protocol."""

    def answer_close(self, payload):
        self.send_frame(CLOSE, frames.close_payload(1002))


@fault("7", {"1.1.2": "FAILED FAILED", "7.1.1": "FAILED FAILED"}, ok=["2.10", "7.3.3", "7.7.1"])
class ClosesInsteadOfEcho(Peer):
    """The connection is closed with 1000 where an echo is due."""

    def echo(self, opcode, payload):
        self.send_frame(CLOSE, frames.close_payload(1000))
        self.end_tcp()


@fault("7", {}, ok=["1.1.2", "2.5", "3.1", "4.1.1", "5.18", "6.3.1", "6.4.1", "7.3.2", "7.5.1", "7.9.1"])
class FailsWithoutClose(Peer):
    """A failure ends TCP without a Close frame: no fault, the cases must let it pass (section 7.1.7)."""

    def fail(self, code):
        self.end_tcp()


@fault("7", {}, ok=["1.1.2", "2.2", "7.3.1", "7.3.3", "7.7.1", "7.7.13"])
class ClosesWithoutCode(Peer):
    """Close frames are answered by empty ones: no fault, the cases must let it pass."""

    def answer_close(self, payload):
        self.check_close(payload)
        self.send_frame(CLOSE, b"")
