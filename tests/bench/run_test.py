#!/usr/bin/python3
"""run_test.py BUILD : the runner, on the smallest selection: its files, its numbers, its complaints."""

import json
import pathlib
import statistics
import sys
import tempfile
import xml.etree.ElementTree

import tap

BUILD = pathlib.Path(sys.argv[1])
RUN = pathlib.Path(__file__).resolve().parents[2] / "bench/run.py"
BENCH = RUN.parent
sys.path.insert(0, str(BENCH))

import report
import servers


def run(*arguments, status=0):
    return tap.run([sys.executable, RUN, BUILD, *arguments], status=status)


def check_files():
    with tempfile.TemporaryDirectory() as directory:
        out = pathlib.Path(directory) / "results"
        run("--rounds", 3, "--seconds", "0.05", "--shapes", "16Bx1,mixed,rate", "--only", "raw epoll,sansock epoll",
            "--out", out)
        result = json.loads((out / "echo.json").read_text())
        tap.expect([shape["name"] for shape in result["shapes"]] == ["16Bx1", "mixed", "rate"], result)
        for shape in result["shapes"]:
            tap.expect(set(shape["servers"]) == {"raw epoll", "sansock epoll"} and not shape["failed"], shape)
            for one in shape["servers"].values():
                values = [single["server"]["cpu_us_each"] for single in one["runs"]]
                tap.expect(len(values) == 3 and one["cpu_us"]["median"] == statistics.median(values), one)
                tap.expect((one["cpu_us"]["min"], one["cpu_us"]["max"]) == (min(values), max(values)), one)
        text = (out / "echo.md").read_text()
        for word in ("| raw epoll |", "| sansock epoll |", "× raw", "## Budgets", "p99, µs", "handshakes/s"):
            tap.expect(word in text, f"'{word}' is not in:\n{text}")
        plot = xml.etree.ElementTree.parse(out / "echo.svg")
        bars = plot.findall(".//{http://www.w3.org/2000/svg}rect")
        tap.expect(len(bars) == 1 + 6, f"{len(bars)} rectangles")


def check_peers():
    """Each peer that is built echoes right: all bytes of a short and of a long message."""
    for kind in servers.kinds(BUILD):
        if kind.missing:
            print(f"# not here: {kind.name} ({kind.missing})")
            continue
        with servers.Server(kind, None) as server:
            for shape in (["--size", "125", "--depth", "16"], ["--size", "1048576", "--connections", "2"],
                          ["--size", "1000", "--type", "text", "--text", "mixed"]):
                tap.run([BUILD / "bench/load/load", "--url", server.url, "--verify", "--warmup", "0", "--seconds", "0.05",
                         *shape])


def check_missing():
    with tempfile.TemporaryDirectory() as directory:
        missing = {kind.name: kind.missing for kind in servers.kinds(pathlib.Path(directory))}
    tap.expect("libwslay-dev" in missing["wslay"] and "libboost" in missing["Beast"], missing)


def shape(cpu):
    """Of two servers with these costs."""
    def value(number):
        return {"median": number, "min": number, "max": number}
    fields = ("cpu_us", "user_us", "per_s", "p50_us", "p99_us", "server_share", "client_share")
    one = {name: {field: value(number if field == "cpu_us" else 1) for field in fields} for name, number in cpu.items()}
    return {"title": "a", "mode": "echo", "size": 16, "servers": one, "failed": {"wslay": "it hangs"}}


def check_tables():
    kept = report.budgets({"shapes": [shape({"raw epoll": 2, "sansock epoll": 2.2, "Beast": 3})]})
    tap.expect("| a | 1.10 | 1.10 | yes | Beast 1.50 | yes |" in kept, kept)
    missed = report.budgets({"shapes": [shape({"raw epoll": 2, "sansock epoll": 3.2, "Beast": 3})]})
    tap.expect("| a | 1.60 | 1.10 | no | Beast 1.50 | no |" in missed, missed)
    alone = report.budgets({"shapes": [shape({"sansock epoll": 3.2})]})
    tap.expect(alone == "", alone)
    table = report.shape_table(shape({"raw epoll": 2, "sansock epoll": 3}))
    tap.expect("- wslay: failed: it hangs" in table, table)


def check_usage():
    listed = run("--shapes", "list").stdout.splitlines()
    tap.expect(any(line.startswith("16KiBx16") for line in listed), listed)
    for arguments, word in ((["--shapes", "huge"], "no shape 'huge'"), (["--only", "nginx"], "no server 'nginx'"),
                            (["--rounds", 0], "a round")):
        done = run(*arguments, status=2)
        tap.expect(word in done.stderr, done.stderr)


CASES = [
    ("tables, plot and JSON", check_files),
    ("all peers echo right", check_peers),
    ("what is missing is named with its package", check_missing),
    ("budgets and failures in the tables", check_tables),
    ("usage errors", check_usage),
]

if __name__ == "__main__":
    sys.exit(tap.main(CASES))
