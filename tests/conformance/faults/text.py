"""Faults of UTF-8: group 6."""

import codecs

from faults.registry import fault
from frames import Failure
from peer import Peer

INVALID = "FAILED FAILED"


@fault("6", {"6.3.1": INVALID, "6.4.1": INVALID, "6.4.4": INVALID, "6.6.1": INVALID, "6.16.1": INVALID,
             "6.20.1": INVALID}, ok=["6.2.1", "6.5.4", "7.5.1"])
class AcceptsBadText(Peer):
    """Text is not checked at all."""

    def check_text(self, data, final):
        pass


@fault("6", {"6.4.1": "NON-STRICT OK", "6.4.2": "NON-STRICT OK", "6.4.3": "NON-STRICT OK", "6.4.4": "NON-STRICT OK"},
       ok=["6.2.3", "6.3.1", "6.3.2", "6.6.1", "6.20.1"])
class ChecksTextAtTheEnd(Peer):
    """Text is checked when the message is complete."""

    def check_text(self, data, final):
        if final:
            super().check_text(b"".join(b"".join(part) for part in self.message_parts), True)


@fault("6", {"6.4.3": "NON-STRICT OK", "6.4.4": "NON-STRICT OK"}, ok=["6.2.3", "6.3.2", "6.4.1", "6.4.2"])
class ChecksTextByFrame(Peer):
    """Text is checked at the end of each frame."""

    def check_text(self, data, final):
        pass

    def end_frame(self, header):
        if self.decoder and not header.is_control():
            super().check_text(b"".join(self.message_parts[-1]), header.fin)
        super().end_frame(header)


@fault("6", {"6.6.1": INVALID, "6.6.3": INVALID, "6.14.6": INVALID}, ok=["6.3.1", "6.4.1", "6.6.2", "6.16.1"])
class AcceptsTextThatBreaksOff(Peer):
    """Text may end within a character."""

    def check_text(self, data, final):
        super().check_text(data, False)


@fault("6", {"6.2.3": INVALID, "6.2.4": INVALID}, ok=["6.2.1", "6.2.2", "6.3.2", "6.5.4"])
class RejectsCutCharacters(Peer):
    """A character may not be cut by a fragment's end."""

    def end_frame(self, header):
        if self.decoder and not header.is_control() and self.decoder.getstate()[0]:
            raise Failure(1007, "a character is not complete")
        super().end_frame(header)


@fault("6", {"6.22.1": INVALID, "6.22.34": INVALID, "6.23.7": INVALID, "6.9.3": INVALID}, ok=["6.2.1", "6.23.1", "6.9.2"])
class RejectsNoncharacters(Peer):
    """U+FFFE, U+FFFF and their like on the other planes are refused."""

    def on_message(self, opcode, payload):
        if self.decoder and any(ord(letter) & 0xFFFE == 0xFFFE for letter in payload.decode()):
            raise Failure(1007, "a noncharacter")
        super().on_message(opcode, payload)


@fault("6", {"6.7.1": INVALID}, ok=["6.7.2", "6.9.1", "1.1.1"])
class RejectsNul(Peer):
    """U+0000 is refused."""

    def check_text(self, data, final):
        if b"\0" in data:
            raise Failure(1007, "U+0000")
        super().check_text(data, final)


@fault("6", {"6.20.1": INVALID, "6.20.7": INVALID, "6.21.1": INVALID, "6.3.1": INVALID}, ok=["6.16.1", "6.17.1", "6.11.1"])
class AcceptsSurrogates(Peer):
    """U+D800 to U+DFFF are taken for characters."""

    def make_decoder(self):
        return codecs.getincrementaldecoder("utf-8")("surrogatepass")


@fault("6", {"6.17.1": INVALID, "6.18.1": INVALID, "6.19.1": INVALID}, ok=["6.17.2", "6.18.3", "6.20.1", "6.13.1"])
class AcceptsOverlongText(Peer):
    """The start bytes C0 and C1 are taken for good."""

    lifted = bytes(0xC2 if byte in (0xC0, 0xC1) else byte for byte in range(256))

    def check_text(self, data, final):
        super().check_text(data.translate(self.lifted), final)


@fault("6", {"6.3.1": INVALID, "6.12.1": INVALID, "6.16.3": INVALID}, ok=["6.2.1", "6.22.1"])
class ReplacesBadText(Peer):
    """What is not UTF-8 comes back as U+FFFD."""

    def check_text(self, data, final):
        pass

    def echo(self, opcode, payload):
        super().echo(opcode, payload.decode(errors="replace").encode())


@fault("6", {"6.3.1": "OK WRONG_CODE", "6.4.1": "OK WRONG_CODE", "6.20.1": "OK WRONG_CODE"},
       ok=["6.2.1", "3.1", "7.5.1"])
class FailsBadTextWith1002(Peer):
    """Bad text leads to 1002 instead of 1007."""

    def bad_text_code(self):
        return 1002
