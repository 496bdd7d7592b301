#!/usr/bin/python3
"""run_test.py BUILD : the runner, on the smallest selection: its files, its numbers, its complaints."""

import json
import pathlib
import shutil
import statistics
import sys
import tempfile
import xml.etree.ElementTree

import tap

BUILD = pathlib.Path(sys.argv[1])
RUN = pathlib.Path(__file__).resolve().parents[2] / "bench/run.py"
BENCH = RUN.parent
sys.path.insert(0, str(BENCH))

import calls
import compressed
import compressed_report
import memory
import report
import run as runner
import servers
import shapes
import tls
import tls_report


def run(*arguments, status=0):
    return tap.run([sys.executable, RUN, BUILD, *arguments], status=status)


def check_files():
    with tempfile.TemporaryDirectory() as directory:
        out = pathlib.Path(directory) / "results"
        run("--rounds", 3, "--seconds", "0.05", "--shapes", "16Bx1,textx1,rate", "--only", "raw epoll,sansock epoll",
            "--out", out)
        result = json.loads((out / "echo.json").read_text())
        tap.expect([shape["name"] for shape in result["shapes"]] == ["16Bx1", "textx1", "rate"], result)
        for shape in result["shapes"]:
            tap.expect(set(shape["servers"]) == {"raw epoll", "sansock epoll"} and not shape["failed"], shape)
            for one in shape["servers"].values():
                values = [single["server"]["cpu_us_each"] for single in one["runs"]]
                tap.expect(len(values) == 3 and one["cpu_us"]["median"] == statistics.median(values), one)
                tap.expect((one["cpu_us"]["min"], one["cpu_us"]["max"]) == (min(values), max(values)), one)
        text = (out / "echo.md").read_text()
        for word in ("| raw epoll |", "| sansock epoll |", "× raw", "## Budgets", "p99, µs", "handshakes/s", "## Text and binary"):
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
        if kind.kind != "echo":
            continue
        try:
            server = servers.Server(kind, None)
        except servers.Absent as absent:
            print(f"# not here: {kind.name} ({absent})")
            continue
        with server:
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
    return {"title": "a", "mode": "echo", "size": 16, "depth": 16, "connections": 64, "rounds": 1, "servers": one,
            "beside": {}, "failed": {"wslay": "it hangs"}}


def check_tables():
    kept = report.budgets({"shapes": [shape({"raw epoll": 2, "sansock epoll": 2.2, "Beast": 3})]})
    tap.expect("| a | sansock epoll / raw epoll | 1.10 | 1.10 | yes | Beast 1.50 | yes |" in kept, kept)
    missed = report.budgets({"shapes": [shape({"raw epoll": 2, "sansock epoll": 3.2, "Beast": 3})]})
    tap.expect("| a | sansock epoll / raw epoll | 1.60 | 1.10 | no | Beast 1.50 | no |" in missed, missed)
    alone = report.budgets({"shapes": [shape({"sansock epoll": 3.2})]})
    tap.expect(alone == "", alone)
    table = report.shape_table(shape({"raw epoll": 2, "sansock epoll": 3}))
    tap.expect("- wslay: failed: it hangs" in table, table)


def check_more_tables():
    both = {"raw epoll": 2, "raw io_uring": 1, "sansock epoll": 2, "sansock io_uring": 1.2}
    kept = report.budgets({"shapes": [shape(both)]})
    tap.expect("| a | sansock io_uring / raw io_uring | 1.20 | 1.10 | no | – | – |" in kept, kept)
    adapters = report.io_uring_budgets({"shapes": [shape(both), shape(both) | {"depth": 1}]})
    tap.expect(adapters.count("| a | 0.60 | 1.00 | yes | 0.50 |") == 1, adapters)
    text = shape({"sansock epoll": 3, "Beast": 4})
    text["beside"] = shape({"sansock epoll": 2, "Beast": 4})["servers"]
    table = report.text_tables({"shapes": [text]})
    tap.expect("| sansock epoll | 3.00 | 2.00 | 1.50 | 1.20 | no |" in table, table)
    tap.expect("| Beast | 4.00 | 4.00 | 1.00 | – | – |" in table, table)
    sent = shape({"raw loop of sends": 2, "sansock broadcast": 2.2}) | {"mode": "broadcast"}
    counters = {"messages": "7", "frames_encoded": "7", "broadcast_missed": "0"}
    told = report.broadcast_text({"shapes": [sent], "encoded": counters})
    tap.expect("1.10, budget 1.15, kept: yes" in told and "7 frames encoded" in told, told)
    cells = report.overview({"shapes": [shape({"raw epoll": 2, "wslay": 2}), shape({"raw epoll": 2})]})
    tap.expect("| failed |" in cells, cells)


def check_broadcast():
    """Both servers are measured, and the frames that were encoded are counted."""
    with tempfile.TemporaryDirectory() as directory:
        run("--rounds", 1, "--seconds", "0.05", "--shapes", "broadcast", "--out", directory)
        result = json.loads((pathlib.Path(directory) / "echo.json").read_text())
    encoded = result["encoded"]
    tap.expect(set(result["shapes"][0]["servers"]) == {"raw loop of sends", "sansock broadcast"}, result)
    tap.expect(0 < int(encoded["messages"]) == int(encoded["frames_encoded"]), encoded)


def check_memory():
    with tempfile.TemporaryDirectory() as directory:
        run("--memory", "--memory-connections", 20, "--memory-connections", 30, "--only", "raw epoll,sansock epoll",
            "--out", directory)
        text = (pathlib.Path(directory) / "memory.md").read_text()
    for word in ("## 20 connections", "## 30 connections"):
        tap.expect(word in text, text)
    tap.expect(text.count("| raw epoll |") == 2 and text.count("| sansock epoll |") == 2, text)
    small = servers.Kind("small", ["false"], connections_max=25)
    options = runner.argparse.Namespace(memory_connections=[20, 25, 30], server_cpu=None)
    rows = memory.measure(options, [small], None, lambda text: None)
    # A server that holds no more is asked once for what it holds.
    tap.expect([row["connections"] for row in rows] == [20, 25] and all("did not start" in row["failed"] for row in rows), rows)


COMPRESSED = ("json-1KiB-off", "json-1KiB-no-context", "json-1KiB-on", "random-125B-on", compressed.IDLE)


def check_compressed():
    """Ours beside whichever peers are here: costs and bytes in each mode, and memory."""
    with tempfile.TemporaryDirectory() as directory:
        done = run("--compressed", "--rounds", 2, "--seconds", "0.05", "--shapes", ",".join(COMPRESSED),
                   "--memory-connections", 20, "--only", "raw epoll,sansock epoll,websocketpp", "--out", directory)
        text = (pathlib.Path(directory) / "compressed.md").read_text()
        found = json.loads((pathlib.Path(directory) / "compressed.json").read_text())["compressed"]
        tap.expect(not (pathlib.Path(directory) / "echo.md").exists(), "what was not asked for was measured")
    if "sansock epoll, compression on" in found["missing"]:
        raise tap.Skip("compression is not built in")
    tap.expect([cell["name"] for cell in found["cells"]] == list(COMPRESSED[:-1]), found)
    for cell in found["cells"]:
        # Without compression, only ours; the raw echo never.
        peers = {"websocketpp"} if cell["deflate"] != "off" and "skipped: websocketpp" not in done.stderr else set()
        tap.expect(set(cell["servers"]) == {"sansock epoll"} | peers and not cell["failed"], cell)
        compressed_share = {run_["compressed_share"] for run_ in cell["servers"]["sansock epoll"]["runs"]}
        tap.expect(compressed_share == ({1} if cell["message"] == "json, 1 KiB" and cell["deflate"] != "off" else {0}), cell)
    tap.expect({row["server"] for row in found["memory"]} == {"sansock epoll"} | peers, found["memory"])
    tap.expect(all(row["connections"] == 20 and "later_bytes_each" in row for row in found["memory"]), found["memory"])
    for word in ("## Each message by itself", "## With context", "| random, 125 B |", "## Memory of idle connections"):
        tap.expect(word in text, f"'{word}' is not in:\n{text}")


def compressed_cell(deflate, cpu, received, share=1):
    """A cell of two rounds of servers with these costs, all with answers of so many bytes."""
    runs = [{"frame_bytes_received_each": received, "compressed_share": share}] * 2
    one = shape(cpu) | {"title": f"b {deflate}", "message": "json, 16 B", "deflate": deflate}
    one["servers"] = {name: server | {"runs": runs} for name, server in one["servers"].items()}
    return one


def check_compressed_tables():
    cells = [compressed_cell("off", {"sansock epoll": 1}, 18, 0),
             compressed_cell("on", {"sansock epoll": 2, "sansock io_uring": 5, "Beast": 4, "npm ws": 8}, 8)]
    table = compressed_report.cost_table(cells, "on")
    tap.expect("| json, 16 B | 1.00 | – | 2.00 | 5.00 | **4.00** | – | – | 8.00 | – | – | 0.50 yes | 1.25 no |" in table, table)
    table = compressed_report.bytes_table(cells, "on")
    tap.expect("| json, 16 B | 8 (50%) | 8 (50%) | 8 (50%) | – | – | 8 (50%) | – | – |" in table, table)
    table = compressed_report.bytes_table(cells, "off")
    tap.expect("| 18 (112%, as it is) |" in table, table)
    told = compressed_report.summary(cells)
    tap.expect("in 1 of 2 comparisons" in told and "b on: sansock io_uring 5.00 µs (5.00 – 5.00), Beast 4.00 µs" in told, told)
    rows = [{"server": "Beast", "connections": 5, "wanted": 9, "extension": "x", "opened_bytes_each": 1,
             "used_bytes_each": 2, "later_bytes_each": 3},
            {"server": "npm ws", "connections": 5, "wanted": 9, "failed": "it hangs"}]
    told = compressed_report.memory_text(rows)
    for word in ("| Beast | 5 | 1.00 | 2.00 | 3.00 |", "no room for 9", "- npm ws: failed: it hangs"):
        tap.expect(word in told, told)
    found = {"missing": {"Beast, compression on": "gone"}, "left_out": ["b on"], "cells": cells}
    told = compressed_report.shortfalls(found, 2)
    for word in ("only 1 rounds, the time was over: b off", "Beast, compression on (gone)", "the time was over: b on",
                 "wslay, b on: failed: it hangs"):
        tap.expect(word in told, told)
    tap.expect(compressed.failed({"compressed": {"cells": cells, "memory": []}}) and not compressed.failed({}), cells)


def check_compressed_choice():
    """What a server is asked for: its mode, no more than it can, no larger than it gets right."""
    lws = compressed.with_mode(servers.Kind("libwebsockets", ["lws"]), "on")
    tap.expect(lws.command == ["lws", "--deflate", "on"] and lws.kind == "on" and lws.size_max < 1 << 20, lws.command)
    fastest = compressed.with_mode(servers.Kind("Beast", ["beast"]), "on", "Beast, level 1")
    tap.expect(fastest.name == "Beast, level 1" and fastest.command[-2:] == ["--level", "1"], fastest.command)
    roomy = compressed.with_mode(servers.Kind("sansock epoll", ["echo"]), "on", roomy=True)
    tap.expect(roomy.command[3:] == ["--deflate-memory", str(1 << 30)], roomy.command)
    missing = {}
    refuses = [servers.Kind(name, ["sh", "-c", "echo no zlib >&2; exit 2"]) for name in ("Beast", "wslay")]
    tap.expect(compressed.able(refuses, "on", missing, lambda text: None) == [], missing)
    tap.expect(missing == {"Beast, compression on": "no zlib"} and compressed.room() > 0, missing)
    names = [cell.name for cell in compressed.CELLS]
    tap.expect(len(names) == len(set(names)) == 36, names)


TLS = ("tls-1KiBx16", "tls-full", "tls-resumed", tls.IDLE)


def check_certificate():
    """It is made where it is asked for, and gone afterwards."""
    if not shutil.which("openssl"):
        raise tap.Skip("no openssl to make a certificate")
    with tempfile.TemporaryDirectory() as directory:
        with tls.certificate(directory) as (_, made, _, key):
            told = tap.run(["openssl", "x509", "-in", made, "-noout", "-text"]).stdout
            tap.expect("prime256v1" in told and "PRIVATE KEY" in key.read_text(), told)
        tap.expect(not list(pathlib.Path(directory).iterdir()), "the key was left behind")


def check_tls():
    """Whoever can be had over TLS: costs, handshakes and memory; who can not is named."""
    if why := tls.refused(BUILD):
        raise tap.Skip(why)
    check_certificate()
    wanted = {"raw TLS", "sansock epoll", "Beast", "npm ws"}
    with tempfile.TemporaryDirectory() as directory:
        run("--tls", "--rounds", 2, "--seconds", "0.2", "--shapes", ",".join(TLS), "--memory-connections", 20,
            "--only", ",".join(["websocketpp", *wanted]), "--out", directory)
        text = (pathlib.Path(directory) / "tls.md").read_text()
        found = json.loads((pathlib.Path(directory) / "tls.json").read_text())["tls"]
        tap.expect(not (pathlib.Path(directory) / "echo.md").exists(), "what was not asked for was measured")
    here = wanted - set(found["missing"])
    for name in wanted - here:
        tap.expect(f"not measured: {name} (" in text, text)
    if not here:
        raise tap.Skip("no server over TLS is built")
    tap.expect([cell["name"] for cell in found["cells"]] == list(TLS[:-1]), found)
    for cell in found["cells"]:
        tap.expect(set(cell["servers"]) == here and not cell["failed"], cell)
    tap.expect({row["server"] for row in found["memory"] if row["connections"] == 20 and row["used_bytes_each"]} == here,
               found["memory"])
    for word in ("| 1 KiB, 16 in flight |", "## Handshakes", "full, a CPU second", "## Memory of idle connections"):
        tap.expect(word in text, f"'{word}' is not in:\n{text}")


def tls_cell(cpu, handshake=None):
    """Of servers with these costs, each of which did what was asked for."""
    one = shape(cpu) | {"floor": tls.RAW, "handshake": handshake, "failed": {}}
    run_ = {"tls": tls.CIPHER} | ({"tls_resumed_share": int(handshake == tls.RESUMED)} if handshake else {})
    for name, server in one["servers"].items():
        # The second round is on a machine that is slower for a while.
        server["runs"] = [run_ | {"server": {"cpu_us_each": cpu[name] * slower}} for slower in (1, 7)]
    return one


def check_tls_tables():
    cost = {"raw TLS": 2, "sansock epoll": 2.2, "sansock io_uring": 4, "Beast": 3}
    table = tls_report.cost_table([tls_cell(cost)])
    tap.expect("| a | 2.00 | 2.20 | 4.00 | **3.00** | – | – |" in table, table)
    table = tls_report.budgets([tls_cell(cost), tls_cell({"sansock epoll": 3, "Beast": 3}), tls_cell({"sansock epoll": 3})])
    for line in ("| a | sansock epoll | 1.10 (1.10 – 1.10) | 1.15 | yes | Beast 0.73 (0.73 – 0.73) | yes |",
                 "| a | sansock io_uring | 2.00 (2.00 – 2.00) | 1.15 | no | Beast 1.33 (1.33 – 1.33) | no |",
                 "| a | sansock epoll | – | – | – | Beast 1.00 (1.00 – 1.00) | no |"):
        tap.expect(table.count(line) == 1, table)
    tap.expect(table.count("sansock epoll") == 2, table)
    full, resumed = (tls_cell({"Beast": number, "raw TLS": 50}, kind) for number, kind in ((400, "full"), (200, "resumed")))
    table = tls_report.handshakes([tls_cell(cost), full, resumed])
    tap.expect("| Beast | 400 | 2,500 | 1 | 100% / 100% | 200 | 5,000 | 1 | 100% / 100% |" in table, table)
    tap.expect("| a | sansock epoll | 2.00 (2.00 – 2.00) | – | – | – | – |" in
               tls_report.budgets([tls_cell({"sansock epoll": 4, "raw TLS": 2}, "full")]), table)
    tap.expect("| 8.00 |" in report.shape_table(full), "handshakes are not compared with the raw echo over TLS")
    uneven = tls_cell({"sansock epoll": 3, "Beast": 4})
    uneven["servers"]["sansock epoll"]["runs"][1]["server"]["cpu_us_each"] = 35
    table = tls_report.budgets([uneven])
    tap.expect("| Beast 1.00 (0.75 – 1.25) | no |" in table, table)
    rows = [{"server": name, "connections": 9, "opened_bytes_each": 1, "used_bytes_each": size}
            for name, size in (("sansock epoll", 12_288), ("sansock io_uring", 12_289), ("Beast", 1))]
    table = tls_report.memory_table([*rows, {"server": "npm ws", "connections": 9, "failed": "it hangs"}])
    for line in ("| sansock epoll | 9 | 1.00 | 12,288 | yes |", "| sansock io_uring | 9 | 1.00 | 12,289 | no |",
                 "| Beast | 9 | 1.00 | 1.00 | – |", "- npm ws: failed: it hangs"):
        tap.expect(line in table, table)
    found = {"missing": {"Beast": "gone"}, "left_out": ["b"], "cells": [tls_cell(cost) | {"failed": {"npm ws": "it hangs"}}]}
    told = tls_report.shortfalls(found, 2)
    for word in ("not measured: Beast (gone)", "the time was over: b", "only 1 rounds", "npm ws, a: failed: it hangs"):
        tap.expect(word in told, told)
    tap.expect(tls.failed({"tls": {"cells": found["cells"], "memory": []}}) and not tls.failed({}), found)


def check_tls_choice():
    """Whoever did another work than the others is no result, and whoever refuses TLS is named."""
    cell = tls.reject(tls_cell({"Beast": 1, "npm ws": 2}), None)
    tap.expect(set(cell["servers"]) == {"Beast", "npm ws"}, cell)
    cell["servers"]["Beast"]["runs"][1]["tls"] = "TLSv1.3 TLS_AES_256_GCM_SHA384"
    cell = tls.reject(cell, None)
    tap.expect(set(cell["servers"]) == {"npm ws"} and "TLS_AES_256" in cell["failed"]["Beast"], cell)
    for asked, share in ((tls.RESUMED, 0.5), (tls.FULL, 0.01)):
        cell = tls_cell({"Beast": 1}, asked)
        tap.expect(tls.reject(cell, asked)["servers"], cell)
        cell["servers"]["Beast"]["runs"][0]["tls_resumed_share"] = share
        tap.expect("were resumed" in tls.reject(cell, asked)["failed"]["Beast"], cell)
    missing = {}
    refuses = [servers.Kind(name, ["sh", "-c", "echo no TLS >&2; exit 2"]) for name in ("Beast", "wslay")]
    tap.expect(tls.able(refuses, ["--tls-cert", "x"], missing, lambda text: None) == [], missing)
    tap.expect(missing == {"Beast": "no TLS"}, missing)
    starts = servers.Kind("Beast", ["sh", "-c", "echo listening on $*; read x", "sh"], packages=("a",))
    chosen, = tls.able([starts], ["--tls-cert", "x"], missing, lambda text: None)
    tap.expect(chosen.command[-2:] == ["--tls-cert", "x"] and chosen.packages == ("a", "libssl-dev"), chosen.command)


def check_calls():
    lines = ["7 99.9 recvfrom(3, \"\", 9, 0, NULL, NULL) = 1\n",  # before the time that counts
             "7 100.1 recvfrom(3, \"\"..., 9, 0, NULL, NULL) = 1\n", "7 100.2 sendmsg(3, {}, 0) = 1\n",
             "7 100.3 epoll_wait(4,  <unfinished ...>\n", "8 100.4 io_uring_enter(5, 3, 1, 0, NULL, 8) = 3\n",
             "7 100.5 <... epoll_wait resumed>[], 8, -1) = 1\n", "8 100.6 io_uring_enter(5, 3,  <unfinished ...>\n",
             "8 100.7 <... io_uring_enter resumed>1, 0, NULL, 8) = 2\n", "8 100.8 madvise(0x7, 1, MADV_DONTNEED) = 0\n",
             "+++ exited with 0 +++\n", "7 101.0 sendmsg(3, {}, 0) = 1\n"]
    sums = calls.count(lines, 100, 101)
    tap.expect(sums == {"receives": 1, "sends": 1, "waits": 1, "enters": 2, "submissions": 5, "all": 6, "call madvise": 1}, sums)
    tap.expect(calls.most_frequent(sums, 4) == "madvise 0.250" and calls.most_frequent({}, 4) == "–", sums)
    if calls.missing():
        raise tap.Skip(calls.missing())
    with tempfile.TemporaryDirectory() as directory:
        done = run("--calls", "--shapes", "16Bx1", "--only", "raw epoll", "--out", directory)
        if "strace may not" in done.stderr:
            raise tap.Skip("strace may not look into a process here")
        text = (pathlib.Path(directory) / "calls.md").read_text()
    tap.expect("| raw epoll |" in text and "## 16 B, 1 in flight" in text, text)


def check_absent():
    """A server that says it can not be had is left out with its reason; one that ends is started again."""
    refuses = servers.Kind("refuses", ["sh", "-c", "echo no such thing here >&2; exit 2"])
    try:
        servers.Server(refuses, None)
        tap.expect(False, "it started")
    except servers.Absent as absent:
        tap.expect(str(absent) == "no such thing here", absent)
    ends = servers.Kind("ends", ["sh", "-c", "echo listening on tcp://127.0.0.1:1/"])
    options = runner.argparse.Namespace(server_cpu=None, load_cpu=None, rounds=2, seconds=0.01, build=BUILD,
                                        deadline=runner.time.monotonic() + 60)
    pool = runner.Pool(options, [ends])
    first = pool.servers["ends"]
    first.process.wait()
    pool.renew()
    tap.expect(pool.servers["ends"] is not first, "it was not started again")
    # Its failure is told in its cell.
    result = runner.measure(options, pool, shapes.BOUNDED[0])
    tap.expect("ends" in result["failed"] and not result["servers"], result)
    pool.stop()


def check_time():
    """When the time is over, the shapes that are left are named."""
    with tempfile.TemporaryDirectory() as directory:
        done = run("--minutes", 0, "--shapes", "16Bx1", "--only", "raw epoll", "--out", directory)
        text = (pathlib.Path(directory) / "echo.md").read_text()
    tap.expect("the time was over: 16 B, 1 in flight" in text and "left out" in done.stderr, text)
    names = [shape.name for shape in shapes.FULL]
    tap.expect(set(shapes.CALLS) < set(names), shapes.CALLS)
    tap.expect(len(names) == len(set(names)) and set(shapes.BOUNDED) < set(shapes.FULL), names)


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
    ("the other budgets in the tables", check_more_tables),
    ("a broadcast, and how often it is encoded", check_broadcast),
    ("memory of idle connections", check_memory),
    ("compression: costs, bytes and memory", check_compressed),
    ("compression: its tables", check_compressed_tables),
    ("compression: who is asked for what", check_compressed_choice),
    ("TLS: costs, handshakes and memory", check_tls),
    ("TLS: its tables", check_tls_tables),
    ("TLS: who is asked for what, and counts", check_tls_choice),
    ("system calls", check_calls),
    ("servers that can not be had, and that end", check_absent),
    ("a run that takes too long", check_time),
    ("usage errors", check_usage),
]

if __name__ == "__main__":
    sys.exit(tap.main(CASES))
