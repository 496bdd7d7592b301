#!/usr/bin/python3
"""Builds and runs the fuzz targets; what `./dev fuzz` does.

usage: run.py                    lists the targets
       run.py TARGET SECONDS     fuzzes on all cores, then keeps the corpus small; exits with 1 on a crash
       run.py all SECONDS        each target in turn
       run.py smoke              each target briefly, and that the planted bug is found
       run.py save [TARGET...]   takes the best of what was found into fuzz/corpus
       run.py --coverage         line coverage of engine/ by all inputs; exits with 1 below the goal
"""

import concurrent.futures
import dataclasses
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True

import coverage
import seeds

ROOT = pathlib.Path(__file__).resolve().parents[1]
BUILD = ROOT / "build-fuzz"
CRASH_STATUS = 77
# Of one input; far above what any takes, since machines are slow at times.
INPUT_SECONDS_MAX = 30
MEMORY_MB_MAX = 2048
# What fuzz/corpus may hold of one target.
SAVED_FILES_MAX = 150
SAVED_BYTES_MAX = 30_000


@dataclasses.dataclass(frozen=True)
class Target:
    name: str
    holds: str
    length_max: int  # of an input, in bytes
    smoke_runs: int


TARGETS = [
    Target("connection", "one connection under any inputs and commands keeps every rule of connection.h", 1500, 8000),
    Target("split", "the same bytes in other reads give the same events, output and end", 1500, 5000),
    Target("pair", "what one side sends arrives at the other, once and in order", 600, 3000),
    Target("handshake", "what either side accepts is plausible; what is refused has a status", 2000, 60000),
    Target("extension_list", "lists, hosts and origins agree with a second opinion", 400, 60000),
    Target("deflate_negotiation", "permessage-deflate is agreed on as a second opinion has it, by both sides", 400, 40000),
    Target("url", "an URL written out again parses to the same", 300, 100000),
    Target("kernels", "masking and UTF-8 agree with the obvious loops, everywhere", 600, 1500),
    Target("model", "the engine agrees with the byte-at-a-time reference", 1000, 4000),
    Target("adapter", "the epoll loop under failing system calls leaks, hangs and spins never", 800, 4000),
    Target("deflate_codec", "compression agrees with zlib and a slow decoder, both ways", 600, 800),
    Target("tls", "over TLS what arrives was sent, whatever is done to the ciphertext; no truncated end is clean", 400, 1500),
    Target("canary", "is found: a bug that is planted", 64, 30_000_000),
]
BY_NAME = {target.name: target for target in TARGETS}


class Problem(Exception):
    """What keeps the fuzzers from running."""


def say(text):
    print(text, flush=True)


def find_compiler():
    """A clang++ that has libFuzzer, or Problem."""
    names = ["clang++", *(f"clang++-{version}" for version in range(22, 13, -1))]
    with tempfile.TemporaryDirectory() as directory:
        source = pathlib.Path(directory, "probe.cpp")
        source.write_text('extern "C" int LLVMFuzzerTestOneInput(const unsigned char*, unsigned long) { return 0; }\n')
        for name in names:
            command = [name, "-fsanitize=fuzzer,address,undefined", source, "-o", source.with_suffix("")]
            if shutil.which(name) and subprocess.run(command, capture_output=True, check=False).returncode == 0:
                return name
    raise Problem("no clang with libFuzzer (Debian: clang, libclang-rt-14-dev)")


def configure(build, options):
    compiler = find_compiler()
    environment = os.environ | {"CXX": f"ccache {compiler}" if shutil.which("ccache") else compiler}
    # A compiler of another build must not leak in.
    for name in ("CC", "CXXFLAGS", "CPPFLAGS", "LDFLAGS"):
        environment.pop(name, None)
    options = ["-Dexamples=disabled", "-Dwerror=false", *options]
    stamp = build / ".run-options"
    if not (build / "build.ninja").exists():
        run_quietly(["meson", "setup", build, ROOT, *options], environment)
    elif not stamp.exists() or stamp.read_text() != repr(options):
        run_quietly(["meson", "configure", build, *options], environment)
    stamp.write_text(repr(options))
    run_quietly(["ninja", "-C", build, "fuzz"], environment)


def run_quietly(command, environment=None):
    """Shows what a command says only if it fails."""
    done = subprocess.run(command, env=environment, text=True, errors="replace", check=False,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode != 0:
        raise Problem(f"{' '.join(map(str, command))}\nexited with {done.returncode}\n{done.stdout[-6000:]}")
    return done.stdout


def build_fuzzers():
    configure(BUILD, ["-Dfuzz=enabled", "-Dtests=enabled", "-Db_sanitize=address,undefined", "-Db_lundef=false",
                      "-Dbuildtype=debugoptimized", "-Doptimization=1"])
    seeds.main([str(BUILD / "seeds"), str(ROOT / "tests/golden")])


def given_inputs(target):
    """The directories of inputs that are there without any fuzzing."""
    directories = [BUILD / "seeds" / target.name, ROOT / "fuzz/corpus" / target.name,
                   ROOT / "fuzz/regressions" / target.name]
    return [directory for directory in directories if directory.is_dir()]


def fuzzer(target, *arguments):
    """A command. Artifacts go to build-fuzz/crashes."""
    crashes = BUILD / "crashes"
    crashes.mkdir(parents=True, exist_ok=True)
    return [BUILD / "fuzz" / target.name, f"-max_len={target.length_max}", f"-timeout={INPUT_SECONDS_MAX}",
            f"-rss_limit_mb={MEMORY_MB_MAX}", f"-dict={ROOT / 'fuzz/dictionary.txt'}",
            f"-artifact_prefix={crashes}/{target.name}-", "-print_final_stats=1", *arguments]


def environment():
    # The stack of a failed check is worth more than a second report of the same leak.
    return os.environ | {"ASAN_OPTIONS": "detect_stack_use_after_return=1:strict_string_checks=1:allocator_may_return_null=1",
                         "UBSAN_OPTIONS": "print_stacktrace=1"}


def crash_report(target, log):
    """What broke, in the words of the log, and how to see it again."""
    path = re.search(r"Test unit written to (\S+)", log)
    lines = [line for line in log.splitlines()
             if re.search(r"does not hold|SUMMARY|ERROR:|runtime error|: Failure", line)]
    report = [f"{target.name}: an input breaks it", *lines[:6]]
    if path:
        shown = os.path.relpath(path.group(1), ROOT)
        report += [f"the input:  {shown}", f"again:      build-fuzz/fuzz/{target.name} {shown}",
                   f"smaller:    build-fuzz/fuzz/{target.name} -minimize_crash=1 -runs=100000 {shown}"]
    else:
        report += log.splitlines()[-20:]
    return "\n".join(report)


def executions(log):
    found = re.search(r"stat::number_of_executed_units:\s*(\d+)", log)
    return int(found.group(1)) if found else 0


def coverage_of(log):
    """(edges, features, inputs) of the last line that tells."""
    found = re.findall(r"cov: (\d+) ft: (\d+) corp: (\d+)", log)
    return tuple(map(int, found[-1])) if found else (0, 0, 0)


# --- fuzzing ------------------------------------------------------------------------------------------

def fuzz(target, seconds):
    """Fuzzes on all cores. Returns the report of a crash, or None."""
    corpus = BUILD / "corpus" / target.name
    corpus.mkdir(parents=True, exist_ok=True)
    logs = BUILD / "logs"
    logs.mkdir(exist_ok=True)
    began = time.monotonic()
    workers = []
    for index in range(os.cpu_count() or 1):
        command = fuzzer(target, f"-max_total_time={seconds}", f"-seed={int(time.time()) + index}", "-reload=1",
                         corpus, *given_inputs(target))
        log = open(logs / f"{target.name}-{index}.log", "w+b")
        workers.append((subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                         env=environment()), log))
    failed = wait_for_all_or_one_crash(workers)
    texts = []
    for process, log in workers:
        log.seek(0)
        texts.append(log.read().decode(errors="replace"))
        log.close()
    count = sum(map(executions, texts))
    rate = int(count / max(time.monotonic() - began, 1))
    if failed is not None:
        return crash_report(target, texts[failed])
    edges, features, inputs = minimise(target)
    say(f"{target.name}: {count} executions, {rate} a second; {edges} edges, {features} features, {inputs} inputs kept")
    return None


def wait_for_all_or_one_crash(workers):
    """The index of the first worker that ended badly; the others are then stopped."""
    while any(process.poll() is None for process, _ in workers):
        time.sleep(0.2)
        for index, (process, _) in enumerate(workers):
            if process.poll() not in (None, 0):
                for other, _ in workers:
                    if other.poll() is None:
                        other.terminate()
                        other.wait()
                return index
    bad = [index for index, (process, _) in enumerate(workers) if process.returncode != 0]
    return bad[0] if bad else None


def minimise(target):
    """Keeps of the corpus what adds coverage; returns what that is."""
    corpus = BUILD / "corpus" / target.name
    merged = corpus.with_suffix(".merged")
    shutil.rmtree(merged, ignore_errors=True)
    merged.mkdir()
    run_quietly(fuzzer(target, "-merge=1", merged, corpus, *given_inputs(target)), environment())
    shutil.rmtree(corpus)
    merged.rename(corpus)
    return coverage_of(run_quietly(fuzzer(target, "-runs=0", corpus), environment()))


def fuzz_named(name, seconds):
    chosen = TARGETS if name == "all" else [BY_NAME[name]]
    build_fuzzers()
    crashes = []
    for target in chosen:
        if target.name == "canary":
            report = smoke(target)
            if report is None:
                say("canary: the planted bug was found")
        else:
            report = fuzz(target, seconds)
        if report is not None:
            crashes.append(report)
            say(report)
    return 1 if crashes else 0


# --- the short run ------------------------------------------------------------------------------------

def smoke(target):
    """A run that is bounded by work, not by time. Returns what is wrong, or None."""
    with tempfile.TemporaryDirectory() as corpus:
        # A planted bug is no crash to be kept.
        away = [f"-artifact_prefix={corpus}/"] if target.name == "canary" else []
        command = fuzzer(target, "-seed=1", f"-runs={target.smoke_runs}", *away, corpus, *given_inputs(target))
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              env=environment(), check=False)
        log = done.stdout.decode(errors="replace")
    if target.name == "canary":
        if done.returncode == CRASH_STATUS and "the planted bug was found" in log:
            return None
        return f"canary: the planted bug was not found in {executions(log)} executions\n{log[-2000:]}"
    if done.returncode != 0:
        return crash_report(target, log)
    if executions(log) < target.smoke_runs:
        return f"{target.name}: only {executions(log)} of {target.smoke_runs} executions\n{log[-2000:]}"
    return None


def smoke_all():
    build_fuzzers()
    status = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for target, report in zip(TARGETS, pool.map(smoke, TARGETS)):
            say(report if report is not None else f"{target.name}: fine")
            status |= report is not None
    return status


# --- what is kept in the repository -------------------------------------------------------------------

def save(names):
    build_fuzzers()
    for target in [BY_NAME[name] for name in names] or TARGETS:
        if target.name == "canary":
            continue
        found = BUILD / "corpus" / target.name
        saved = ROOT / "fuzz/corpus" / target.name
        with tempfile.TemporaryDirectory() as merged:
            sources = [directory for directory in (saved, found) if directory.is_dir()]
            run_quietly(fuzzer(target, "-merge=1", merged, *sources), environment())
            shutil.rmtree(saved, ignore_errors=True)
            saved.mkdir(parents=True)
            kept = choose(pathlib.Path(merged))
            for path in kept:
                shutil.copy(path, saved / path.name[:12])
        say(f"{target.name}: {len(kept)} inputs")
    return 0


def choose(directory):
    """Within the limits: an even choice over the sizes, since what is large reaches what is deep."""
    paths = sorted(directory.iterdir(), key=lambda path: (path.stat().st_size, path.name))
    for step in range(1, len(paths) + 1):
        kept = paths[::step]
        if len(kept) <= SAVED_FILES_MAX and sum(path.stat().st_size for path in kept) <= SAVED_BYTES_MAX:
            return kept
    return []


def measure_coverage():
    build = ROOT / "build-fuzz-coverage"
    configure(build, ["-Dfuzz=disabled", "-Dtests=enabled", "-Dbuildtype=debug",
                      "-Dcpp_args=-fprofile-instr-generate -fcoverage-mapping",
                      "-Dcpp_link_args=-fprofile-instr-generate"])
    seeds.main([str(BUILD / "seeds"), str(ROOT / "tests/golden")])
    programs = []
    for target in TARGETS:
        grown = BUILD / "corpus" / target.name
        inputs = [*given_inputs(target), *([grown] if grown.is_dir() else [])]
        programs.append((build / "fuzz" / f"replay_{target.name}", inputs))
    return coverage.report(ROOT, build, programs)


def main(arguments):
    if not arguments:
        for target in TARGETS:
            say(f"{target.name:15} {target.holds}")
        return 0
    verb, rest = arguments[0], arguments[1:]
    if verb == "--coverage" and not rest:
        return measure_coverage()
    if verb == "smoke" and not rest:
        return smoke_all()
    if verb == "save" and all(name in BY_NAME for name in rest):
        return save(rest)
    if (verb == "all" or verb in BY_NAME) and len(rest) == 1 and rest[0].isdigit():
        return fuzz_named(verb, int(rest[0]))
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except Problem as problem:
        print(f"fuzz: {problem}", file=sys.stderr)
        sys.exit(1)
