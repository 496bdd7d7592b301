"""System calls a message, seen by strace in runs of their own: a traced server is slow, its calls are the same in kind.

The load generator tells when its measured time began, and strace stamps each call: only the calls of that
time are counted, without opening handshakes and warm-up."""

import collections
import re
import shutil
import signal
import subprocess
import tempfile
import time

import report
import servers

SECONDS = 0.5
ATTACH_TIMEOUT_S = 20  # only a bound for a hang
LINE = re.compile(r"^\d+\s+(\d+\.\d+) (?:<\.\.\. )?(\w+)(?: resumed>|\()")
VALUE = re.compile(r" = (-?\d+)")
RECEIVING = {"recvfrom", "recvmsg", "read", "readv", "recvmmsg"}
SENDING = {"sendto", "sendmsg", "write", "writev", "sendmmsg"}
COUNTED = ("receives", "sends", "waits", "enters", "submissions", "all")
WAITING = {"epoll_wait", "epoll_pwait", "poll", "ppoll", "select", "pselect6"}


def missing():
    return None if shutil.which("strace") else "no strace; install strace"


def count(lines, begin_s, end_s):
    """Calls of a time, by what they are for. A call that another thread interrupts has two lines, and its value in the second."""
    sums = collections.Counter()
    for line in lines:
        found = LINE.match(line)
        if not found or not begin_s <= float(found.group(1)) < end_s:
            continue
        name, value = found.group(2), VALUE.search(line)
        if name == "io_uring_enter" and value:
            sums["submissions"] += max(0, int(value.group(1)))
        if "resumed>" in line:
            continue
        sums["all"] += 1
        kind = ("receives" if name in RECEIVING else "sends" if name in SENDING else "waits" if name in WAITING
                else "enters" if name == "io_uring_enter" else None)
        if kind:
            sums[kind] += 1
    return sums


def attached(pid):
    """Whether another process traces this one."""
    with open(f"/proc/{pid}/status", encoding="utf-8") as file:
        return any(line.startswith("TracerPid:") and line.split()[1] != "0" for line in file)


def traced(options, server, shape, load):
    """Calls a message of one run."""
    with tempfile.NamedTemporaryFile("r", errors="replace") as trace:
        tracer = subprocess.Popen(["strace", "-f", "-ttt", "-qq", "-s", "0", "-e", "signal=none", "-o", trace.name,
                                   "-p", str(server.pid)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        try:
            begin = time.monotonic()
            while not attached(server.pid):
                if tracer.poll() is not None or time.monotonic() - begin > ATTACH_TIMEOUT_S:
                    raise servers.Absent("strace may not look into a process here")
                time.sleep(0.01)
            run = load(options, server, shape.options(), SECONDS)
        finally:
            if tracer.poll() is None:
                tracer.send_signal(signal.SIGINT)
            tracer.communicate()
        sums = count(trace, run["begun_at_s"], run["begun_at_s"] + run["seconds"])
        return {name: sums[name] / run["messages"] for name in COUNTED}


def measure(options, present, shapes, load, say):
    """A row a server and shape; [] with a line where strace can not be used."""
    rows = []
    for shape in shapes:
        for kind in present:
            if kind.kind != shape.kinds or shape.mode == "rate" or shape.connections > kind.connections_max:
                continue
            say(f"calls of {kind.name}: {shape.title}")
            row = {"server": kind.name, "shape": shape.title}
            try:
                with servers.Server(kind, options.server_cpu) as server:
                    row |= traced(options, server, shape, load)
            except servers.Absent as absent:
                say(f"skipped: system calls ({absent})")
                return rows
            except servers.Failure as failure:
                say(f"{kind.name}, {shape.title}: {failure}")
                row["failed"] = str(failure)
            rows.append(row)
    return rows


def markdown(result):
    """The file calls.md."""
    parts = ["# System calls a message\n", report.origin(result),
             "Seen by strace, which makes the server slow, so that more is waiting at each turn than without it. Submissions are "
             "what `io_uring_enter` took: receives, sends and polls.\n"]
    for title in dict.fromkeys(row["shape"] for row in result["calls"]):
        rows = [row for row in result["calls"] if row["shape"] == title]
        parts.append(f"## {title[0].upper()}{title[1:]}\n")
        parts.append(report.table(
            ["server", "receives", "sends", "waits", "enters", "submissions", "all calls"],
            [[row["server"], *("–" if row[name] == 0 else f"{row[name]:.3f}"
                               for name in COUNTED)]
             for row in rows if "failed" not in row]))
        failed = [f"- {row['server']}: failed: {row['failed']}" for row in rows if "failed" in row]
        if failed:
            parts.append("\n".join(failed) + "\n")
    return "\n".join(parts).rstrip("\n") + "\n"


def write(directory, result):
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "calls.md").write_text(markdown(result), encoding="utf-8")
