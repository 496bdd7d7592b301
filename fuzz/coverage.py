"""Which lines of engine/ the inputs of the fuzz targets reach: clang's source-based coverage."""

import os
import pathlib
import re
import shutil
import subprocess

GOAL_PERCENT = 95.0


# One stands in for the other, as the build was configured.
ALTERNATIVES = {"engine/src/kernels/no_simd.cpp", "engine/src/kernels/simd.cpp"}

def tool(name):
    for candidate in (name, *(f"{name}-{version}" for version in range(22, 13, -1))):
        if shutil.which(candidate):
            return candidate
    raise SystemExit(f"fuzz: no {name} (Debian: llvm-14)")


def replay(program, inputs, profile):
    done = subprocess.run([program, *inputs], env=os.environ | {"LLVM_PROFILE_FILE": str(profile)}, check=False,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        raise SystemExit(f"fuzz: {program.name} exited with {done.returncode}\n{done.stdout[-3000:]}")


def read_lcov(text):
    """{path: {line: how often}}"""
    files = {}
    lines = {}
    for record in text.splitlines():
        if record.startswith("SF:"):
            lines = files.setdefault(record[3:], {})
        elif record.startswith("DA:"):
            number, count = map(int, record[3:].split(",")[:2])
            lines[number] = max(lines.get(number, 0), count)
    return files


def read_reasons(path):
    """{(file, text of the line): reason}. In the file: a reason, and below it indented `file: text`."""
    reasons = {}
    reason = ""
    for line in path.read_text().splitlines():
        if not line or line.startswith("#"):
            continue
        if line.startswith(" "):
            name, _, text = line.strip().partition(": ")
            reasons[name, text] = reason
        else:
            reason = line
    return reasons


def report(root, build, programs):
    """Replays, prints, and returns the exit status."""
    files = {}
    for program, inputs in programs:
        # Each by itself: what is a template in two programs is not the same function.
        profile = build / f"{program.name}.profraw"
        replay(program, inputs, profile)
        merged = profile.with_suffix(".profdata")
        subprocess.run([tool("llvm-profdata"), "merge", "-sparse", profile, "-o", merged], check=True)
        exported = subprocess.run([tool("llvm-cov"), "export", "-format=lcov", f"-instr-profile={merged}", program],
                                  check=True, stdout=subprocess.PIPE, text=True).stdout
        for path, lines in read_lcov(exported).items():
            relative = os.path.relpath(os.path.realpath(os.path.join(build, path)), root)
            if relative.startswith("engine/"):
                known = files.setdefault(relative, {})
                for number, count in lines.items():
                    known[number] = max(known.get(number, 0), count)
    # A source that is linked into no target has no lines there.
    for source in sorted(pathlib.Path(root, "engine").rglob("*.cpp")):
        relative = os.path.relpath(source, root)
        if relative not in files and relative not in ALTERNATIVES:
            raise SystemExit(f"fuzz: no target uses {relative}")
    return print_report(root, files, read_reasons(root / "fuzz/coverage_exempt.txt"))


def print_report(root, files, reasons):
    total = reached = 0
    unreached = []
    for path, lines in sorted(files.items()):
        hit = sum(count > 0 for count in lines.values())
        total += len(lines)
        reached += hit
        print(f"{100 * hit / max(len(lines), 1):6.1f} %  {hit:4} of {len(lines):4}  {path}")
        text = pathlib.Path(root, path).read_text().splitlines()
        unreached += [(path, number, text[number - 1].strip().rstrip("\\ ")) for number, count in sorted(lines.items()) if count == 0]
    known = {key for key in reasons}
    for path, number, text in unreached:
        # A brace alone belongs to the line before it.
        if re.fullmatch(r"[{}();]*", text):
            continue
        print(f"not reached: {path}:{number}: {text}  ({reasons.get((path, text), 'no reason given')})")
        known.discard((path, text))
    for path, text in sorted(known):
        print(f"reached, although exempt: {path}: {text}")
    percent = 100 * reached / max(total, 1)
    print(f"{percent:.1f} % of the lines of engine/ are reached; the goal is {GOAL_PERCENT} %")
    return 0 if percent >= GOAL_PERCENT else 1
