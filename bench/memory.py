"""Memory of idle connections: each server in a fresh process, with few thousand and with many."""

import report
import servers

CONNECTIONS = (10_000, 19_000)  # of the 20,000 descriptors that a process here may have
SIZE = 64 << 10                 # of the message that each connection then echoes
TIMEOUT_S = 300                 # only a bound for a hang: each connection waits for the one before
RESERVED = 100                  # descriptors of a process that are no connections


def measure(options, present, load, say):
    """`load`(options, server, words, seconds) is one run. One row a server and number of connections."""
    rows = []
    limit = servers.descriptors_max() - RESERVED
    for wanted in options.memory_connections or CONNECTIONS:
        for kind in present:
            connections = min(wanted, limit, kind.connections_max)
            if any(row["server"] == kind.name and row["connections"] == connections for row in rows):
                continue
            say(f"memory of {connections:,} connections: {kind.name}")
            row = {"server": kind.name, "connections": connections}
            words = ["--mode", "idle", "--connections", connections, "--size", SIZE]
            try:
                with servers.Server(kind, options.server_cpu) as server:
                    row |= load(options, server, words, 0.1, TIMEOUT_S)["memory"]
            except servers.Failure as failure:
                say(f"{kind.name}: {failure}")
                row["failed"] = str(failure)
            rows.append(row)
    return rows


def markdown(result):
    """The file memory.md."""
    parts = ["# Memory of idle connections\n", report.origin(result),
             "Growth of the process's anonymous memory for each connection, in user space: after the opening handshake, and "
             f"after each connection has echoed a message of {SIZE >> 10} KiB, one after the other. Each row is a process of its "
             "own. A server with a thread for each connection is asked for fewer.\n"]
    numbers = sorted({row["connections"] for row in result["memory"]})
    for connections in numbers:
        rows = [row for row in result["memory"] if row["connections"] == connections]
        done = sorted((row for row in rows if "failed" not in row), key=lambda row: row["used_bytes_each"])
        parts.append(f"## {connections:,} connections\n")
        parts.append(report.table(["server", "bytes after opening", f"after an echo of {SIZE >> 10} KiB"],
                                  [[row["server"], report.number(row["opened_bytes_each"]),
                                    report.number(row["used_bytes_each"])] for row in done]))
        failed = [f"- {row['server']}: failed: {row['failed']}" for row in rows if "failed" in row]
        if failed:
            parts.append("\n".join(failed) + "\n")
    return "\n".join(parts).rstrip("\n") + "\n"


def write(directory, result):
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "memory.md").write_text(markdown(result), encoding="utf-8")
