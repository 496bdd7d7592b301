"""What the Python tests of the programs share: TAP output and the programs as child processes."""
import asyncio
import atexit
import inspect
import logging
import os
import random
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import traceback

START_TIMEOUT_S = 60  # only a bound for a hang: sanitizer builds start slowly
CASE_TIMEOUT_S = 120

SIZES = [0, 1, 125, 126, 65535, 65536, 1 << 20, 16 << 20]


class Failure(Exception):
    """A check that did not hold."""


def check(condition, text):
    if not condition:
        raise Failure(text)


def check_equal(found, wanted, what):
    if found != wanted:
        raise Failure(f"{what}: found {shorten(found)}, wanted {shorten(wanted)}")


def shorten(value):
    text = repr(value)
    return text if len(text) <= 200 else f"{text[:100]}… ({len(value)} long)"


class Tap:
    """Runs cases and prints the Test Anything Protocol. Use: @tap.case("name") above a function, which
    may be a coroutine, then sys.exit(tap.run())."""

    def __init__(self):
        self.cases = []

    def case(self, name):
        def add(function):
            self.cases.append((name, function))
            return function
        return add

    def run(self):
        failed = 0
        for number, (name, function) in enumerate(self.cases, 1):
            problem = run_case(function)
            if problem is None:
                print(f"ok {number} - {name}", flush=True)
                continue
            failed += 1
            print(f"not ok {number} - {name}")
            for line in problem.splitlines():
                print(f"# {line}")
            sys.stdout.flush()
        print(f"1..{len(self.cases)}", flush=True)
        return 1 if failed else 0


def run_case(function):
    try:
        if inspect.iscoroutinefunction(function):
            asyncio.run(asyncio.wait_for(function(), CASE_TIMEOUT_S))
        else:
            function()
        return None
    except Failure as failure:
        return str(failure)
    except Exception:  # a test's own mistake, or a peer's exception: both are failures of the case
        return traceback.format_exc()


def skip_all(reason):
    print(f"1..0 # SKIP {reason}")
    sys.exit(0)


def skip_without_adapter(program, adapter):
    """Where the kernel, a container or an administrator refuses io_uring, `program` says so."""
    if adapter == "io_uring":
        result = run_program(program, "--adapter", adapter, "--help")
        if result.returncode != 0:
            skip_all(result.stderr.strip())


def skip_without_deflate(program):
    """Where compression is not built in, `program` says so."""
    result = run_program(program, "--deflate", "on", "--help")
    if result.returncode != 0:
        skip_all(result.stderr.strip())


def import_websockets():
    """python3-websockets; without it nothing is tested."""
    try:
        import websockets
    except ImportError:
        skip_all("no python3-websockets")
    # Handlers that end with a connection are part of what is tested here.
    logging.getLogger("websockets").setLevel(logging.CRITICAL)
    return websockets


async def echo(ws):
    async for message in ws:
        await ws.send(message)


class Served:
    """A server of python3-websockets for one case, with TLS if `ssl` is a context:
    `async with Served(handler, …) as url`."""

    def __init__(self, handler, **options):
        self.handler = handler
        self.options = options

    async def __aenter__(self):
        self.server = await import_websockets().serve(self.handler, "127.0.0.1", 0, max_size=None,
                                                      ping_interval=None, **self.options)
        scheme = "wss" if self.options.get("ssl") else "ws"
        return f"{scheme}://127.0.0.1:{self.server.sockets[0].getsockname()[1]}"

    async def __aexit__(self, *_):
        self.server.close()
        await self.server.wait_closed()


def check_echoed(result, messages):
    """`result` is that of an echo_client that got all of its messages back."""
    check_equal((result.returncode, result.stderr), (0, ""), "exit code and stderr")
    check(result.stdout.startswith(f"echoed {messages} messages"), f"the summary is {result.stdout}")


class Program:
    """A server program: started, its ready line awaited; use it in a `with`."""

    def __init__(self, *arguments):
        self.process = subprocess.Popen([str(a) for a in arguments], stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True)
        atexit.register(self.kill)  # a failed case may leave it running
        self.stderr = []
        # Drained all the time: a full pipe would stop the program.
        self.reader = threading.Thread(target=self.read_stderr, daemon=True)
        self.reader.start()
        timer = threading.Timer(START_TIMEOUT_S, self.process.kill)
        timer.start()
        self.ready_line = self.process.stdout.readline().rstrip("\n")
        timer.cancel()
        if not self.ready_line.startswith("listening on "):
            self.process.kill()
            self.process.wait()
            self.reader.join()
            raise Failure(f"{arguments[0]} did not start: {self.ready_line}{''.join(self.stderr)}")
        self.url = self.ready_line.removeprefix("listening on ")
        port = re.search(r":(\d+)/$", self.url)
        self.port = int(port.group(1)) if port else 0
        self.pid = self.process.pid

    def read_stderr(self):
        for line in self.process.stderr:
            self.stderr.append(line)
            if len(self.stderr) > 1000:
                del self.stderr[:500]

    def kill(self):
        if self.alive():
            self.process.kill()
            self.process.wait()

    def alive(self):
        return self.process.poll() is None

    def stop(self, with_signal=signal.SIGTERM):
        """Ends the program in good order; returns its exit code."""
        if self.alive():
            self.process.send_signal(with_signal)
        try:
            code = self.process.wait(START_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise Failure(f"the program did not end {START_TIMEOUT_S} s after signal {with_signal}")
        self.reader.join(5)
        return code

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        code = self.stop()
        if kind is None and code != 0:
            raise Failure(f"the program ended with {code}: {''.join(self.stderr)}")


def run_program(*arguments, timeout=START_TIMEOUT_S):
    """Runs a program to its end; the result has returncode, stdout, stderr."""
    return subprocess.run([str(a) for a in arguments], capture_output=True, text=True, timeout=timeout,
                          check=False)


async def run_program_async(*arguments, timeout=CASE_TIMEOUT_S):
    """run_program() beside the servers of this event loop."""
    return await asyncio.to_thread(run_program, *arguments, timeout=timeout)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def socket_path():
    """A short path for a Unix socket (they have 107 bytes at most), in a directory of its own."""
    return os.path.join(tempfile.mkdtemp(prefix="sansock-"), "s")


def payload(size, number=0):
    """Bytes in which every cut, swap and repetition of a part shows."""
    seed = (number * 2654435761 + 12345) & 0xFFFFFFFF
    block = b"".join(((seed + i * 40503) & 0xFFFFFFFF).to_bytes(4, "little") for i in range(4093))
    return (block * (size // len(block) + 1))[:size]


def text(size):
    """Text of `size` bytes of UTF-8, with characters of one to four bytes."""
    unit = "aé€😀~"
    whole, rest = divmod(size, len(unit.encode()))
    return unit * whole + "." * rest


def mixed_messages():
    """Text and binary of 0 B to 1 MiB: what shrinks a lot, a little and not at all, some of it again and
    again, so that it refers to what was sent before."""
    messages = []
    for size in (0, 1, 63, 64, 125, 126, 1000, 1023, 1024, 5000, 65535, 65536, 1 << 20):
        noise = random.Random(size).randbytes(size)
        messages += [text(size), payload(size, size), noise, bytes(size), noise[:3000], text(200)]
    return messages
