#!/usr/bin/python3
"""Makes inputs of the fuzz targets out of the transcripts in tests/golden.

usage: seeds.py OUTPUT_DIRECTORY GOLDEN_DIRECTORY [STAMP DEPFILE]

Writes OUTPUT_DIRECTORY/TARGET/NAME. For a build, it then touches STAMP and says in DEPFILE what the
inputs were made of. The numbers here
are those of the targets' own descriptions: settings.h, stream.h, connection.cpp, split.cpp,
model.cpp, handshake.cpp.
"""

import pathlib
import shutil
import sys

# enum class Operation in connection.cpp, in its order.
OPERATIONS = [
    "feed_frame", "feed_raw", "feed_cut", "feed_frames", "consume", "drain", "send", "send_part", "send_borrowed",
    "send_shared", "ping", "pong", "close", "wait", "tick", "eof", "abort", "pause", "resume", "detach", "offer",
    "pool", "pool_heals", "pause_at_next", "answer", "connect", "good_head", "drain_always", "feed_pong", "entropy",
]
LIMITS = {  # read_limits() in settings.h
    "frame_payload_max": 1, "message_payload_max": 2, "message_fragments_max": 3, "message_fragments_empty_max": 4,
    "control_frames_per_second_max": 5, "headers_max": 6,
}
TIMEOUTS = {  # read_timeouts() in settings.h
    "opening_handshake": 1, "first_message": 2, "message_assembly": 4, "ping_interval": 8, "pong": 16, "idle": 32,
}
WAITS = [0, 0, 0, 1, 2, 3, 5, 10, 60]  # in seconds, as `waits` in connection.cpp
CLOSE_CODES = [1000, 1001, 1005, 1003, 1006, 1011, 1014, 1015, 2999, 3000, 4999, 5000, 0, 999, 1004, 65535]
STATUSES = [200, 204, 304, 401, 404, 503]
CLIENT, ENDPOINT = 1, 2


class Transcript:
    """One golden file: its settings and its steps, ("input", bytes) or ("command", verb, rest)."""

    def __init__(self, path):
        self.name = path.stem
        self.settings = [0, 0, 0, 0]
        self.steps = []
        for line in path.read_text().splitlines():
            self.add(line)
        self.client = bool(self.settings[0] & CLIENT)
        self.endpoint = bool(self.settings[0] & ENDPOINT)
        self.input = b"".join(step[1] for step in self.steps if step[0] == "input")

    def add(self, line):
        mark, _, rest = line.partition(" ")
        if mark == "role:" and rest == "client":
            self.settings[0] |= CLIENT
        elif mark == "subject:" and rest == "endpoint":
            self.settings[0] |= ENDPOINT
        elif mark == "limit:":
            self.settings[1] = LIMITS[rest.split()[0]]
        elif mark == "timeout:":
            self.settings[2] |= TIMEOUTS[rest.split()[0]]
        elif mark == ">":
            self.feed(bytes.fromhex(rest.partition("#")[0]))
        elif mark == ">>":
            self.feed(rest.encode() + b"\r\n")
        elif mark == "!":
            verb, _, rest = rest.partition(" ")
            self.steps.append(("command", verb, rest.strip()))
        elif line == "":
            self.steps.append(("pause",))

    def feed(self, data):
        if self.steps and self.steps[-1][0] == "input":
            data = self.steps.pop()[1] + data
        self.steps.append(("input", data))


def run(data):
    """A size and so many bytes."""
    return bytes([len(data)]) + data


def operation(name, arguments=b""):
    return bytes([OPERATIONS.index(name)]) + arguments


def raw(data):
    return operation("feed_raw", run(data))


def nearest(table, value):
    return bytes([min(range(len(table)), key=lambda index: abs(table[index] - value))])


def command_operations(verb, rest):
    text = rest.encode()
    if verb in ("send", "part", "end"):
        flag = b"" if verb == "send" else bytes([verb == "end"])
        return operation("send" if verb == "send" else "send_part", flag + b"\x01" + run(text))
    if verb in ("ping", "pong"):
        return operation(verb, run(text))
    if verb == "close":
        code, _, reason = rest.partition(" ")
        return operation("close", nearest(CLOSE_CODES, int(code)) + run(reason.strip().encode()))
    if verb == "wait":
        return operation("wait", bytes([next(i for i, seconds in enumerate(WAITS) if seconds >= int(rest))]))
    if verb == "accept":
        return operation("answer", b"\x01" + run(b"")) if not rest else operation("answer", b"\x18" + run(b"") + run(text))
    if verb == "respond":
        status, _, body = rest.partition(" ")
        choice = 2 | 8 | nearest(STATUSES, int(status))[0] << 4
        return operation("answer", bytes([choice]) + run(b"") + run(body.encode()))
    if verb == "connect":
        return operation("connect", b"\x02" + run(text))
    return operation(verb)


def connection_input(transcript):
    made = bytes(transcript.settings)
    for step in transcript.steps:
        if step[0] == "input":
            for at in range(0, len(step[1]), 255):
                made += operation("feed_raw", run(step[1][at:at + 255]))
        elif step[0] == "command":
            made += command_operations(*step[1:])
        made += operation("drain")
    return made


def cuts_for(data):
    """A few reads: in the middle of most things."""
    count = min(len(data) // 3, 9)
    return bytes([count]) + b"\x00\x03" * count


def inputs_of(transcript):
    """{target: bytes}"""
    data = transcript.input
    made = {"connection": connection_input(transcript)}
    made["split"] = bytes(transcript.settings) + b"\x01" + cuts_for(data) + data
    if transcript.endpoint:
        origin_any = bytes([*transcript.settings[:3], 1])
        made["handshake"] = origin_any + bytes([transcript.client, 0x0A]) + data
    else:
        made["model"] = bytes([2 | transcript.client]) + cuts_for(data) + data
    return made


TEXTS = {
    "url": ["ws://example.com/", "wss://user:pass%20word@[2001:db8::1]:8443/chat?room=1",
            "ws+unix:/run/app.sock:/chat?x", "http://127.0.0.1:80", "ws://a:0/", "ws://a/#b", "HTTPS://h%41st:/"],
    "extension_list": [
        "\0permessage-deflate; client_max_window_bits; server_max_window_bits=10, x-a; b=\"c\"", "\0a;b=\"\\c\"",
        "\1chat, superchat,, \"a, b\" , chat", "\2https://example.com\nexample.com:443", "\2http://[::1]:80\n[::1]",
        "\2\n[1::2:3:4:5:6:7:8]", "\2\n[1:2:3:4:5:6:7::]", "\2\n[1:2:3:4:5:6:7:8]", "\2\n[::1.2.3.04]",
        "\2http://[1:2:3:4:5:6:1.2.3.4]\nhttp://[::ffff:1.2.3.4]", "\3dGhlIHNhbXBsZSBub25jZQ==", "\3a value, \tin spaces "],
    "kernels": ["keys\3\0\1\0\2\0\3aé€😀", "keys\0" + "plain text of many bytes " * 6 + "é"],
    "canary": ["\x81\x01a"],
}
# Both sides of each border of RFC 3629 section 4.
EDGES = [
    "7f", "80", "c1bf", "c280", "dfbf", "dfc0", "e09fbf", "e0a080", "ecbfbf", "ed9fbf", "eda080", "ee8080", "efbfbf",
    "f08fbfbf", "f0908080", "f3bfbfbf", "f48fbfbf", "f4908080", "f5808080", "e282", "f09f98", "c2", "bf",
]
REFUSAL = b"HTTP/1.1 503 Busy\r\nTransfer-Encoding: chunked\r\n\r\n"
CHUNKS = b"5\r\nhello\r\n0aB;ext=1\r\n" + b"x" * 0xAB + b"\r\n0\r\nTrailer: v\r\n\r\n"
KEEP_ALIVE = b"".join([  # a Ping after a silence, answered; then one that is not
    operation("wait", nearest(WAITS, 3)), operation("drain"), operation("feed_pong"), operation("drain"),
    operation("wait", nearest(WAITS, 3)), operation("drain"), operation("wait", nearest(WAITS, 2)), operation("drain")])
OFFERS = b", ".join([
    b"x-foo; a=\"b\"", b"permessage-deflate; server_max_window_bits=99; client_no_context_takeover",
    b"permessage-deflate; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=\"10\"; "
    b"client_max_window_bits=12", b"permessage-deflate; client_max_window_bits"])
# Payloads of compressed messages: examples of RFC 7692 section 7.2.3, and each fault that a decoder knows.
RAW_DEFLATE = [
    "f2 48 cd c9 c9 07 00", "f2 48 cd c9 c9 07 00 00 00 00 ff ff", "f3 48 cd c9 c9 07 00 00", "00", "", "03 00", "02 00",
    "f3 48 cd c9 c9 07 00 f2 48 cd c9 c9 07 00", "f2 48 cd c9 c9 07 00 f2 00 11 00 00", "00 05 00 fa ff 48 65 6c 6c 6f 00",
    "06", "00 04 00 80 00", "fc 00 00", "04 00 fe ff", "04 00 24 49 00", "04 00 24 e9 ff ff", "04 00 24 e9 ff 6d",
    "04 80 49 92 24 49 92 24 71 ff ff 93 11 00", "04 80 49 92 24 49 92 24 0f b4 ff ff c3 84",
    "04 c0 81 08 00 00 00 00 20 7f eb 0b 00 00", "1b 07", "02 7e ff ff", "0c c0 81 00 00 00 00 00 90 ff 6b 04 00",
]
# Operations by hand, for what no transcript has: see pair.cpp, handshake.cpp, adapter.cpp,
# deflate_codec.cpp and tls.cpp.
BYTES = {
    "pair": {
        "to_and_fro": b"\0" + b"\x00\x05\x02" + b"\x80\x05\x03" + b"\x04\xff\xff\x84\xff\xff\x06\xff\xff\x86\xff\xff" * 2,
        "parts": b"\0" + b"\x02\x05\x02\x12\x08\x02" + b"\x04\xff\xff\x86\x00\x07\x86\xff\xff" + b"\x08\x00",
        "borrowed": b"\1" + b"\x10\xd0\x03\x90\xf0\x03\x30\xe0\x02" + b"\x04\x10\x00\x84\x10\x00\x86\x10\x00\x06\x10\x00" * 3,
        "pings": b"\0" + b"\x03\x04ping\x83\x00" + b"\x04\xff\xff\x84\xff\xff\x06\xff\xff\x86\xff\xff" + b"\x09\x00",
    },
    "connection": {
        "keep_alive_server": b"\0\0\x18\0" + KEEP_ALIVE,
        "keep_alive_client": b"\1\0\x18\0" + KEEP_ALIVE,
        "entropy_broken": b"\1\0\0\0" + operation("entropy", b"\1") + command_operations("send", "a") + command_operations(
            "close", "1000 bye") + operation("drain"),
        "ping_cut_without_block": b"\0\0\0\0" + operation("pool", b"\1\0") + raw(b"\x89\x85\0\0\0\0he") + raw(
            b"llo\x8a\x81\0\0\0\0") + raw(b"x"),
        "close_cut_without_block": b"\1\0\0\0" + operation("pool", b"\1\0") + raw(b"\x88\x06\3") + raw(b"\xe8by") + raw(
            b"e!") + operation("drain"),
        "close_cut_bad_reason": b"\0\0\0\0" + operation("pool", b"\1\0") + raw(b"\x88\x86\0\0\0\0\3\xe8b") + raw(
            b"\xffe") + raw(b"e") + operation("drain"),
        "refusal_without_block": b"\2\0\0\0" + operation("pool", b"\0\1") + raw(b"GET / HTTP/1.0\r\n\r\n"),
        "accept_unoffered": b"\2\0\0\0" + operation("good_head") + operation("answer", b"\x18" + run(b"") + run(b"nope")),
        "accept_bad_header": b"\2\0\0\0" + operation("good_head") + operation("answer", b"\x0c" + run(b"a b") + run(b"v")),
        "pongs_over_limit": b"\1\x40\0\0" + 6 * (
            command_operations("send", "a") + operation("feed_frame", b"\2" + run(b"p" * 125))),
        "discard_limit": b"\0\7\0\0" + raw(b"\xff\xff") + raw(b"x" * 40) + raw(b"x" * 40),
        "deferred": b"\2\0\0\0" + raw(b"GET / HTTP/1.1\r\n\r\n") + operation("answer", b"\3\0") + operation(
            "answer", b"\x2a\0" + run(b"late")) + operation("drain"),
        "deferred_in_time": b"\2\0\0\0" + operation("good_head") + operation("answer", b"\3\0") + operation(
            "answer", b"\1\0") + operation("drain"),
        "parts_not_text": b"\x10\0\0\0" + operation("send_part", b"\0\1" + run(b"a\xc3")) + operation(
            "send_part", b"\1\1" + run(b"\xff")) + operation("send_part", b"\1\1" + run(b"\xa9")) + operation("drain"),
        "keep_alive_without_room": b"\0\x10\x08\0" + operation("send", b"\2\4") + operation(
            "send", b"\0" + run(b"x" * 12)) + 2 * operation("wait", nearest(WAITS, 3)) + operation("drain"),
        "shared": b"\0\0\0\0" + operation("send_shared", b"\1" + run(b"to all")) + operation("send_shared", b"\2\x0a"),
    },
    "handshake": {
        "refusal_chunked": b"\0\0\0\0\1\x20" + REFUSAL + CHUNKS,
        "refusal_chunked_badly": b"\0\0\0\0\1\x20" + REFUSAL + b"5;\r\nhelloxx",
        "refusal_until_eof": b"\0\0\0\0\1\x20" + REFUSAL.replace(b"chunked", b"gzip") + b"until the end",
        "our_request": b"\0\0\0\0\2" + run(b"example.com:81") + run(b"/chat?x") + run(b"X-A") + run(b"v") + run(b"mine") + b"\x72",
        "our_answer": b"\0\0\0\0\3" + run(b"text/html") + run(b"<p>no") + run(b"X-A") + run(b"v") + run(b"w") + b"\x68",
    },
    "deflate_negotiation": {
        "offers": b"\0" + b"\0" * 6 + OFFERS,
        "offers_limited": b"\0" + b"\0" * 3 + b"\1\x1b\0" + OFFERS.replace(b", ", b"\n"),
        "offer_demanding": b"\0" + b"\0" * 3 + b"\2\0\0" + b"permessage-deflate; server_no_context_takeover, permessage-deflate",
        "offers_bad": b"\0" + b"\0" * 6 + b"permessage-deflate; server_max_window_bits, permessage-deflate; x; client_max_window_bits=08",
        "offers_malformed": b"\0" + b"\0" * 6 + b"permessage-deflate\n;",
        "answer": b"\1" + b"\0" * 6 + b"permessage-deflate; server_no_context_takeover; client_max_window_bits=\"9\"",
        "answer_limited": b"\1" + b"\4\x1b\0" + b"\0" * 3 + b"permessage-deflate; server_no_context_takeover; server_max_window_bits=11",
        "answer_refused": b"\1" + b"\x09\0\0" + b"\0" * 3 + b"permessage-deflate; client_max_window_bits=10",
        "answer_twice": b"\1" + b"\0" * 6 + b"permessage-deflate\npermessage-deflate",
        "answer_unoffered": b"\1" + b"\0" * 6 + b"permessage-deflate, x-foo",
        "both": b"\2" + b"\4\x1b\0" + b"\0\x22\0",
        "contradiction": b"\2" + b"\1\0\0" + b"\2\0\0",
    },
    # Six bytes of settings, three of the peer's compressor, operations.
    "deflate_codec": {
        "to_and_fro": b"\7\7\0\0\4\0\6\7\0" + (b"\0\1\0" + run(b"{\"id\":1,\"name\":\"a\"}") + b"\0") * 3
        + (b"\2\1\0" + run(b"{\"id\":2,\"name\":\"b\"}") + b"\1\2\0\3\0\4") * 3,
        "no_takeover": b"\1\1\3\5\7\0\6\7\0" + (b"\0\2\1a\0\xff\2\5\0\xff\2\0\x20\0\x20") * 3 + b"\2\1\2\7\7\0\0\0" * 2,
        "references": b"\4\4\0\1\4\0\6\7\0" + b"\0\1\2\1\4\0\0" + b"\0\1\3\1\4\0\1\0\0" * 4,
        "large": b"\7\7\4\6\7\0\6\7\0" + b"\0\3\2\1\x4e\x00\1a\x4e\x00\2\2\x4e\x00\2\1\0\1\0" + b"\2\3\1b\x4e\x00\1c\x4e\x00\1d\x4e\x00\0\0",
        "ceiling": b"\7\7\0\0\4\x30\6\7\0" + b"\2\1\2\1\x20\0\0\2\1\0\1\0" + b"\0\1\2\1\x20\0\0" * 2,
        "shared": b"\4\4\0\0\4\0\6\7\0" + b"\0\1\2\1\4\0\0" + b"\4\1\1\2\1\4\0" + b"\0\1\2\1\4\0\0\5\6\1\2\1\1\0\1\1\2\1\4\0\1\1\0",
    } | {
        f"raw_{number}": b"\7\7\0\0\4\0\6\7\0" + b"\3" + run(bytes.fromhex(payload)) + b"\1\0\3"
        for number, payload in enumerate(RAW_DEFLATE)
    },
    # Flags, operations; with the highest bit it is the client's turn.
    "tls": {
        "to_and_fro": b"\x20" + b"\0\5\2" + b"\x80\xd0\3" + b"\7" + b"\2\4ping" + b"\0\xff\1" + b"\7" + b"\x8e\0\7",
        "handshake_in_pieces": b"\0" + (b"\x84\x85\0\x40\x85\xff\xff\4\5\1\0\5\xff\xff") * 4 + b"\0\5\2\7",
        "certificate_asked_for": b"\x28\0\5\2\x80\5\2\7\x0e\0\7",
        "certificate_not_trusted": b"\x10\7\0\5\2\7",
        "byte_changed": b"\x20\x80\x40\2\x84\x88\0\x10\1\x86\7",
        "handshake_changed": b"\0\x84\x88\0\x30\1\x86\4\6\7",
        "answer_changed": b"\0\x84\x86\4\x08\1\0\1\6\7",
        "records_swapped": b"\x20\x80\5\2\x84\x80\5\3\x84\x8b\1\7",
        "record_twice": b"\x20\x80\5\2\x84\x8b\0\7",
        "record_lost": b"\x20\x80\5\2\x84\x80\5\3\x84\x8b\2\7",
        "record_of_the_handshake_again": b"\x20\x80\5\2\x84\x8b\3\7",
        "bytes_lost": b"\x20\x80\xd0\2\x84\x8a\0\x10\0\3\7",
        "bytes_more": b"\x20\x80\5\2\x84\x89\0\5\4junk\7",
        "cut": b"\x20\x80\xd0\2\x84\x85\0\x20\x8c\7",
        "cut_before_close_notify": b"\x20\x0e\0\4\6\x84\x85\0\x30\x8c\7",
        "reset": b"\x20\x80\5\2\x84\x8d\0\x0d\0",
        "reset_at_the_end": b"\x20\x0e\0\4\6\x84\x8d\0\6",
        "plain_http": b"\0\x95\0\x86\7",
        "plain_answer": b"\0\x84\x86\x15\6\6\7",
        "alert_in_plain": b"\x20\x95\1\x86\x15\1\6",
        "change_cipher_spec": b"\x20\x95\3\x86\7",
        "record_made_up": b"\x20\x95\x08\4junk\3\x86\7",
        "ssl_2": b"\0\x95\5\x86\7",
        "paused": b"\x20\x11\1" + b"\x80\5\2\x84\x86" * 3 + b"\x80\xd0\2\x84\x86\x10\7",
        "paused_and_gone": b"\x20\x0f\x80\5\2\x84\x86\x8e\0\x84\x86\x10\7",
        "paused_and_changed": b"\x20\x11\1\x80\5\2\x80\5\2\x84\x86\x80\5\3\x84\x88\0\x10\1\x86\x10\7",
        "dropped": b"\x20\x11\x0f\x80\5\2\x84\x86\7",
        "output_blocked": b"\x21" + b"\0\xff\2\0\xff\3\3\1\0\1" + b"\x80\5\2\7",
        "without_blocks": b"\x23\x13\x80\x93\x80" + b"\0\xff\2\x80\xff\2\7\x14\x94\7",
        "blocks_run_out": b"\3\x13\3\x93\4\7\0\xff\2\x80\xff\2\7",
        "little_output": b"\x24" + b"\0\xc8\2\0\xf0\2\x80\xf0\3\7" * 2,
        "silence": b"\x20" + b"\x12\xff\x92\xff" * 6 + b"\7" + b"\x12\xff\x92\xff" * 6,
        "handshake_takes_too_long": b"\0\x84" + b"\x12\x20\x92\x20" * 3,
        "close_in_handshake": b"\0\x84\x86\x0e\0\7",
        "both_close": b"\x20\x0e\0\x8e\0\4\x84\6\x86\7",
    },
    "adapter": {
        "echo": b"\0" + b"\0\1\x09\0\3\0\x09\0" + b"\4\0\0\5hello" + b"\x09\0\6\0\xff\xff" + b"\4\0\4\3\xe8\0\x09\0\x08\0",
        "client": b"\0" + b"\2\1\x09\0\3\0\x09\0" + b"\4\0\0\5hello" + b"\x09\0\x0f\1\x09\0",
        "much_output": b"\1" + b"\1\4\3\0\x09\0\x09\0" + b"\6\0\xff\xff\x09\0" * 4,
        "paused_and_gone": b"\0" + b"\1\2\3\0\x09\0" + b"\4\0\0\1a\x09\0" + b"\4\0\0\1b\7\0\x09\0\x09\0",
        "no_descriptor": b"\4" + b"\x0c\0\2\4\0\0\x09\0\x0b\0\0\x64\x09\0" + b"\0\0\0\0\x09\0\x08\0\x09\0",
        "failing_calls": b"\0" + b"\1\1\3\0\x0c\0\0\0\x0c\0\1\7\3\x09\0\x09\0" + b"\x0c\0\0\2\4\0\0\1a\x09\0",
    },
}


def write(directory, target, name, data):
    (directory / target).mkdir(parents=True, exist_ok=True)
    (directory / target / name).write_bytes(data)


def main(arguments):
    output, golden, *build = map(pathlib.Path, arguments)
    shutil.rmtree(output, ignore_errors=True)
    for path in sorted(golden.glob("*.txt")):
        transcript = Transcript(path)
        for target, data in inputs_of(transcript).items():
            write(output, target, transcript.name, data)
    for target, texts in TEXTS.items():
        for number, text in enumerate(texts):
            write(output, target, f"text_{number}", text.encode("latin-1") if target == "canary" else text.encode())
    for edge in EDGES:
        text = b"\0" * 9 + bytes.fromhex(edge)
        write(output, "kernels", f"edge_{edge}", b"keys\0" + text)
        write(output, "model", f"edge_{edge}", b"\1\0\0" + run(text))  # to a client, one text frame
    for target, inputs in BYTES.items():
        for name, data in inputs.items():
            write(output, target, name, data)
    if build:
        stamp, depfile = build
        stamp.touch()
        depfile.write_text(f"{stamp}: {golden} {' '.join(map(str, sorted(golden.glob('*.txt'))))}\n")
    return 0


if __name__ == "__main__":
    if len(sys.argv) not in (3, 5):
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1:]))
