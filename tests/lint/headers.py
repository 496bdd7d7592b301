"""Every public header compiles alone, without a warning."""

import concurrent.futures
import os
import shutil
import subprocess

from tree import Check, Skip

FLAGS = ["-std=c++20", "-fsyntax-only", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Werror", "-x", "c++", "-"]
INCLUDE_ROOTS = ("engine/include", "adapters/include")


def public_headers(tree):
    """As users include them, once each: sansock/types.h."""
    return sorted({
        path.relative_to(root).as_posix()
        for root in INCLUDE_ROOTS for path in tree.under(root, suffixes={".h"})
    })


def compile_alone(tree, compiler, header):
    flags = [f"-I{tree.root / root}" for root in INCLUDE_ROOTS]
    # Twice: the second time finds a missing include guard.
    source = f'#include "{header}"\n#include "{header}"\n'
    done = subprocess.run([*compiler, *flags, *FLAGS], input=source, capture_output=True, text=True)
    return [] if done.returncode == 0 else [f"{header}: {done.stderr.strip()}"]


def find_with(compiler, tree):
    if not shutil.which(compiler[0]):
        raise Skip(f"no {compiler[0]}")
    headers = public_headers(tree)
    if not headers:
        return ["there are no public headers"]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        results = pool.map(lambda header: compile_alone(tree, compiler, header), headers)
        return [problem for problems in results for problem in problems]


_BAD = {
    "a missing include": {"engine/include/sansock/a.h": "#pragma once\ninline std::uint8_t a() { return 1; }\n"},
    "a warning": {"engine/include/sansock/a.h": "#pragma once\ninline char a(int i) { return i; }\n"},
    "no include guard": {"engine/include/sansock/a.h": "struct A {};\n"},
}
_GOOD = {"a whole header": {"adapters/include/sansock/a.h": "#pragma once\nstruct A {};\n"}}

CHECKS = [
    Check("public headers compile alone (the build's compiler)",
          lambda tree, tools: find_with(tools.compiler, tree), _BAD, _GOOD),
    Check("public headers compile alone (clang++)",
          lambda tree, tools: find_with(["clang++"], tree), _BAD, _GOOD),
]
