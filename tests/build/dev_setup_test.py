#!/usr/bin/python3
"""./dev's set-up on machines that lack things: in a directory of its own, with programs that only
write down how they were called in place of dpkg, apt, sudo, meson, ninja and npm."""

import pathlib
import shutil
import sys
import tempfile

sys.dont_write_bytecode = True

import tap

ROOT = pathlib.Path(__file__).resolve().parents[2]
REAL = ("sh", "env", "cat", "dirname", "id", "git", "touch", "rm")
RECORD = '#!/bin/sh\necho "$(basename "$0") $*" >>calls\n'
FAKES = {
    "dpkg-query": '#!/bin/sh\nfor last; do :; done\ngrep -qx -- "$last" missing && exit 1\nprintf "ii "\n',
    "apt-get": RECORD + 'echo "DEBIAN_FRONTEND=$DEBIAN_FRONTEND" >>calls\n[ ! -f apt_fails ] || exit 100\n',
    "meson": RECORD + 'if [ "$1" = setup ]; then mkdir -p "$2"; touch "$2/build.ninja"; fi\n',
    "ninja": RECORD,
    "id": "#!/bin/sh\ncat user\n",
}


class Machine:
    """A machine with a copy of ./dev; `user` is the user's number, `missing` the packages that it lacks."""

    def __init__(self, directory, missing=(), user=0, extra=()):
        self.directory = directory
        self.bin = directory / "bin"
        self.bin.mkdir()
        for name in (*REAL, "basename", "grep", "mkdir"):
            (self.bin / name).symlink_to(shutil.which(name))
        for name in (*FAKES, *extra):
            (self.bin / name).unlink(missing_ok=True)
            (self.bin / name).write_text(FAKES.get(name, RECORD))
            (self.bin / name).chmod(0o755)
        (directory / "missing").write_text("".join(f"{name}\n" for name in missing))
        (directory / "user").write_text(f"{user}\n")
        (directory / "tests/interop").mkdir(parents=True)
        (directory / "tests/interop/package-lock.json").write_text("{}\n")
        (directory / "tests/summary.py").write_text("print('1 passed, 0 failed')\n")
        shutil.copy(ROOT / "dev", directory)

    def dev(self, *arguments, status=0):
        """Runs it; what it said, and the programs that it called."""
        (self.directory / "calls").write_text("")
        done = tap.run(["./dev", *arguments], status=status, cwd=self.directory, env={"PATH": str(self.bin)})
        return done.stderr, (self.directory / "calls").read_text().splitlines()


def on_machine(check, **machine):
    def case():
        with tempfile.TemporaryDirectory() as directory:
            check(Machine(pathlib.Path(directory), **machine))
    return case


def check_nothing_missing(machine):
    said, calls = machine.dev("build")
    tap.expect(calls == ["meson setup build -Dexamples=enabled -Dtests=disabled", "ninja -C build"], calls)
    tap.expect(said == "", said)


def check_missing(machine):
    said, calls = machine.dev("build")
    tap.expect(calls[:4] == [
        "apt-get update -q", "DEBIAN_FRONTEND=noninteractive",
        "apt-get install -q -y --no-install-recommends ninja-build g++", "DEBIAN_FRONTEND=noninteractive"], calls)
    tap.expect("installing Debian packages: ninja-build g++" in said, said)


def check_no_sudo(machine):
    said, calls = machine.dev("build", status=1)
    tap.expect(calls == [], calls)
    tap.expect("install them as root: ninja-build" in said and "can not be built" in said, said)


def check_sudo(machine):
    _, calls = machine.dev("build")
    tap.expect(calls[0] == "sudo env DEBIAN_FRONTEND=noninteractive apt-get update -q", calls)


def check_apt_fails(machine):
    (machine.directory / "apt_fails").touch()
    said, calls = machine.dev("build", status=1)
    tap.expect("apt-get could not install: ninja-build" in said, said)
    tap.expect(not any(call.startswith(("meson", "ninja")) for call in calls), calls)


def check_clang_missing(machine):
    """Without clang the tests still run; only the checks themselves need it."""
    (machine.directory / "apt_fails").touch()
    said, calls = machine.dev("test")
    tap.expect("checks that need clang will be skipped" in said and "ninja -C build" in calls, said)
    machine.dev("lint", status=1)


def check_no_node(machine):
    said, _ = machine.dev("test")
    tap.expect("skipped: no node" in said, said)


def check_node(machine):
    said, calls = machine.dev("test")
    tap.expect("installing the npm package ws" in said, said)
    npm = (machine.directory / "tests/interop/calls").read_text()
    tap.expect(npm == "npm ci --ignore-scripts --no-audit --no-fund --loglevel=error\n", npm)
    peer = machine.directory / "tests/interop/node_modules"
    peer.mkdir()
    (peer / ".package-lock.json").touch()
    said, _ = machine.dev("test")
    tap.expect("npm" not in said, said)


def check_reconfigured(machine):
    machine.dev("build")
    _, calls = machine.dev("test")
    tap.expect(calls[0] == "meson configure --clearcache build -Dexamples=enabled -Dtests=enabled", calls)
    _, calls = machine.dev("test")
    tap.expect(calls == ["ninja -C build"], calls)
    _, calls = machine.dev("build")
    tap.expect(calls == ["ninja -C build"], calls)


def check_bench(machine):
    """The benchmark goes without peers that can not be installed, and looks again when one was missing."""
    (machine.directory / "bench").mkdir()
    (machine.directory / "bench/run.py").write_text("import sys; print(sys.argv[1:], file=sys.stderr)\n")
    configured = "-Dexamples=enabled -Dbench=enabled"
    said, calls = machine.dev("bench", "--full")
    tap.expect(calls == [f"meson setup build {configured}", "ninja -C build bench_programs"], calls)
    tap.expect("['build', '--full']" in said, said)
    _, calls = machine.dev("bench")
    tap.expect(calls == ["ninja -C build bench_programs"], calls)
    (machine.directory / "missing").write_text("libwslay-dev\n")
    _, calls = machine.dev("bench")
    tap.expect(f"meson configure --clearcache build {configured}" in calls, calls)
    (machine.directory / "apt_fails").touch()
    said, calls = machine.dev("bench")
    tap.expect("left out" in said and "ninja -C build bench_programs" in calls, said)
    (machine.directory / "missing").write_text("libfmt-dev\n")
    machine.dev("bench", status=1)


def check_conform(machine):
    """The conformance kit is configured again when what its TLS needs was missing."""
    (machine.directory / "autobahn").mkdir()
    (machine.directory / "autobahn/run_all.py").write_text("import sys; print(sys.argv[1:], file=sys.stderr)\n")
    programs = "ninja -C build autobahn/conform examples/echo_server examples/echo_client"
    configured = "-Dexamples=enabled -Dtests=disabled -Dconform=enabled"
    said, calls = machine.dev("conform", "--tls")
    tap.expect(calls == [f"meson setup build {configured}", programs], calls)
    tap.expect("['build', '--tls']" in said, said)
    _, calls = machine.dev("conform")
    tap.expect(calls == [programs], calls)
    (machine.directory / "build/build.ninja").write_text("build autobahn/conform\n")
    (machine.directory / "missing").write_text("libssl-dev\n")
    _, calls = machine.dev("conform")
    tap.expect(any(call.endswith("--no-install-recommends libssl-dev") for call in calls), calls)
    tap.expect(calls[-2:] == [f"meson configure --clearcache build {configured}", programs], calls)
    _, calls = machine.dev("test")
    tap.expect("meson configure --clearcache build -Dexamples=enabled -Dtests=enabled" in calls, calls)
    (machine.directory / "missing").write_text("libssl-dev\n")
    _, calls = machine.dev("test")
    tap.expect("meson configure --clearcache build -Dexamples=enabled -Dtests=enabled" in calls, calls)


def check_looks_again(machine):
    """What a build goes without is looked for again once it is installed."""
    for verb, configured in (("run", "-Dtests=disabled"), ("test", "-Dtests=enabled")):
        machine.dev("test")
        (machine.directory / "build/build.ninja").touch()
        (machine.directory / "missing").write_text("android-libboringssl-dev\n")
        _, calls = machine.dev(verb, status=127 if verb == "run" else 0)  # there is no program to run
        package = "install -q -y --no-install-recommends android-libboringssl-dev"
        tap.expect(any(call.endswith(package) for call in calls), calls)
        tap.expect(f"meson configure --clearcache build -Dexamples=enabled {configured}" in calls, calls)
        (machine.directory / "missing").write_text("")


CASES = [
    ("nothing missing: no package tool is called", on_machine(check_nothing_missing)),
    ("missing packages are installed by name", on_machine(check_missing, missing=["g++", "ninja-build"])),
    ("no root, no sudo: says what to install", on_machine(check_no_sudo, missing=["ninja-build"], user=1000)),
    ("no root: uses sudo", on_machine(check_sudo, missing=["ninja-build"], user=1000, extra=["sudo"])),
    ("a failed installation ends it", on_machine(check_apt_fails, missing=["ninja-build"])),
    ("the tests run without clang", on_machine(check_clang_missing, missing=["clang"])),
    ("no node: says what is skipped", on_machine(check_no_node)),
    ("node: installs the peer once", on_machine(check_node, extra=["node", "npm"])),
    ("the benchmark and its peers", on_machine(check_bench)),
    ("the conformance kit and its TLS", on_machine(check_conform)),
    ("a build looks again for what was missing", on_machine(check_looks_again)),
    ("a build without tests becomes one with tests", on_machine(check_reconfigured)),
]

if __name__ == "__main__":
    sys.exit(tap.main(CASES))
