#!/usr/bin/python3
"""peers_test.py CONFORM EXPECTED_DIRECTORY : the conformance kit against other people's implementations.

What python3-websockets and the npm package ws do in the official cases is known and pinned, one file for
each and role. A difference is a fault of the kit, or a new version of the peer.
"""

import concurrent.futures
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True

import kit
import tap

sys.path.insert(0, str(kit.HERE.parents[1] / "autobahn" / "wstest"))

import verdicts

RUNS_AT_ONCE = 4
NODE_MODULES = kit.HERE.parent / "interop" / "node_modules"
PLAIN = "1.*,2.*,3.*,4.*,5.*,6.*,7.*,9.*,10.*"
# Each data set, each way of fragmenting and each set of parameters; not each size of each.
COMPRESSED = ",".join(
    [f"12.1.{size}" for size in range(1, 12)] + ["12.2.3", "12.3.8", "12.4.12", "12.5.16"]
    + [f"13.{group}.{size}" for group in range(1, 8) for size in (1, 4, 11)])
# Where a message and what is wrong come in writes of their own, it depends on the moment whether python3-websockets
# still echoes the message.
RACES = {"python_websockets": "3.3,3.4,4.1.5,4.2.5"}


def require_websockets():
    try:
        import websockets
    except ImportError as error:
        raise tap.Skip("no python3-websockets") from error
    return [kit.PYTHON, kit.HERE / "peers" / "websockets_peer.py"]


def require_npm_ws():
    node = shutil.which("node")
    if not node:
        raise tap.Skip("no node")
    if not (NODE_MODULES / "ws" / "package.json").exists():
        raise tap.Skip("no npm package ws: run `npm ci` in tests/interop")
    return [node, kit.HERE / "peers" / "npm_ws_peer.mjs"]


def check_peer(conform, expected, require, agent, deflate):
    peer = require() + (["--deflate"] if deflate else [])
    options = ["--cases", COMPRESSED if deflate else PLAIN, "--quick", "--expect", expected / f"{agent}.txt"]
    races = RACES.get(agent.rpartition("_")[0])
    if races and not deflate:
        options += ["--exclude", races]
    if agent.endswith("_server"):
        result = kit.test_server(conform, [*peer, "--listen", 0], agent, options)
    else:
        result = kit.test_client(conform, [*peer, "--agent", agent, "--connect"], agent, options)
    tap.expect(result.status == 0, f"{agent}: the kit exited with {result.status}\n{result.output[-6000:]}")
    tap.expect(result.report, f"{agent}: nothing ran\n{result.output[-2000:]}")


def check_verdict_files(conform):
    """The kit and the script that runs wstest judge alike."""
    found = {"1.1.1": ("OK", "OK"), "6.4.3": ("NON-STRICT", "OK"), "7.9.1": ("OK", "FAILED BY CLIENT"),
             "12.1.1": ("UNIMPLEMENTED", "OK")}
    report = {case: {"behavior": behavior, "behaviorClose": close, "duration": 1, "remoteCloseCode": None,
                     "reportfile": "x.json"} for case, (behavior, close) in found.items()}
    whole = "* OK OK\n6.4.* NON-STRICT OK  # late\n7.9.* OK FAILED_BY_CLIENT\n12.* UNIMPLEMENTED OK\n"
    for text in (whole, whole + "6.4.3 OK OK\n", "6.4.* OK OK\n" + whole, whole.replace("12.*", "12.1.1"),
                 whole.replace("12.*", "12.2.*"), whole.replace("12.*", "1*.*"), whole.partition("\n")[2],
                 whole.replace("_", " "), whole + "1.1.1 FINE OK\n"):
        with tempfile.TemporaryDirectory() as directory:
            pinned, index = pathlib.Path(directory, "pinned.txt"), pathlib.Path(directory, "index.json")
            pinned.write_text(text)
            index.write_text(json.dumps({"tested": report}))
            status = subprocess.run([conform, "--check", index, "--expect", pinned], capture_output=True,
                                    stdin=subprocess.DEVNULL, timeout=60, check=False).returncode
        try:
            good = not verdicts.differences(verdicts.parse(text), report)
        except verdicts.VerdictError:
            good = False
        tap.expect((status == 0) == good, f"the kit exits with {status}, the script says {good}, for:\n{text}")


def main(conform, expected):
    pool = concurrent.futures.ThreadPoolExecutor(RUNS_AT_ONCE)
    cases = [("verdict files mean the same to the kit and to the wstest script", lambda: check_verdict_files(conform))]
    for peer, require in (("python_websockets", require_websockets), ("npm_ws", require_npm_ws)):
        for role in ("client", "server"):
            for deflate in (False, True):
                arguments = (conform, pathlib.Path(expected), require, f"{peer}_{role}", deflate)
                name = f"{peer}, {role}, {'with' if deflate else 'without'} compression"
                cases.append((name, pool.submit(check_peer, *arguments).result))
    status = tap.main(cases)
    pool.shutdown()
    return status


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]) if len(sys.argv) == 3 else __doc__)
