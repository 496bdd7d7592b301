#!/usr/bin/python3
"""Runs the official Autobahn|Testsuite (wstest), and checks its verdicts against a pinned file.

usage: run.py --server URL --expect FILE [OPTION...]
       run.py --expect FILE [OPTION...] --client COMMAND [ARGUMENT...]

With --server, wstest is the client of the echo server at URL. With --client, wstest is the server, and COMMAND
has to run all its cases as an Autobahn client under the name of --agent; `{url}` in it is replaced by the
server's URL, which else comes behind it.

wstest is taken from PATH; else it runs in its container through docker or podman; where there is none of them,
one line says so and the exit status is 77 (skipped). Otherwise it is 0 if all verdicts are those of FILE, 1 if
not, 2 if the run did not come to its end. fuzzingclient.json and fuzzingserver.json are what wstest is started
with, apart from addresses, directories and the options here.
"""

import argparse
import contextlib
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True

import verdicts

HERE = pathlib.Path(__file__).resolve().parent
IMAGE = "crossbario/autobahn-testsuite"
CASES_IN_ALL = 517
SKIPPED = 77
START_TIMEOUT_S = 120  # a container may have to be fetched


class RunError(Exception):
    """The run did not come to its end."""


def engine_works(engine):
    """A client program without its service is of no use."""
    try:
        return subprocess.run([engine, "info"], capture_output=True, timeout=30, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def find_wstest(directory, image):
    """The command that stands for `wstest` and what `directory` is called there; None if there is none."""
    if shutil.which("wstest"):
        return ["wstest"], directory
    for engine in ("docker", "podman"):
        if shutil.which(engine) and engine_works(engine):
            inside = "/reports"
            # The host's network: server and client are on this machine. Docker would leave root's files behind,
            # while podman's root is the user that started it.
            user = ["--user", f"{os.getuid()}:{os.getgid()}"] if engine == "docker" else []
            command = [engine, "run", "--rm", "--init", "--network", "host", *user, "--volume", f"{directory}:{inside}",
                       image, "wstest"]
            return command, inside
    return None


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def write_spec(directory, mode, options, changes):
    spec = json.loads((HERE / f"{mode}.json").read_text()) | changes
    if options.cases:
        spec["cases"] = options.cases.split(",")
    if options.exclude:
        spec["exclude-cases"] = options.exclude.split(",")
    (directory / f"{mode}.json").write_text(json.dumps(spec, indent=2) + "\n")
    return spec


def run_against_server(wstest, inside, directory, options):
    changes = {"outdir": f"{inside}/reports", "servers": [{"agent": options.agent, "url": options.server}]}
    spec = write_spec(directory, "fuzzingclient", options, changes)
    done = subprocess.run([*wstest, "-m", "fuzzingclient", "-s", f"{inside}/fuzzingclient.json"], timeout=options.timeout,
                          stdin=subprocess.DEVNULL, stdout=sys.stderr, check=False)
    if done.returncode != 0:
        raise RunError(f"wstest exited with {done.returncode}")
    return spec


def wait_for_port(port, process):
    end = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < end:
        if process.poll() is not None:
            raise RunError(f"wstest exited with {process.returncode}")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.1)
    raise RunError(f"wstest does not listen after {START_TIMEOUT_S} s")


def run_client(wstest, inside, directory, options):
    port = free_port()
    url = f"ws://127.0.0.1:{port}"
    # wstest serves its pages too; on its usual port 8080 there may be somebody else.
    changes = {"outdir": f"{inside}/reports", "url": url, "webport": 0}
    spec = write_spec(directory, "fuzzingserver", options, changes)
    words = [word.replace("{url}", f"{url}/") for word in options.client]
    if words == options.client:
        words.append(f"{url}/")
    server = subprocess.Popen([*wstest, "-m", "fuzzingserver", "-s", f"{inside}/fuzzingserver.json"],
                              stdin=subprocess.DEVNULL, stdout=sys.stderr)
    try:
        wait_for_port(port, server)
        done = subprocess.run(words, timeout=options.timeout, stdin=subprocess.DEVNULL, stdout=sys.stderr, check=False)
        if done.returncode != 0:
            raise RunError(f"{words[0]} exited with {done.returncode}")
    finally:
        server.terminate()
        try:
            server.wait(30)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
    return spec


def read_report(directory, options):
    path = directory / "reports" / "index.json"
    if not path.exists():
        raise RunError("wstest wrote no index.json")
    index = json.loads(path.read_text())
    if options.agent not in index:
        raise RunError(f"the report is about {', '.join(index)}, not {options.agent}")
    return index[options.agent]


def check(directory, options, spec, rules):
    report = read_report(directory, options)
    problems = verdicts.differences(rules, report)
    whole = spec["cases"] == ["*"] and not spec["exclude-cases"]
    # Cases that did not run differ from nothing, and would pass unseen.
    if not report or whole and len(report) != CASES_IN_ALL:
        problems.append(f"{len(report)} cases ran" + (f", not {CASES_IN_ALL}" if whole else ""))
    for problem in problems:
        print(problem)
    print(f"{options.agent}: {len(report)} cases, {len(problems)} differences from {options.expect}")
    return 1 if problems else 0


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    role = parser.add_mutually_exclusive_group(required=True)
    role.add_argument("--server", metavar="URL")
    role.add_argument("--client", metavar="COMMAND", nargs=argparse.REMAINDER)
    parser.add_argument("--agent", default="sansock")
    parser.add_argument("--expect", metavar="FILE", required=True)
    parser.add_argument("--cases", metavar="LIST", help="as 1.*,6.4.*; all, without it")
    parser.add_argument("--exclude", metavar="LIST")
    parser.add_argument("--out", metavar="DIRECTORY", type=pathlib.Path, help="where the reports stay")
    parser.add_argument("--image", default=IMAGE)
    parser.add_argument("--timeout", type=int, default=7200, metavar="SECONDS")
    options = parser.parse_args()
    if options.client == []:
        parser.error("--client needs a command")
    return options


def main():
    options = parse_options()
    rules = verdicts.parse(pathlib.Path(options.expect).read_text())
    with contextlib.ExitStack() as stack:
        directory = options.out or pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))
        directory.mkdir(parents=True, exist_ok=True)
        directory = directory.resolve()
        # Of an earlier run; it would be judged if this one writes none.
        (directory / "reports" / "index.json").unlink(missing_ok=True)
        found = find_wstest(directory, options.image)
        if found is None:
            print("skipped: no wstest on PATH, and neither docker nor podman works here")
            return SKIPPED
        spec = (run_client if options.client else run_against_server)(*found, directory, options)
        return check(directory, options, spec, rules)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (OSError, RunError, ValueError, subprocess.TimeoutExpired, verdicts.VerdictError) as error:
        print(f"run.py: {error}", file=sys.stderr)
        sys.exit(2)
