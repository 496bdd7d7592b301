#!/usr/bin/python3
"""The script that runs the official test suite, against programs that stand in for wstest, docker and podman."""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True

HERE = pathlib.Path(__file__).resolve().parent
WSTEST = HERE.parents[1] / "autobahn" / "wstest"
sys.path[:0] = [str(HERE.parent / "build"), str(WSTEST)]

import tap
import verdicts

PYTHON = "/usr/bin/python3"
SKIPPED = 77

# Does what wstest does as far as the script sees it: reads the spec, serves or calls nobody, writes index.json.
# FAKE_VERDICTS: {case: [behavior, behaviorClose]} on top of 517 cases (or as many as FAKE_COUNT says) that are OK.
FAKE_WSTEST = """#!/usr/bin/python3
import json, os, pathlib, signal, socket, sys
mode, spec_path = sys.argv[sys.argv.index("-m") + 1], sys.argv[sys.argv.index("-s") + 1]
spec = json.loads(pathlib.Path(spec_path).read_text())
if "FAKE_STATUS" in os.environ:
    sys.exit(int(os.environ["FAKE_STATUS"]))
agent = os.environ.get("FAKE_AGENT", "tested")
if mode == "fuzzingclient":
    assert list(spec) == ["outdir", "servers", "cases", "exclude-cases", "exclude-agent-cases"], spec
    agent = os.environ.get("FAKE_AGENT", spec["servers"][0]["agent"])
    assert spec["servers"][0]["url"] == "ws://127.0.0.1:1/", spec
else:
    listener = socket.create_server(("127.0.0.1", int(spec["url"].rpartition(":")[2])))
    while True:
        connection, _ = listener.accept()
        if connection.recv(100) == b"updateReports":
            break
    print("this goes to stderr")
cases = {f"1.{n}.1": ["OK", "OK"] for n in range(int(os.environ.get("FAKE_COUNT", 517)))}
for case, found in json.loads(os.environ.get("FAKE_VERDICTS", "{}")).items():
    cases.popitem()
    cases = {case: found} | cases
index = {agent: {case: {"behavior": a, "behaviorClose": b, "duration": 1, "remoteCloseCode": None,
                        "reportfile": "x.json", "cases": spec["cases"], "exclude": spec["exclude-cases"]}
                 for case, (a, b) in cases.items()}}
out = pathlib.Path(spec["outdir"])
out.mkdir(parents=True, exist_ok=True)
(out / "index.json").write_text(json.dumps(index))
if mode == "fuzzingserver":
    connection.close()
    signal.pause()
"""

# `info` works or not; `run` starts the program beside it with the container's directory put back.
FAKE_ENGINE = """#!/usr/bin/python3
import os, sys
if sys.argv[1] == "info":
    sys.exit(int(os.environ.get("FAKE_INFO", 0)))
arguments = sys.argv[2:]
outside, inside = arguments[arguments.index("--volume") + 1].split(":")
assert "crossbario/autobahn-testsuite" in arguments and "host" in arguments, arguments
path = os.path.join(outside, os.path.basename(arguments[-1]))
text = open(path).read()
open(path, "w").write(text.replace(inside + "/", outside + "/"))
program = os.path.join(os.path.dirname(sys.argv[0]), "inside-wstest")
os.execv(program, [program, *arguments[arguments.index("wstest") + 1:-1], path])
"""

CLIENT = """
import socket, sys
host, _, port = sys.argv[1].removeprefix("ws://").rstrip("/").rpartition(":")
with socket.create_connection((host, int(port)), timeout=60) as connection:
    connection.sendall(b"updateReports")
    connection.recv(1)
"""


class Scene:
    """A directory with the stand-ins, a verdict file, and only that directory on PATH."""

    def __init__(self, directory, programs, verdict_text="* OK OK\n"):
        self.directory = pathlib.Path(directory)
        self.expect = self.directory / "expected.txt"
        self.expect.write_text(verdict_text)
        (self.directory / "client.py").write_text(CLIENT)
        self.bin = self.directory / "bin"
        self.bin.mkdir()
        for name, text in programs.items():
            (self.bin / name).write_text(text)
            (self.bin / name).chmod(0o755)

    def run(self, *arguments, status, **environment):
        command = [PYTHON, WSTEST / "run.py", "--expect", self.expect, *arguments]
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=120, check=False,
                              stdin=subprocess.DEVNULL, env=os.environ | {"PATH": str(self.bin)} | environment)
        tap.expect(done.returncode == status, f"exited with {done.returncode}, not {status}\n{done.stdout}{done.stderr}")
        return done

    def server(self, **options):
        return self.run("--server", "ws://127.0.0.1:1/", "--agent", "tested", **options)

    def client(self, *words, **options):
        return self.run("--agent", "tested", "--client", PYTHON, self.directory / "client.py", *words, **options)


def with_scene(programs, verdict_text="* OK OK\n"):
    def decorate(function):
        def case():
            with tempfile.TemporaryDirectory() as directory:
                function(Scene(directory, programs, verdict_text))
        return case
    return decorate


WITH_WSTEST = {"wstest": FAKE_WSTEST}


@with_scene(WITH_WSTEST)
def all_ok(scene):
    for done in (scene.server(status=0), scene.client(status=0), scene.client("{url}", status=0)):
        tap.expect(done.stdout == f"tested: 517 cases, 0 differences from {scene.expect}\n", done.stdout)


@with_scene(WITH_WSTEST)
def difference(scene):
    found = json.dumps({"6.4.3": ["NON-STRICT", "OK"], "7.9.1": ["OK", "WRONG CODE"]})
    for done in (scene.server(status=1, FAKE_VERDICTS=found), scene.client(status=1, FAKE_VERDICTS=found)):
        lines = done.stdout.splitlines()
        tap.expect(lines[:2] == ["6.4.3: is NON-STRICT / OK, should be OK / OK",
                                 "7.9.1: is OK / WRONG CODE, should be OK / OK"], done.stdout)


@with_scene(WITH_WSTEST, "* OK OK\n6.4.* NON-STRICT OK  # checked at the end\n6.4.1 OK OK\n7.9.1 OK WRONG_CODE\n")
def pinned(scene):
    known = {"6.4.1": ["OK", "OK"], "6.4.3": ["NON-STRICT", "OK"], "7.9.1": ["OK", "WRONG CODE"]}
    scene.server(status=0, FAKE_VERDICTS=json.dumps(known))
    # What is better than pinned is a difference too: the file is out of date.
    scene.server(status=1, FAKE_VERDICTS=json.dumps(known | {"6.4.3": ["OK", "OK"]}))


@with_scene(WITH_WSTEST)
def incomplete(scene):
    done = scene.server(status=1, FAKE_COUNT="516")
    tap.expect("516 cases ran, not 517" in done.stdout, done.stdout)
    arguments = ["--server", "ws://127.0.0.1:1/", "--agent", "tested", "--cases", "1.*,2.3", "--exclude", "1.2.*"]
    out = scene.directory / "kept"
    scene.run(*arguments, "--out", out, status=0, FAKE_COUNT="3")
    entry = json.loads((out / "reports" / "index.json").read_text())["tested"]["1.0.1"]
    tap.expect((entry["cases"], entry["exclude"]) == (["1.*", "2.3"], ["1.2.*"]), entry)
    scene.run(*arguments, "--out", out, status=1, FAKE_COUNT="0")


@with_scene(WITH_WSTEST)
def broken_run(scene):
    tap.expect("wstest exited with 3" in scene.server(status=2, FAKE_STATUS="3").stderr, "no word of it")
    tap.expect("wstest exited with 3" in scene.client(status=2, FAKE_STATUS="3").stderr, "no word of it")
    tap.expect("not tested" in scene.server(status=2, FAKE_AGENT="other").stderr, "no word of the agent")
    done = scene.run("--client", PYTHON, "-c", "raise SystemExit(5)", status=2)
    tap.expect("exited with 5" in done.stderr, done.stderr)


@with_scene({})
def skipped(scene):
    for done in (scene.server(status=SKIPPED), scene.client(status=SKIPPED)):
        tap.expect(done.stdout.startswith("skipped: no wstest") and done.stdout.count("\n") == 1, done.stdout)


def container(engine):
    @with_scene({engine: FAKE_ENGINE, "inside-wstest": FAKE_WSTEST})
    def case(scene):
        scene.server(status=0)
        scene.client(status=0)
        scene.server(status=1, FAKE_VERDICTS='{"3.1": ["FAILED", "OK"]}')
        scene.server(status=SKIPPED, FAKE_INFO="1")  # it is installed, but its service does not run
    return case


@with_scene(WITH_WSTEST)
def bad_verdict_file(scene):
    for text in ("1.1.1 OK\n", "1.1.1 OK OK OK\n", "1.1.1 GOOD OK\n", "1.1.1 OK UNCLEAR\n"):
        scene.expect.write_text(text)
        tap.expect("line 1" in scene.server(status=2).stderr, f"accepted: {text}")
    scene.expect.write_text("2.* OK OK\n")
    tap.expect("no line is about it" in scene.server(status=1).stdout, "a case that no line is about is accepted")


def verdict_files():
    """The files of the repository can be read, and each deviation has its reason."""
    files = sorted((WSTEST.parent / "expected").glob("*.txt"))
    tap.expect(files, "there are no files")
    for path in files:
        rules = verdicts.parse(path.read_text())
        tap.expect(rules and rules[0][0] == "*", f"{path.name}: the first line is not about all cases")
        explained = {("OK", "OK")}
        for line in path.read_text().splitlines():
            words = line.partition("#")[0].split()
            if words and line.partition("#")[2].strip():
                explained.add(tuple(words[1:]))  # the lines below it with the same verdicts share its reason
            tap.expect(not words or tuple(words[1:]) in explained, f"{path.name}: no comment: {line}")


if __name__ == "__main__":
    assert shutil.which(PYTHON)
    sys.exit(tap.main([
        ("all verdicts as pinned, both roles", all_ok),
        ("a verdict that differs is named", difference),
        ("pinned deviations, later lines win", pinned),
        ("cases that did not run are noticed; a selection is passed on", incomplete),
        ("a run that breaks off", broken_run),
        ("without wstest and container it is skipped", skipped),
        ("in a container of docker", container("docker")),
        ("in a container of podman", container("podman")),
        ("bad verdict files", bad_verdict_file),
        ("the verdict files of the repository", verdict_files),
    ]))
