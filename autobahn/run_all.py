#!/usr/bin/python3
"""Runs the conformance kit against echo_server and echo_client on every adapter, with their pinned verdicts."""

import argparse
import pathlib
import re
import subprocess
import sys

import certificates

HERE = pathlib.Path(__file__).resolve().parent
READY = re.compile(r"listening on (wss?://\S+)")
COMPRESSION_GROUPS = (12, 13)


class Broken(Exception):
    """A program did not do what it is for."""


def start(command):
    """A server program, once it has said that it is ready: (process, URL)."""
    process = subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE, text=True)
    said = ""
    for line in process.stdout:
        said += line
        found = READY.search(line)
        if found:
            return process, found.group(1)
    raise Broken(f"{command[0]} ended with {process.wait()} before it was ready\n{said}")


def stop(process):
    process.terminate()
    rest = process.communicate(timeout=30)[0]
    return process.returncode, rest


class Programs:
    """The kit and what it tests, in a build directory; over TLS if there are certificates for it."""

    def __init__(self, build, exclude="", tls=None):
        build = pathlib.Path(build)
        self.kit = build / "autobahn/conform"
        self.server = build / "examples/echo_server"
        self.client = build / "examples/echo_client"
        self.deflate = ["--deflate", "on"]
        # On both sides the server shows the certificate, and the client trusts the root.
        self.server_tls = tls.server_options() if tls else []
        self.kit_trust = ["--ca", tls.ca] if tls else []
        self.client_trust = ["--tls-ca", tls.ca] if tls else []
        excluded = [exclude] if exclude else []
        # Why the groups of compression can not be tested, in one line. Empty if they can.
        self.deflate_refused = self.refusal(self.deflate)
        if self.deflate_refused:
            # They would be UNIMPLEMENTED, which is not what is pinned.
            self.deflate = []
            excluded += [f"{group}.*" for group in COMPRESSION_GROUPS]
        self.exclude = ["--exclude", ",".join(excluded)] if excluded else []

    def refusal(self, options):
        """Why echo_server does not take these options, in one line. Empty if it does."""
        command = [str(word) for word in (self.server, *options, "--help")]
        done = subprocess.run(command, capture_output=True, text=True)
        return done.stderr.strip() if done.returncode != 0 else ""

    def refused(self, adapter):
        """Why it can not be tested here, in one line: no such adapter, or no TLS. Empty if it can."""
        return self.refusal(["--adapter", adapter, *self.server_tls])

    def test_server(self, adapter, arguments):
        """(exit status of the kit, what it said)"""
        server, url = start([self.server, "--port", "0", "--adapter", adapter, *self.deflate, *self.server_tls])
        try:
            kit = [self.kit, "--server", url, "--agent", f"sansock_server_{adapter}", *self.kit_trust]
            kit += ["--expect", HERE / "expected/sansock_server.txt", *self.exclude, *arguments]
            done = subprocess.run(kit, stdout=subprocess.PIPE, text=True)
            return done.returncode, done.stdout
        finally:
            status, _ = stop(server)
            if status != 0:
                raise Broken(f"echo_server ended with {status}")

    def test_client(self, adapter, arguments):
        kit = [self.kit, "--listen", "0", "--once", "--expect", HERE / "expected/sansock_client.txt", *self.server_tls]
        kit, url = start([*kit, *self.exclude, *arguments])
        try:
            client = [self.client, url, "--adapter", adapter, "--autobahn", f"sansock_client_{adapter}", "--jobs", "16"]
            client += [*self.deflate, *self.client_trust]
            done = subprocess.run([str(word) for word in client], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
            if done.returncode != 0:
                raise Broken(f"echo_client ended with {done.returncode}\n{done.stderr}")
            said = kit.communicate(timeout=30)[0]
            return kit.returncode, said
        finally:
            if kit.poll() is None:
                kit.kill()
                kit.wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("build", type=pathlib.Path, help="the build directory")
    parser.add_argument("--adapters", default="epoll,blocking,io_uring")
    parser.add_argument("--exclude", default="", help="cases, as the kit has them")
    parser.add_argument("--tls", action="store_true", help="over wss://, with certificates made for it")
    options, rest = parser.parse_known_args()
    try:
        tls = certificates.make(options.build / "conformance/tls") if options.tls else None
    except (certificates.Missing, certificates.Broken) as problem:
        sys.exit(f"run_all.py: {problem}")
    programs = Programs(options.build, options.exclude, tls)
    if programs.deflate_refused:
        print(f"skipped: groups {COMPRESSION_GROUPS[0]} and {COMPRESSION_GROUPS[1]}: {programs.deflate_refused}", flush=True)
    failed = []
    ran = 0
    for role, test in (("server", programs.test_server), ("client", programs.test_client)):
        for adapter in options.adapters.split(","):
            print(f"== echo_{role}, {adapter}", flush=True)
            refused = programs.refused(adapter)
            if refused:
                print(f"skipped: {refused}", flush=True)
                continue
            ran += 1
            reports = f"{role}s_tls" if options.tls else f"{role}s"
            out = [] if "--out" in rest else ["--out", options.build / "conformance" / reports]
            try:
                status, said = test(adapter, [*out, *rest])
            except Broken as problem:
                status, said = 1, f"{problem}\n"
            print(said, flush=True)
            if status != 0:
                failed.append(f"echo_{role} on {adapter}")
    if ran == 0:
        print("conform: nothing could be run")
        return 1
    print("conform: " + ("all verdicts are as pinned" if not failed else "not as pinned: " + ", ".join(failed)))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
