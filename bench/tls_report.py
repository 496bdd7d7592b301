"""What tls.py found, as Markdown."""

import statistics

import report

OURS = ("sansock epoll", "sansock io_uring")
RAW = "raw TLS"
PEERS = ("Beast", "libwebsockets", "npm ws")
SERVERS = (RAW, *OURS, *PEERS)  # in this order, so that what is compared most runs one after the other
CIPHER = "TLSv1.3 TLS_AES_128_GCM_SHA256"
FULL, RESUMED = "full", "resumed"
BUDGET_RATIO = 1.15         # CPU time a message against the raw echo over TLS
BUDGET_IDLE_BYTES = 12_288  # of user space for each idle connection
NOTES = f"""\
All negotiate {CIPHER.removeprefix("TLSv1.3 ")} with TLS 1.3 and show the same certificate, ECDSA with P-256. Sansock and the raw
echo ({RAW}) have BoringSSL by the same layer, Beast and libwebsockets Debian's OpenSSL, npm ws that of Node.js, with
their defaults, tickets included.
"""


def median(cell, name):
    one = cell["servers"].get(name)
    return None if one is None else one["cpu_us"]["median"]


def shown(value):
    return "–" if value is None else report.number(value)


def best_peer(cell):
    """Name of the cheapest one; None if there is none."""
    return next((name for name in report.by_cost(cell) if name in PEERS), None)


def against(cell, name, other):
    """CPU time of one against that of another in the same round: median, lowest and highest; None if one is missing."""
    if name not in cell["servers"] or other not in cell["servers"]:
        return None
    ratios = [one["server"]["cpu_us_each"] / two["server"]["cpu_us_each"]
              for one, two in zip(cell["servers"][name]["runs"], cell["servers"][other]["runs"])]
    return statistics.median(ratios), min(ratios), max(ratios)


def spread(ratios):
    return "{:.2f} ({:.2f} – {:.2f})".format(*ratios)


def costs(cell, names):
    """Cells of a table, the best peer bold."""
    texts = ["failed" if name in cell["failed"] else shown(median(cell, name)) for name in names]
    return [f"**{text}**" if name == best_peer(cell) else text for name, text in zip(names, texts)]


def cost_table(cells):
    """CPU time a message or handshake: one line a cell, one column a server."""
    return report.table(["µs", *SERVERS], [[cell["title"], *costs(cell, SERVERS)] for cell in cells])


def budget_rows(cell):
    """A line for each of ours that was measured beside anything: the floor times so much, and no peer below it."""
    rows = []
    for name in OURS:
        peer = best_peer(cell)
        floor, best = against(cell, name, RAW), against(cell, name, peer)
        if floor is None and best is None:
            continue
        kept = ["–", "–"]
        # Handshakes have no budget against the raw echo, messages have.
        if floor is not None and cell["handshake"] is None:
            kept = report.kept(floor[0], BUDGET_RATIO)[1:]
        below = ["–", "–"] if best is None else [f"{peer} {spread(best)}", "yes" if best[0] < 1 else "no"]
        rows.append([cell["title"], name, "–" if floor is None else spread(floor), *kept, *below])
    return rows


def budgets(cells):
    rows = [row for cell in cells for row in budget_rows(cell)]
    if not rows:
        return ""
    table = report.table(["shape", "CPU time", "× raw TLS", "budget", "kept", "× best peer", "below it"], rows)
    return f"Ratios within a round, their median with the lowest and the highest.\n\n{table}"


def handshakes(cells):
    """Full and resumed ones side by side: what a second of a CPU is enough for."""
    kinds = {cell["handshake"]: cell for cell in cells if cell["handshake"] is not None}
    head, rows = ["server"], []
    for kind in kinds:
        head += [f"{kind}, µs", f"{kind}, a CPU second", f"{kind}, a second", f"{kind}, busy server / load"]
    for name in SERVERS:
        if not any(name in cell["servers"] for cell in kinds.values()):
            continue
        row = [name]
        for cell in kinds.values():
            one = cell["servers"].get(name)
            row += ["–"] * 4 if one is None else [
                report.number(one["cpu_us"]["median"]), f"{1e6 / one['cpu_us']['median']:,.0f}",
                f"{one['per_s']['median']:,.0f}",
                f"{one['server_share']['median']:.0%} / {one['client_share']['median']:.0%}"]
        rows.append(row)
    return report.table(head, rows) if rows else ""


def memory_table(rows):
    done = sorted((row for row in rows if "failed" not in row), key=lambda row: row["used_bytes_each"])
    lines = []
    for row in done:
        kept = "–"
        if row["server"] in OURS:
            kept = "yes" if row["used_bytes_each"] <= BUDGET_IDLE_BYTES else "no"
        lines.append([row["server"], f"{row['connections']:,}", report.number(row["opened_bytes_each"]),
                      report.number(row["used_bytes_each"]), kept])
    text = report.table(["server", "connections", "bytes after opening", "after an echo of 1 KiB",
                         f"at most {BUDGET_IDLE_BYTES:,}"], lines)
    failed = [f"- {row['server']}: failed: {row['failed']}" for row in rows if "failed" in row]
    return text + ("\n" + "\n".join(failed) + "\n" if failed else "")


def shortfalls(found, rounds):
    """What is not in the tables, and why."""
    lines = [f"- not measured: {name} ({why})" for name, why in found["missing"].items()]
    lines += [f"- not measured, the time was over: {title}" for title in found["left_out"]]
    lines += [f"- only {cell['rounds']} rounds, the time was over: {cell['title']}" for cell in found["cells"]
              if cell["rounds"] < rounds]
    lines += [f"- {name}, {cell['title']}: failed: {why}" for cell in found["cells"] for name, why in cell["failed"].items()]
    return "\n".join(lines) + "\n" if lines else ""


def markdown(result):
    """The file tls.md."""
    found = result["tls"]
    cells = found["cells"]
    parts = ["# Echo servers over TLS\n", report.origin(result)]
    if found["packages"]:
        parts.append("With " + ", ".join(f"{name} {version}" for name, version in found["packages"].items()) + ".\n")
    parts.append(NOTES)
    parts.append(shortfalls(found, result["rounds"]))
    if cells:
        parts += [f"## CPU time of the server\n\nMedians of {result['rounds']} interleaved rounds of {result['seconds']:g} s, "
                  "64 connections. The best peer is bold.\n", cost_table(cells)]
    for head, content in (("Budgets", budgets(cells)), ("Handshakes", handshakes(cells))):
        if content:
            parts += [f"## {head}\n", content]
    if found["memory"]:
        parts += ["## Memory of idle connections\n",
                  "Growth of the process's anonymous memory for each connection, in user space: after the handshakes, and after "
                  "each connection has echoed a message of 1 KiB, one after the other. Each row is a process of its own.\n",
                  memory_table(found["memory"])]
    for cell in cells:
        parts += [f"## {cell['title'][0].upper()}{cell['title'][1:]}\n", report.shape_table(cell)]
    return "\n".join(part for part in parts if part).rstrip("\n") + "\n"
