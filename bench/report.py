"""The results of run.py as Markdown, as a plot and as JSON."""

import json
import os
import platform
import subprocess

import plot

RAW = "raw epoll"
OURS = "sansock epoll"
RAW_BROADCAST = "raw loop of sends"
OUR_BROADCAST = "sansock broadcast"
# Each of ours, and the floor on the same adapter.
FLOORS = {"sansock epoll": RAW, "sansock io_uring": "raw io_uring"}
# CPU time a message against the floor, for messages up to 16 KiB and for larger ones.
BUDGET_RATIO = 1.10
BUDGET_RATIO_LARGE = 1.40
BUDGET_SIZE_MAX = 16384
BUDGET_TEXT = 1.20       # against the same bytes as binary messages
BUDGET_BROADCAST = 1.15  # against a raw loop of sends
# io_uring is to be at or below epoll with that many in flight or connections.
IO_URING_DEPTH, IO_URING_CONNECTIONS = 16, 1000


def output(*command):
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def machine():
    model = platform.machine()
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            model = next(line.split(":", 1)[1].strip() for line in file if line.startswith("model name"))
    except (OSError, StopIteration):
        pass
    return {"cpu": model, "cpus": len(os.sched_getaffinity(0)), "kernel": platform.release(),
            "load_before": round(os.getloadavg()[0], 2)}


def packages(kinds):
    """Versions of what the servers are built of."""
    names = [package for kind in kinds for package in kind.packages]
    lines = output("dpkg-query", "-W", "-f=${Package} ${Version}\n", *names) if names else ""
    return dict(line.split(" ", 1) for line in lines.splitlines())


def revision(root):
    return output("git", "-C", str(root), "describe", "--always", "--dirty", "--exclude=*")


def divide(one, other):
    """The ratio of two results in CPU time; None if one of them is missing."""
    if one is None or other is None or other["cpu_us"]["median"] == 0:
        return None
    return one["cpu_us"]["median"] / other["cpu_us"]["median"]


def ratio(shape, name):
    """CPU time a message against the raw echo, or the raw loop of sends, or what the shape names as its floor."""
    floor = RAW_BROADCAST if shape["mode"] == "broadcast" else shape.get("floor", RAW)
    return divide(shape["servers"].get(name), shape["servers"].get(floor))


def number(value):
    """Three digits that matter."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def table(head, rows):
    align = ["---"] + ["---:"] * (len(head) - 1)
    return "\n".join(f"| {' | '.join(row)} |" for row in [head, align, *rows]) + "\n"


def by_cost(shape):
    return sorted(shape["servers"], key=lambda name: shape["servers"][name]["cpu_us"]["median"])


def echo_shapes(result):
    return [shape for shape in result["shapes"] if shape["mode"] != "broadcast"]


def overview(result):
    """One line a shape, one column a server: the ratios."""
    names = []
    for shape in echo_shapes(result):
        names += [name for name in shape["servers"] if name not in names and name != RAW]
    rows = []
    for shape in echo_shapes(result):
        raw = shape["servers"].get(RAW)
        cells = [ratio(shape, name) for name in names]
        rows.append([shape["title"], number(raw["cpu_us"]["median"]) if raw else "–",
                     *("failed" if name in shape["failed"] else "–" if one is None else f"{one:.2f}"
                       for name, one in zip(names, cells))])
    return table(["shape", "raw epoll, µs", *names], rows) if rows else ""


def kept(value, limit):
    """A cell of two: the ratio, and whether it is within the budget."""
    return [f"{value:.2f}", f"{limit:.2f}", "yes" if value <= limit else "no"]


def budgets(result):
    """Ours against what was promised: the floor of the same adapter times so much, and no peer below us."""
    rows = []
    for shape in result["shapes"]:
        for name, floor in FLOORS.items():
            ours = divide(shape["servers"].get(name), shape["servers"].get(floor))
            if ours is None or shape["mode"] != "echo" or shape["beside"]:
                continue  # text has a budget of its own
            limit = BUDGET_RATIO if shape["size"] <= BUDGET_SIZE_MAX else BUDGET_RATIO_LARGE
            peers = [peer for peer in by_cost(shape) if not peer.startswith(("raw", "sansock"))]
            best = ahead = "–"
            if peers:
                against = divide(shape["servers"][peers[0]], shape["servers"][floor])
                best, ahead = f"{peers[0]} {against:.2f}", "yes" if ours <= against else "no"
            rows.append([shape["title"], f"{name} / {floor}", *kept(ours, limit), best, ahead])
    return table(["shape", "CPU time a message", "ratio", "budget", "kept", "best peer", "at or below it"],
                 rows) if rows else ""


def io_uring_budgets(result):
    """io_uring against epoll, where there is enough at once for one call to do more."""
    rows = []
    for shape in result["shapes"]:
        if shape["mode"] != "echo" or (shape["depth"] < IO_URING_DEPTH and shape["connections"] < IO_URING_CONNECTIONS):
            continue
        ours = divide(shape["servers"].get("sansock io_uring"), shape["servers"].get("sansock epoll"))
        raw = divide(shape["servers"].get("raw io_uring"), shape["servers"].get("raw epoll"))
        if ours is not None:
            rows.append([shape["title"], *kept(ours, 1), "–" if raw is None else f"{raw:.2f}"])
    return table(["shape", "sansock io_uring / sansock epoll", "budget", "kept", "raw io_uring / raw epoll"],
                 rows) if rows else ""


def text_tables(result):
    """Text beside the same bytes as binary messages."""
    parts = []
    for shape in result["shapes"]:
        rows = []
        for name in by_cost(shape):
            binary = shape["beside"].get(name)
            times = divide(shape["servers"][name], binary)
            if times is not None:
                within = kept(times, BUDGET_TEXT)[1:] if name.startswith("sansock") else ["–", "–"]
                rows.append([name, number(shape["servers"][name]["cpu_us"]["median"]),
                             number(binary["cpu_us"]["median"]), f"{times:.2f}", *within])
        if rows:
            parts += [f"### {shape['title']}\n",
                      table(["server", "text, µs", "binary, µs", "text / binary", "budget", "kept"], rows)]
    return "\n".join(parts)


def broadcast_text(result):
    """The budget of a broadcast, and that it is encoded once."""
    parts = []
    for shape in result["shapes"]:
        times = ratio(shape, OUR_BROADCAST) if shape["mode"] == "broadcast" else None
        if times is not None:
            value, limit, answer = kept(times, BUDGET_BROADCAST)
            parts.append(f"{OUR_BROADCAST} / {RAW_BROADCAST}, CPU time a delivery: {value}, budget {limit}, "
                         f"kept: {answer}.\n")
    if result["encoded"]:
        encoded = {name: int(value) for name, value in result["encoded"].items()}
        parts.append(f"Counted by the server: {encoded['messages']:,} messages to 1,000 peers each, "
                     f"{encoded['frames_encoded']:,} frames encoded, {encoded['broadcast_missed']:,} deliveries missed.\n")
    return "\n".join(parts)


def shape_table(shape):
    unit, units = {"rate": ("handshake", "handshakes"), "broadcast": ("delivery", "deliveries")}.get(
        shape["mode"], ("message", "messages"))
    rows = []
    for name in by_cost(shape):
        one = shape["servers"][name]
        cpu, against = one["cpu_us"], ratio(shape, name)
        rows.append([
            name, number(cpu["median"]), f"{number(cpu['min'])} – {number(cpu['max'])}", number(one["user_us"]["median"]),
            "–" if against is None else f"{against:.2f}", f"{one['per_s']['median']:,.0f}",
            number(one["p50_us"]["median"]), number(one["p99_us"]["median"]),
            f"{one['server_share']['median']:.0%} / {one['client_share']['median']:.0%}"])
    head = ["server", f"CPU a {unit}, µs", "min – max", "of it user", "× raw", f"{units}/s", "p50, µs", "p99, µs",
            "busy server / load"]
    lines = [f"- {name}: failed: {why}" for name, why in shape["failed"].items()]
    return table(head, rows) + ("\n" + "\n".join(lines) + "\n" if lines else "")


def origin(result):
    """Where and when it was measured."""
    machine_ = result["machine"]
    pinned = "server on one CPU, load on another" if result["pinned"] else "not pinned: there is one CPU only"
    return (f"{result['date']}, revision {result['revision'] or 'unknown'}, {machine_['cpu']}, {machine_['cpus']} CPUs, "
            f"Linux {machine_['kernel']}, load average before {machine_['load_before']}; {pinned}.\n\n"
            "Written by bench/run.py; [README.md](../README.md) tells how to read it.\n")


def markdown(result):
    parts = ["# Echo servers side by side\n", origin(result),
             f"Medians of {result['rounds']} interleaved rounds of {result['seconds']:g} s.\n"]
    if result["packages"]:
        parts.append("Peers: " + ", ".join(f"{name} {version}" for name, version in result["packages"].items()) + ".\n")
    for name, why in result["missing"].items():
        parts.append(f"Not measured: {name} ({why}).\n")
    for title in result["left_out"]:
        parts.append(f"Not measured, the time was over: {title}.\n")
    for head, content in (("CPU time of the server a message, as a ratio to the raw echo", overview(result)),
                          ("Budgets", budgets(result)), ("io_uring and epoll", io_uring_budgets(result)),
                          ("Text and binary", text_tables(result)), ("Broadcast", broadcast_text(result))):
        if content:
            parts += [f"## {head}\n", content]
    if result["shapes"]:
        parts += ["![the same as bars](echo.svg)\n"]
    for shape in result["shapes"]:
        fewer = f"Only {shape['rounds']} rounds: the time was over.\n" if shape["rounds"] < result["rounds"] else ""
        parts += [f"## {shape['title'][0].upper()}{shape['title'][1:]}\n", fewer + shape_table(shape)]
    return "\n".join(parts).rstrip("\n") + "\n"


def write(directory, result):
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "echo.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    (directory / "echo.md").write_text(markdown(result), encoding="utf-8")
    (directory / "echo.svg").write_text(plot.bars(result["shapes"], by_cost, ratio), encoding="utf-8")
