"""What compressed.py found, as Markdown."""

import statistics

import report

OURS = ("sansock epoll", "sansock io_uring")
PEERS = ("Beast", "websocketpp", "libwebsockets", "npm ws")
# Those of them that can be told a level: the same at the fastest.
FASTEST = {"Beast": "Beast, level 1", "libwebsockets": "libwebsockets, level 1"}
SERVERS = OURS + PEERS + tuple(FASTEST.values())
MODES = {"no-context": "Each message by itself (no-context)", "on": "With context (on)"}
NOTES = """\
Each server as it is meant to be used, and so not all with the same settings: **compare the bytes beside the time**.

- sansock has its defaults: level 2 (ISA-L), a window of 12 bits for its own messages; messages below 1,024 bytes (with
  context: below 64) and those that do not shrink are sent as they are.
- Beast, libwebsockets and npm ws compress every message with zlib's level 6, a window of 15 bits and memory level 8;
  websocketpp with memory level 4, and neither can be chosen. Beast's context makes its answers no shorter.
- The columns of level 1 are the same programs at zlib's fastest level; the best peer may be one of them.
- The messages to the server are compressed in all cells, also those that do not shrink. Sansock asks clients for a
  window of 12 bits, so that what it gets is a little longer.
- libwebsockets is left out at 1 MiB: 4.1 mixes up messages above its buffer of 64 KiB when several come at once, so
  that its answers are wrong.
- npm ws compresses on other threads, which are counted, and are on the same CPU.
"""


def median(cell, name):
    one = cell["servers"].get(name)
    return None if one is None else one["cpu_us"]["median"]


def best_peer(cell):
    """Name of the cheapest one; None if there is none."""
    peers = [name for name in report.by_cost(cell) if not name.startswith("sansock")]
    return peers[0] if peers else None


def against_best(cell, name):
    """CPU time of ours against that of the best peer."""
    peer = best_peer(cell)
    return None if peer is None else report.divide(cell["servers"].get(name), cell["servers"][peer])


def answer(cell, name):
    """Bytes of a frame that came back, and the share of them that was compressed: medians of the rounds."""
    one = cell["servers"].get(name)
    if one is None:
        return None
    return tuple(statistics.median(run[field] for run in one["runs"])
                 for field in ("frame_bytes_received_each", "compressed_share"))


def plain_cost(cells, cell, name):
    """The same message without compression."""
    return next((median(one, name) for one in cells if one["deflate"] == "off" and one["message"] == cell["message"]), None)


def shown(value):
    return "–" if value is None else report.number(value)


def cost_table(cells, mode):
    rows = []
    for cell in (one for one in cells if one["deflate"] == mode):
        best = best_peer(cell)
        costs = ["failed" if name in cell["failed"] else shown(median(cell, name)) for name in SERVERS]
        costs = [f"**{cost}**" if name == best else cost for name, cost in zip(SERVERS, costs)]
        ratios = [against_best(cell, name) for name in OURS]
        told = ["–" if one is None else f"{one:.2f} {'yes' if one < 1 else 'no'}" for one in ratios]
        rows.append([cell["message"], *(shown(plain_cost(cells, cell, name)) for name in OURS), *costs, *told])
    head = ["message", "epoll, off", "io_uring, off", *SERVERS, "epoll / best peer, below it", "io_uring / best peer, below it"]
    return report.table(head, rows)


def bytes_table(cells, mode):
    rows = []
    for cell in (one for one in cells if one["deflate"] == mode):
        row = [cell["message"]]
        for name in SERVERS:
            one = answer(cell, name)
            sent_plain = one is not None and one[1] < 0.5
            share = "" if one is None else f"{one[0] / cell['size']:.0%}{', as it is' if sent_plain else ''}"
            row.append("–" if one is None else f"{one[0]:,.0f} ({share})")
        rows.append(row)
    return report.table(["message", *SERVERS], rows)


def spread(cell, name):
    cpu = cell["servers"][name]["cpu_us"]
    return f"{report.number(cpu['median'])} µs ({report.number(cpu['min'])} – {report.number(cpu['max'])})"


def not_below(cells):
    """A line for each cell in which one of ours is not below the best peer, with the spread of both."""
    lines = []
    for cell in cells:
        for name in OURS:
            ratio = against_best(cell, name)
            if ratio is not None and ratio >= 1:
                peer = best_peer(cell)
                lines.append(f"- {cell['title']}: {name} {spread(cell, name)}, {peer} {spread(cell, peer)}")
    return lines


def summary(cells):
    compared = [against_best(cell, name) for cell in cells for name in OURS]
    compared = [one for one in compared if one is not None]
    if not compared:
        return ""
    lines = not_below(cells)
    text = f"Ours is below the best peer in {len(compared) - len(lines)} of {len(compared)} comparisons."
    return text + (" It is not in these:\n\n" + "\n".join(lines) if lines else "") + "\n"


def shortfalls(found, rounds):
    """What is not in the tables, and why."""
    lines = [f"- not measured: {name} ({why})" for name, why in found["missing"].items()]
    lines += [f"- not measured, the time was over: {title}" for title in found["left_out"]]
    lines += [f"- only {cell['rounds']} rounds, the time was over: {cell['title']}" for cell in found["cells"]
              if cell["rounds"] < rounds]
    lines += [f"- {name}, {cell['title']}: failed: {why}" for cell in found["cells"] for name, why in cell["failed"].items()]
    return "\n".join(lines) + "\n" if lines else ""


def memory_text(rows):
    parts = ["## Memory of idle connections\n",
             "Growth of the process's anonymous memory for each connection with compression and context: after the opening "
             "handshake, after each connection has echoed a JSON message of 1 KiB, one after the other, and after 100 of them "
             "on each. Each row is a process of its own. Sansock's default of "
             "`deflate_memory_max`, 256 MiB for each loop, lets some 32,000 such connections in.\n"]
    done = sorted((row for row in rows if "failed" not in row), key=lambda row: row["later_bytes_each"])
    parts.append(report.table(["server", "connections", "bytes after opening", "after a message", "after 100 messages"],
                              [[row["server"], f"{row['connections']:,}",
                                *(report.number(row[field]) for field in ("opened_bytes_each", "used_bytes_each",
                                                                          "later_bytes_each"))] for row in done]))
    lines = [f"- {row['server']}: failed: {row['failed']}" for row in rows if "failed" in row]
    lines += [f"- {row['server']}: {row['connections']:,} connections, since this machine has no room for {row['wanted']:,}"
              for row in done if row["connections"] < row["wanted"]]
    lines += [f"- {row['server']} agreed to: {row['extension']}" for row in done]
    return "\n".join([*parts, *lines]) + "\n"


def markdown(result):
    """The file compressed.md."""
    found = result["compressed"]
    cells = found["cells"]
    parts = ["# Echo servers with permessage-deflate\n", report.origin(result)]
    if result["packages"]:
        parts.append("Peers: " + ", ".join(f"{name} {version}" for name, version in result["packages"].items()) + ".\n")
    if cells:
        parts += ["CPU time of the server a message in µs and bytes of an answer's frame, one message in flight on each of 64 "
                  f"connections (1 MiB: 16); medians of {result['rounds']} interleaved rounds of {result['seconds']:g} s "
                  f"(1 MiB: {found['seconds_large']:g} s). The best peer is bold.\n", NOTES]
    parts += [text for text in (shortfalls(found, result["rounds"]), summary(cells)) if text]
    for mode, title in MODES.items():
        if any(cell["deflate"] == mode for cell in cells):
            parts += [f"## {title}\n", "CPU time a message, µs:\n", cost_table(cells, mode),
                      "Bytes of an answer, and that as a share of the message:\n", bytes_table(cells, mode)]
    if found["memory"]:
        parts.append(memory_text(found["memory"]))
    return "\n".join(parts).rstrip("\n") + "\n"
