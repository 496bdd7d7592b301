"""What is sent: how much, by how many connections. The names are what --shapes takes."""


class Shape:
    """`beside`: a second shape that each server is given in the same round, to be compared with. `kinds`: which
    servers it is for, "echo" or "broadcast". `longer`: its runs take so many times the time of the others."""

    def __init__(self, name, title, connections=64, size=125, depth=1, extra=(), mode="echo", beside=None, longer=1):
        self.name, self.title, self.mode, self.beside = name, title, mode, beside
        self.connections, self.size, self.depth, self.extra = connections, size, depth, list(extra)
        self.longer = longer
        self.kinds = "broadcast" if mode == "broadcast" else "echo"

    def options(self):
        return ["--mode", self.mode, "--connections", self.connections, "--size", self.size, "--depth", self.depth,
                *self.extra]


SIZES = {"16B": ("16 B", 16), "125B": ("125 B", 125), "1KiB": ("1 KiB", 1024), "16KiB": ("16 KiB", 16384)}


def few(name, depth):
    title, size = SIZES[name]
    return Shape(f"{name}x{depth}", f"{title}, {depth} in flight", size=size, depth=depth)


def many(name, depth):
    title, size = SIZES[name]
    return Shape(f"1000x{name}x{depth}", f"{title}, {depth} in flight, 1,000 connections", 1000, size, depth)


def mixed(depth):
    """Text of characters of one to four bytes, beside the same bytes as binary messages."""
    options = {"size": 16384, "depth": depth}
    binary = Shape("", "", extra=["--text", "mixed"], **options)
    return Shape(f"textx{depth}", f"16 KiB of text, mixed UTF-8, {depth} in flight",
                 extra=["--type", "text", "--text", "mixed"], beside=binary, **options)


BROADCAST = Shape("broadcast", "broadcast of 125 B to 1,000", 1000, mode="broadcast")
IDLE = "memory"
BOUNDED = [*(few(name, depth) for name in SIZES for depth in (1, 16)), many("125B", 1), many("125B", 16),
           Shape("1MiBx1", "1 MiB, 1 in flight", size=1 << 20), mixed(16), BROADCAST]
FULL = [*BOUNDED, *(shape for name in SIZES for depth in (1, 16) if (shape := many(name, depth)).name not in
                    {one.name for one in BOUNDED}), mixed(1), Shape("rate", "opening handshakes", mode="rate")]
# What --calls traces, if nothing else is asked for.
CALLS = ("125Bx1", "125Bx16", "16KiBx16", "1000x125Bx1", "1000x125Bx16", "broadcast")
