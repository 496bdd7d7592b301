"""Runs the conformance kit from tests: against a server, or as the server of a client; and reads its report."""

import json
import pathlib
import subprocess
import sys
import tempfile
import threading

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "build"))

from tap import Failure

PYTHON = "/usr/bin/python3"
START_TIMEOUT_S = 60
TIMEOUT_S = 240  # only a bound for a hang


class Result:
    """Exit status, output and report of one run of the kit for one agent."""

    def __init__(self, status, output, report):
        self.status = status
        self.output = output
        self.report = report  # case -> {"behavior": ..., "behaviorClose": ...}

    def verdicts(self, case):
        """(behavior, behaviorClose); None if the report does not have the case."""
        entry = self.report.get(case)
        return entry and (entry["behavior"], entry["behaviorClose"])


class Listening:
    """A program that serves: started, and its line `listening on ws://HOST:PORT/`, or wss://, awaited."""

    def __init__(self, *command):
        self.name = " ".join(str(word) for word in command)
        # Its stderr shares a file: two pipes would need two readers.
        self.log = tempfile.TemporaryFile("w+", errors="replace")
        self.process = subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE, stderr=self.log,
                                        stdin=subprocess.DEVNULL, text=True)
        timer = threading.Timer(START_TIMEOUT_S, self.process.kill)
        timer.start()
        line = self.process.stdout.readline().rstrip("\n")
        timer.cancel()
        if not line.startswith(("listening on ws://", "listening on wss://")):
            self.stop()
            raise Failure(f"{self.name} did not start: {line}\n{self.errors()}")
        self.url = line.removeprefix("listening on ")

    def finish(self, timeout):
        """Waits for its end; (status, what it printed)."""
        try:
            output, _ = self.process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired as error:
            self.stop()
            raise Failure(f"{self.name} did not end in {timeout} s\n{self.errors()}") from error
        return self.process.returncode, output + self.errors()

    def errors(self):
        self.log.seek(0)
        return self.log.read()[-4000:]

    def stop(self):
        self.process.kill()
        self.process.communicate()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def read_report(directory, agent, output):
    path = pathlib.Path(directory, "index.json")
    if not path.exists():
        raise Failure(f"the kit wrote no index.json\n{output}")
    index = json.loads(path.read_text())
    if list(index) != [agent]:
        raise Failure(f"the report is about {list(index)}, not {agent}\n{output}")
    return index[agent]


def test_server(conform, server, agent, options):
    """The kit as the client of a server that the command `server` starts."""
    with tempfile.TemporaryDirectory() as directory, Listening(*server) as listening:
        command = [conform, "--server", listening.url, "--agent", agent, "--out", directory, *options]
        try:
            done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=TIMEOUT_S,
                                  stdin=subprocess.DEVNULL, check=False)
        except subprocess.TimeoutExpired as error:
            raise Failure(f"the kit did not end in {TIMEOUT_S} s: {command}") from error
        output = done.stdout + done.stderr + listening.errors()
        return Result(done.returncode, output, read_report(directory, agent, output))


def test_client(conform, client, agent, options):
    """The kit as the server of a client, started by the command `client` with the URL behind it."""
    with tempfile.TemporaryDirectory() as directory:
        command = [conform, "--listen", 0, "--once", "--out", directory, *options]
        with Listening(*command) as kit:
            done = subprocess.run([str(word) for word in [*client, kit.url]], capture_output=True, text=True,
                                  timeout=TIMEOUT_S, stdin=subprocess.DEVNULL, check=False)
            if done.returncode != 0:
                raise Failure(f"the client exited with {done.returncode}\n{done.stdout}{done.stderr}\n{kit.errors()}")
            status, output = kit.finish(30)
        output += done.stderr
        return Result(status, output, read_report(directory, agent, output))
