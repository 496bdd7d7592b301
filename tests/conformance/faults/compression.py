"""Faults of permessage-deflate: groups 12 and 13."""

import deflate
from faults.registry import fault
from peer import Peer


def deflate_fault(expect, ok=(), **options):
    group = next(iter(expect), "12.1.1").partition(".")[0]
    return fault(group, expect, ok=ok, deflate=True, **options)


@deflate_fault({"12.1.1": "FAILED *", "12.2.3": "FAILED *"}, ok=["1.1.2", "3.2"])
class ForgetsRsv1(Peer):
    """Compressed messages do not have RSV1."""

    def compressed_rsv(self):
        return 0

    def send_message(self, opcode, payload):
        if self.deflate and payload:
            super().send_message(opcode, payload)
        else:
            self.send_frame(opcode, payload)


class SkippingDeflate(deflate.Deflate):
    skip = False

    def start(self):
        super().start()
        self.skip = True

    def inflate(self, data):
        found = super().inflate(data)
        if found and self.skip:
            self.skip = False
            found = found[1:]
        return found


@deflate_fault({"12.1.1": "FAILED OK", "12.2.2": "FAILED OK", "13.1.3": "FAILED OK"}, ok=["1.1.2"])
class SkipsAByteAfterInflate(Peer):
    """The first byte of what was compressed is lost."""

    def make_deflate(self, agreed):
        return SkippingDeflate(self.role, agreed)


@deflate_fault({"13.2.1": "FAILED *", "13.5.3": "FAILED *"}, ok=["12.1.1", "13.1.2"])
class KeepsTheContext(Peer):
    """The compressor goes on over messages although its own no_context_takeover was agreed on."""

    def make_deflate(self, agreed):
        made = super().make_deflate(agreed)
        made.own_reset = False
        return made


@deflate_fault({"13.3.3": "FAILED *"}, ok=["12.1.3", "13.4.3"])
class IgnoresTheWindow(Peer):
    """The compressor's window is larger than agreed on."""

    def make_deflate(self, agreed):
        made = super().make_deflate(agreed)
        made.own_bits = 15
        return made


class ShortTailDeflate(deflate.Deflate):
    def cut_tail(self, data):
        return data[:-len(deflate.TAIL) - 1]


class LongTailDeflate(deflate.Deflate):
    def cut_tail(self, data):
        return data


@deflate_fault({"12.1.1": "FAILED *", "12.3.2": "FAILED *"}, ok=["1.1.2"])
class CutsTooMuchOfTheTail(Peer):
    """Five bytes of the flush are cut off instead of four."""

    def make_deflate(self, agreed):
        return ShortTailDeflate(self.role, agreed)


@deflate_fault({"12.1.1": "FAILED *", "12.2.2": "FAILED *"}, ok=["1.1.2"])
class KeepsTheTail(Peer):
    """The last four bytes of the flush are sent too; the receiver adds them once more."""

    def make_deflate(self, agreed):
        return LongTailDeflate(self.role, agreed)


@deflate_fault({}, ok=["12.1.1", "12.2.2", "13.1.3", "13.2.1"])
class NeverCompresses(Peer):
    """Echoes are not compressed: no fault, the cases must let it pass."""

    def send_message(self, opcode, payload):
        self.send_frame(opcode, payload)


@deflate_fault({"12.1.1": "UNIMPLEMENTED OK", "13.1.1": "UNIMPLEMENTED OK"}, ok=["1.1.2"])
class DeclinesTheExtension(Peer):
    """permessage-deflate is never agreed on."""

    def choose_extension(self, header):
        return None

    def offer_extension(self):
        return "x-unknown"


@deflate_fault({"12.1.1": "FAILED FAILED", "13.1.1": "FAILED FAILED"}, ok=["1.1.2"],
               expect_client={"12.1.1": "UNIMPLEMENTED OK", "13.1.1": "UNIMPLEMENTED OK"})
class NamesAnUnknownParameter(Peer):
    """The answer, or the offer, has a parameter that RFC 7692 does not know."""

    def answer_extension(self, agreed):
        return super().answer_extension(agreed) + "; server_dictionary"

    def offer_extension(self):
        return super().offer_extension() + "; client_dictionary"


@deflate_fault({"13.4.1": "FAILED FAILED"}, ok=["12.1.1", "13.1.1"], roles=("server",))
class AnswersWithAWrongWindow(Peer):
    """server_max_window_bits is 16."""

    def answer_extension(self, agreed):
        return super().answer_extension({name: 16 if name == "server_max_window_bits" else value
                                         for name, value in agreed.items()})


@deflate_fault({"1.1.2": "FAILED *", "6.2.1": "FAILED *", "12.1.1": "UNIMPLEMENTED OK"}, ok=["2.2", "7.3.3"])
class CompressesWithoutAgreement(Peer):
    """Messages are compressed although the extension was not agreed on."""

    def choose_extension(self, header):
        return None

    def offer_extension(self):
        return "x-unknown"

    def on_open(self):
        self.deflate = deflate.Deflate(self.role, {})


@deflate_fault({"12.1.11": "FAILED FAILED"}, ok=["12.1.1", "12.1.6"])
class InflatesOnlyTheFirstFragment(Peer):
    """Fragments of a compressed message behind the first are taken as they are."""

    def start_frame(self, header):
        super().start_frame(header)
        if not header.is_control() and len(self.message_parts) > 1:
            self.message_compressed = False
