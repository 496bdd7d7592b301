#!/usr/bin/python3
"""What a user of the library does: install it, find it with pkg-config, compile against it, run.

usage: install_test.py BUILD_DIRECTORY

The programs are those of README.md, so that they are known to compile and to work as printed.
Installs below a temporary directory only.
"""

import os
import pathlib
import re
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True

import tap

ROOT = pathlib.Path(__file__).resolve().parents[2]
COMPILER = shlex.split(os.environ.get("SANSOCK_CXX", "g++"))
ADAPTERS = os.environ.get("SANSOCK_ADAPTERS", "epoll,blocking,io_uring")
CLANG = ["clang++"]
FLAGS = ["-std=c++20", "-Wall", "-Wextra", "-Werror"]
# The nonce and its answer of RFC 6455 section 1.3.
REQUEST = ("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
           "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n").encode()
ACCEPT = b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
# Masked with zeros: the text "hello", and a Close with code 1000.
FRAMES = b"\x81\x85\0\0\0\0hello" + b"\x88\x82\0\0\0\0\x03\xe8"
ECHOES = b"\x81\x05hello" + b"\x88\x02\x03\xe8"


def readme_program(name):
    """The code block of README.md whose first line is `// NAME`."""
    for block in re.findall(r"^```cpp\n(.*?)^```$", (ROOT / "README.md").read_text(), re.DOTALL | re.MULTILINE):
        if block.startswith(f"// {name}\n"):
            return block
    raise tap.Failure(f"README.md has no code block that starts with // {name}")


class Installation:
    """The libraries of one build directory below a directory of their own."""

    def __init__(self, build, directory):
        tap.run(["meson", "install", "-C", build, "--no-rebuild", "--destdir", directory])
        found = sorted(directory.rglob("sansock-engine.pc"))
        tap.expect(len(found) == 1, f"sansock-engine.pc was installed {len(found)} times")
        self.pkgconfig = found[0].parent
        self.libraries = self.pkgconfig.parent
        prefix = re.search(r"^prefix=(.*)$", found[0].read_text(), re.MULTILINE).group(1)
        self.prefix = directory / prefix.lstrip("/")
        self.include = self.prefix / "include"

    def flags(self, package):
        environment = {**os.environ, "PKG_CONFIG_PATH": str(self.pkgconfig)}
        command = ["pkg-config", f"--define-variable=prefix={self.prefix}", "--cflags", "--libs", package]
        return shlex.split(tap.run(command, env=environment).stdout)

    def compile(self, compiler, text, package, program):
        if not shutil.which(compiler[0]):
            raise tap.Skip(f"no {compiler[0]}")
        source = program.with_suffix(".cpp")
        source.write_text(text)
        tap.run([*compiler, *FLAGS, source, "-o", program, *self.flags(package)])

    def environment(self):
        return {**os.environ, "LD_LIBRARY_PATH": str(self.libraries)}


def check_headers(installation):
    expected = {
        path.relative_to(ROOT / root / "include")
        for root in ("engine", "adapters") if root == "engine" or ADAPTERS
        for path in (ROOT / root / "include").rglob("*.h")
    }
    found = {path.relative_to(installation.include) for path in installation.include.rglob("*.h")}
    tap.expect(found == expected, f"missing: {expected - found}; unexpected: {found - expected}")


def check_embed(installation, compiler, program):
    """The engine alone: a whole conversation over two pipes, closed properly by both sides."""
    installation.compile(compiler, readme_program("embed.cpp"), "sansock-engine", program)
    done = tap.run([program], input=REQUEST + FRAMES, text=False, env=installation.environment(), timeout=20)
    head, _, rest = done.stdout.partition(b"\r\n\r\n")
    tap.expect(head.startswith(b"HTTP/1.1 101 ") and ACCEPT in head, f"unexpected answer: {head!r}")
    tap.expect(rest == ECHOES, f"unexpected frames: {rest!r}")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for_listener(port, server):
    for _ in range(300):
        tap.expect(server.poll() is None, f"the server exited with {server.poll()}")
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.1)
    raise tap.Failure("the server does not listen")


def check_server_and_client(installation, compiler, directory):
    if not {"epoll", "blocking"} <= set(ADAPTERS.split(",")):
        raise tap.Skip(f"built with the adapters [{ADAPTERS}]")
    port = free_port()
    for name in ("server", "client"):
        text = readme_program(f"{name}.cpp").replace("9001", str(port))
        installation.compile(compiler, text, "sansock", directory / name)
    server = subprocess.Popen([directory / "server"], env=installation.environment(), stdin=subprocess.DEVNULL)
    try:
        wait_for_listener(port, server)
        done = tap.run([directory / "client"], env=installation.environment(), timeout=30)
        tap.expect(done.stdout == "hello", f"the client printed {done.stdout!r}")
    finally:
        server.kill()
        server.wait()


def check_shared(directory):
    """Shared libraries have a soversion, and programs find them by it."""
    build = directory / "build"
    tap.run(["meson", "setup", build, ROOT, "-Ddefault_library=shared", "-Dbuildtype=plain", "-Dtests=disabled",
             "-Dexamples=disabled", f"-Dadapters={ADAPTERS}"])
    tap.run(["ninja", "-C", build], timeout=600)
    installation = Installation(build, directory / "root")
    for name in ("sansock-engine", "sansock") if ADAPTERS else ("sansock-engine",):
        linked = sorted(path.name for path in installation.libraries.glob(f"lib{name}.so*"))
        tap.expect(len(linked) == 3 and linked[0] == f"lib{name}.so", f"unexpected names: {linked}")
    check_embed(installation, COMPILER, directory / "embed")
    check_server_and_client(installation, COMPILER, directory)


def check_adapters(directory):
    """Every choice of adapters builds; auto does without io_uring where there is no liburing, and without TLS."""
    nothing = directory / "nothing"
    nothing.mkdir()
    without = {**os.environ, "PKG_CONFIG_LIBDIR": str(nothing), "PKG_CONFIG_PATH": ""}
    for adapters, environment in (("epoll", os.environ), ("auto", without)):
        build = directory / adapters
        tap.run(["meson", "setup", build, ROOT, "-Dbuildtype=plain", "-Dtests=disabled", "-Dexamples=disabled",
                 "-Dbench=disabled", "-Dconform=disabled", "-Dsimd=scalar", f"-Dadapters={adapters}",
                 "-Dtls=auto" if adapters == "epoll" else "-Dtls=disabled"], env=environment)
        tap.run(["ninja", "-C", build], timeout=600, env=environment)
        tap.expect((build / "adapters/libsansock.a").exists(), f"{adapters} made no library")
        objects = [path.name for path in build.rglob("*.o")]
        tap.expect(not any("ring.cpp" in name for name in objects), f"unexpected objects: {objects}")
        # The second one is built without TLS, and has nothing of BoringSSL.
        symbols = tap.run(["nm", "-u", build / "adapters/libsansock.a"]).stdout
        tap.expect("SSL_CTX_new" not in symbols or adapters == "epoll", "there is TLS in spite of -Dtls=disabled")
    wanted = ["meson", "setup", directory / "io_uring", ROOT, "-Dtests=disabled", "-Dadapters=io_uring"]
    done = subprocess.run(wanted, env=without, capture_output=True, text=True)
    tap.expect(done.returncode != 0 and "liburing" in done.stdout, "io_uring was granted without liburing")


PROJECT = """
project('user', 'cpp', default_options : ['cpp_std=c++20'])
engine = dependency('sansock-engine', fallback : 'sansock', default_options : ['adapters=', 'tests=enabled'])
executable('embed', 'embed.cpp', dependencies : engine)
"""


def check_subproject(directory):
    """The engine as a subproject: built alone, with no dependency, no tests, and no other library."""
    (directory / "subprojects").mkdir(parents=True)
    (directory / "subprojects" / "sansock").symlink_to(ROOT)
    (directory / "meson.build").write_text(PROJECT)
    (directory / "embed.cpp").write_text(readme_program("embed.cpp"))
    # Nothing can be found by pkg-config: the engine must not need it.
    environment = {**os.environ, "PKG_CONFIG_LIBDIR": str(directory), "PKG_CONFIG_PATH": ""}
    tap.run(["meson", "setup", directory / "build", directory], env=environment)
    tap.run(["ninja", "-C", directory / "build"], timeout=600)
    libraries = [path.name for path in (directory / "build").rglob("lib*.a")]
    tap.expect("libsansock-engine.a" in libraries and "libsansock.a" not in libraries, f"unexpected: {libraries}")
    done = tap.run([directory / "build" / "embed"], input=REQUEST, text=False)
    tap.expect(ACCEPT in done.stdout, f"unexpected answer: {done.stdout!r}")


def main(build):
    with tempfile.TemporaryDirectory() as name:
        directory = pathlib.Path(name)
        installation = Installation(build, directory / "root")
        for part in ("a", "b", "adapters", "shared", "subproject"):
            (directory / part).mkdir()
        return tap.main([
            ("the public headers are installed once", lambda: check_headers(installation)),
            ("README: the engine in a loop", lambda: check_embed(installation, COMPILER, directory / "a/embed")),
            ("README: the engine in a loop (clang++)", lambda: check_embed(installation, CLANG, directory / "b/embed")),
            ("README: server and client", lambda: check_server_and_client(installation, COMPILER, directory / "a")),
            ("README: server and client (clang++)", lambda: check_server_and_client(installation, CLANG, directory / "b")),
            ("the choice of adapters", lambda: check_adapters(directory / "adapters")),
            ("shared libraries", lambda: check_shared(directory / "shared")),
            ("the engine as a subproject, without any dependency", lambda: check_subproject(directory / "subproject")),
        ])


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1]))
