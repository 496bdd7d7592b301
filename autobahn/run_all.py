#!/usr/bin/python3
"""Runs the conformance kit against echo_server and echo_client on every adapter, with their pinned verdicts."""

import argparse
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
READY = re.compile(r"listening on (ws://\S+)")
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
    """The kit and what it tests, in a build directory."""

    def __init__(self, build, exclude=""):
        build = pathlib.Path(build)
        self.kit = build / "autobahn/conform"
        self.server = build / "examples/echo_server"
        self.client = build / "examples/echo_client"
        self.deflate = ["--deflate", "on"]
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
        done = subprocess.run([self.server, *options, "--help"], capture_output=True, text=True)
        return done.stderr.strip() if done.returncode != 0 else ""

    def refused(self, adapter):
        """Why it can not be tested here, in one line: there is no such adapter. Empty if it can."""
        return self.refusal(["--adapter", adapter])

    def test_server(self, adapter, arguments):
        """(exit status of the kit, what it said)"""
        server, url = start([self.server, "--port", "0", "--adapter", adapter, *self.deflate])
        try:
            kit = [self.kit, "--server", url, "--agent", f"sansock_server_{adapter}"]
            kit += ["--expect", HERE / "expected/sansock_server.txt", *self.exclude, *arguments]
            done = subprocess.run(kit, stdout=subprocess.PIPE, text=True)
            return done.returncode, done.stdout
        finally:
            status, _ = stop(server)
            if status != 0:
                raise Broken(f"echo_server ended with {status}")

    def test_client(self, adapter, arguments):
        kit = [self.kit, "--listen", "0", "--once", "--expect", HERE / "expected/sansock_client.txt"]
        kit, url = start([*kit, *self.exclude, *arguments])
        try:
            client = [self.client, url, "--adapter", adapter, "--autobahn", f"sansock_client_{adapter}", "--jobs", "16"]
            client += self.deflate
            done = subprocess.run(client, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
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
    options, rest = parser.parse_known_args()
    programs = Programs(options.build, options.exclude)
    if programs.deflate_refused:
        print(f"skipped: groups {COMPRESSION_GROUPS[0]} and {COMPRESSION_GROUPS[1]}: {programs.deflate_refused}", flush=True)
    failed = []
    for role, test in (("server", programs.test_server), ("client", programs.test_client)):
        for adapter in options.adapters.split(","):
            print(f"== echo_{role}, {adapter}", flush=True)
            refused = programs.refused(adapter)
            if refused:
                print(f"skipped: {refused}", flush=True)
                continue
            out = [] if "--out" in rest else ["--out", options.build / "conformance" / f"{role}s"]
            try:
                status, said = test(adapter, [*out, *rest])
            except Broken as problem:
                status, said = 1, f"{problem}\n"
            print(said, flush=True)
            if status != 0:
                failed.append(f"echo_{role} on {adapter}")
    print("conform: " + ("all verdicts are as pinned" if not failed else "not as pinned: " + ", ".join(failed)))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
