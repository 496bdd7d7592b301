"""The engine's object code calls nothing that allocates, throws, waits, or asks the system."""

import re
import subprocess

from tree import Check, Skip

FORBIDDEN = {
    "allocation": r"(malloc|calloc|realloc|reallocarray|free|posix_memalign|aligned_alloc|memalign|_Zn[wa].*|_Zd[la].*)",
    "exceptions": r"(__cxa_throw|__cxa_rethrow|__cxa_allocate_exception|_Unwind_Raise.*|_ZSt\d+__throw_.*)",
    "input and output": r"(socket|accept4?|connect|bind|listen|shutdown|send|sendto|sendmsg|recv|recvfrom|recvmsg"
                        r"|read|write|readv|writev|open|open64|openat|close|ioctl|fcntl|poll|ppoll|select|pselect"
                        r"|epoll_.*|io_uring_.*|eventfd|syscall|f?printf|f?puts|putchar|fwrite|fopen|getenv|_ZSt4c(out|err|in))",
    "time": r"(clock_gettime|clock|time|gettimeofday|nanosleep|usleep|sleep|timerfd_.*|_ZNSt6chrono.*3nowEv)",
    "threads": r"(pthread_.*|thrd_.*|mtx_.*|_ZNSt6thread.*|__tls_get_addr)",
    "chance": r"(rand|srand|random|getrandom|getentropy|arc4random.*|_ZNSt13random_device.*)",
}


def undefined_symbols(library):
    done = subprocess.run(["nm", "--undefined-only", "--format=posix", library], capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(done.stderr)
    symbols = set()
    for line in done.stdout.splitlines():
        fields = line.split()
        if len(fields) >= 2 and fields[1] in ("U", "w", "v"):
            symbols.add(fields[0].split("@")[0])  # without a version, as in memcpy@GLIBC_2.14
    return symbols


def find_forbidden(library):
    problems = []
    for symbol in sorted(undefined_symbols(library)):
        problems += [f"{symbol}: {what}" for what, pattern in FORBIDDEN.items() if re.fullmatch(pattern, symbol)]
    return problems


def find_mutable_data(library):
    """Global variables: all that is in a writable section, but for constants that the linker relocates."""
    done = subprocess.run(["objdump", "--syms", library], capture_output=True, text=True, check=True)
    problems = []
    for line in done.stdout.splitlines():
        match = re.match(r"^[0-9a-f]+ .{7} (\.(?:data|bss|tdata|tbss)\S*)\s+([0-9a-f]+)\s+(\S.*)$", line)
        if match and not match.group(1).startswith(".data.rel.ro") and int(match.group(2), 16) != 0:
            problems.append(f"{match.group(3)}: a variable in {match.group(1)}")
    return problems


def library_of(tree, tools):
    """The engine's library; for a planted tree, one object made of its sources."""
    sources = [tree.root / path for path in tree.files]
    if (tree.root / "meson.build").exists():
        if tools.engine_library is None:
            raise Skip("no engine library was named")
        return tools.engine_library
    library = tree.root / "planted.o"
    subprocess.run([*tools.compiler, "-std=c++20", "-O1", "-c", "-o", library, *sources], check=True)
    return library


_GOOD = {"plain computation": {
    "a.cpp": "#include <cstring>\nnamespace { const char* const names[] = {\"a\", \"b\"}; }\n"
             "void f(char* a, const char* b, int n) { std::memcpy(a, b, 77); a[0] = *names[n]; }\n"}}

CHECKS = [
    Check(
        "the engine library calls nothing forbidden",
        lambda tree, tools: find_forbidden(library_of(tree, tools)),
        bad={
            "malloc": {"a.cpp": "#include <cstdlib>\nvoid* f() { return std::malloc(7); }\n"},
            "operator new": {"a.cpp": "#include <string>\nstd::string f(const char* s) { return s; }\n"},
            "throw": {"a.cpp": "void f() { throw 1; }\n"},
            "a throwing container call": {"a.cpp": "#include <string>\nint f(const std::string& s) { return s.at(9); }\n"},
            "a system call": {"a.cpp": "#include <unistd.h>\nlong f(char* p) { return read(0, p, 1); }\n"},
            "a clock": {"a.cpp": "#include <chrono>\nauto f() { return std::chrono::steady_clock::now(); }\n"},
            "a mutex": {"a.cpp": "#include <pthread.h>\nint f(pthread_mutex_t* m) { return pthread_mutex_lock(m); }\n"},
            "printf": {"a.cpp": "#include <cstdio>\nvoid f(int i) { std::printf(\"%d\", i); }\n"},
        }, good=_GOOD),
    Check(
        "the engine library has no variables",
        lambda tree, tools: find_mutable_data(library_of(tree, tools)),
        bad={
            "a global": {"a.cpp": "int count = 3;\nint f() { return ++count; }\n"},
            "a zeroed static": {"a.cpp": "int f() { static int count; return ++count; }\n"},
            "a thread_local": {"a.cpp": "thread_local int count = 1;\nint f() { return ++count; }\n"},
        }, good=_GOOD),
]
