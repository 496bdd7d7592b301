"""The results of run.py as Markdown, as a plot and as JSON."""

import json
import os
import platform
import subprocess

import plot

RAW = "raw epoll"
OURS = "sansock epoll"
# CPU time a message against a raw echo, for messages up to 16 KiB and for larger ones.
BUDGET_RATIO = 1.10
BUDGET_RATIO_LARGE = 1.40
BUDGET_SIZE_MAX = 16384


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


def ratio(shape, name):
    """CPU time a message against the raw echo; None if one of them is missing."""
    raw, one = shape["servers"].get(RAW), shape["servers"].get(name)
    if raw is None or one is None or raw["cpu_us"]["median"] == 0:
        return None
    return one["cpu_us"]["median"] / raw["cpu_us"]["median"]


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


def overview(result):
    """One line a shape, one column a server: the ratios."""
    names = []
    for shape in result["shapes"]:
        names += [name for name in shape["servers"] if name not in names and name != RAW]
    rows = []
    for shape in result["shapes"]:
        ratios = [ratio(shape, name) for name in names]
        raw = shape["servers"].get(RAW)
        rows.append([shape["title"], number(raw["cpu_us"]["median"]) if raw else "–",
                     *("–" if one is None else f"{one:.2f}" for one in ratios)])
    return table(["shape", "raw epoll, µs", *names], rows)


def budgets(result):
    """Ours against what was promised: the raw echo times so much, and no peer below us."""
    rows = []
    for shape in result["shapes"]:
        ours = ratio(shape, OURS)
        if ours is None or shape["mode"] != "echo":
            continue
        limit = BUDGET_RATIO if shape["size"] <= BUDGET_SIZE_MAX else BUDGET_RATIO_LARGE
        peers = [name for name in by_cost(shape) if name != RAW and not name.startswith("sansock")]
        best = f"{peers[0]} {ratio(shape, peers[0]):.2f}" if peers else "–"
        ahead = "–" if not peers else "yes" if ours <= ratio(shape, peers[0]) else "no"
        rows.append([shape["title"], f"{ours:.2f}", f"{limit:.2f}", "yes" if ours <= limit else "no", best, ahead])
    return table(["shape", f"{OURS} / raw", "budget", "kept", "best peer", "at or below it"], rows) if rows else ""


def shape_table(shape):
    unit = "handshake" if shape["mode"] == "rate" else "message"
    rows = []
    for name in by_cost(shape):
        one = shape["servers"][name]
        cpu, against = one["cpu_us"], ratio(shape, name)
        rows.append([
            name, number(cpu["median"]), f"{number(cpu['min'])} – {number(cpu['max'])}", number(one["user_us"]["median"]),
            "–" if against is None else f"{against:.2f}", f"{one['per_s']['median']:,.0f}",
            number(one["p50_us"]["median"]), number(one["p99_us"]["median"]),
            f"{one['server_share']['median']:.0%} / {one['client_share']['median']:.0%}"])
    head = ["server", f"CPU a {unit}, µs", "min – max", "of it user", "× raw", f"{unit}s/s", "p50, µs", "p99, µs",
            "busy server / load"]
    lines = [f"- {name}: failed: {why}" for name, why in shape["failed"].items()]
    return table(head, rows) + ("\n" + "\n".join(lines) + "\n" if lines else "")


def idle_table(idle):
    rows = [[name, number(one["opened_bytes_each"]), number(one["used_bytes_each"])]
            for name, one in sorted(idle["servers"].items(), key=lambda item: item[1]["used_bytes_each"])]
    lines = [f"- {name}: failed: {why}" for name, why in idle["failed"].items()]
    return table(["server", "bytes after opening", f"after an echo of {idle['size']:,} B"], rows) + "\n" + "\n".join(lines)


def markdown(result):
    machine_ = result["machine"]
    pinned = "server on one CPU, load on another" if result["pinned"] else "not pinned: there is one CPU only"
    parts = [
        "# Echo servers side by side\n",
        f"{result['date']}, revision {result['revision'] or 'unknown'}, {machine_['cpu']}, {machine_['cpus']} CPUs, "
        f"Linux {machine_['kernel']}, load average before {machine_['load_before']}; {pinned}; "
        f"medians of {result['rounds']} interleaved rounds of {result['seconds']:g} s.\n",
        "Written by bench/run.py; [README.md](../README.md) tells how to read it.\n",
    ]
    if result["packages"]:
        parts.append("Peers: " + ", ".join(f"{name} {version}" for name, version in result["packages"].items()) + ".\n")
    for name, why in result["missing"].items():
        parts.append(f"Not measured: {name} ({why}).\n")
    if result["shapes"]:
        parts += ["## CPU time of the server a message, as a ratio to the raw echo\n", overview(result)]
    if budget_table := budgets(result):
        parts += ["## Budgets\n", budget_table]
    if result["shapes"]:
        parts += ["![the same as bars](echo.svg)\n"]
    for shape in result["shapes"]:
        parts += [f"## {shape['title'][0].upper()}{shape['title'][1:]}\n", shape_table(shape)]
    if result["idle"]:
        parts += [f"## Memory of {result['idle']['connections']:,} idle connections\n", idle_table(result["idle"])]
    return "\n".join(parts).rstrip("\n") + "\n"


def write(directory, result):
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "echo.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    (directory / "echo.md").write_text(markdown(result), encoding="utf-8")
    (directory / "echo.svg").write_text(plot.bars(result["shapes"], by_cost, ratio), encoding="utf-8")
