"""Test cases of a Python program as TAP."""

import subprocess
import sys
import traceback


class Skip(Exception):
    """Why a case can not run here."""


class Failure(Exception):
    """What was expected and what came instead."""


def run(command, **options):
    """Runs a command; its output as text. Failure if it exits with anything but `status` (0)."""
    status = options.pop("status", 0)
    command = [str(word) for word in command]
    options = {"capture_output": True, "text": True, "timeout": 300, "stdin": subprocess.DEVNULL} | options
    if "input" in options:
        del options["stdin"]
    done = subprocess.run(command, **options)
    if done.returncode != status:
        raise Failure(f"{' '.join(command)}\nexited with {done.returncode}, not {status}\n{done.stdout}\n{done.stderr}")
    return done


def expect(condition, what):
    if not condition:
        raise Failure(what)


def main(cases):
    """Runs (name, function) pairs in order; returns the exit status."""
    failed = 0
    for number, (name, case) in enumerate(cases, 1):
        try:
            case()
            print(f"ok {number} - {name}", flush=True)
        except Skip as skip:
            print(f"ok {number} - {name} # SKIP {skip}", flush=True)
        except Exception as error:  # whatever it is, the other cases still run
            failed += 1
            print(f"not ok {number} - {name}", flush=True)
            text = str(error) if isinstance(error, Failure) else traceback.format_exc()
            # To where `meson test --print-errorlogs` shows it.
            print(f"{name}:\n{text}", file=sys.stderr, flush=True)
    print(f"1..{len(cases)}")
    return 1 if failed else 0
