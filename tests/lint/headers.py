"""Every public header compiles alone, and every source under clang++ too, without a warning."""

import concurrent.futures
import json
import os
import pathlib
import shlex
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


def in_parallel(function, items):
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        return [problem for problems in pool.map(function, items) for problem in problems]


def find_with(compiler, tree):
    if not shutil.which(compiler[0]):
        raise Skip(f"no {compiler[0]}")
    headers = public_headers(tree)
    if not headers:
        return ["there are no public headers"]
    return in_parallel(lambda header: compile_alone(tree, compiler, header), headers)


def compile_with_clang(entry):
    """Repeats a compile command of the build with clang++, up to the object code."""
    words = shlex.split(entry["command"])
    first = next(index for index, word in enumerate(words) if word.startswith("-"))  # behind `ccache c++`
    # -o, -MF and -MQ have an argument; they name files that must not be touched.
    kept = [word for before, word in zip(words[first - 1:], words[first:])
            if word not in ("-o", "-MD", "-MF", "-MQ") and before not in ("-o", "-MF", "-MQ")]
    command = ["clang++", *kept, "-fsyntax-only", "-Wno-unused-command-line-argument", "-Wno-unknown-warning-option"]
    done = subprocess.run(command, cwd=entry["directory"], capture_output=True, text=True)
    return [] if done.returncode == 0 else [f"{entry['file']}: {done.stderr.strip()}"]


def find_clang_warnings(tree, tools):
    if not shutil.which("clang++"):
        raise Skip("no clang++")
    if (tree.root / "meson.build").exists():
        if tools.build is None:
            raise Skip("no build directory was named")
        entries = json.loads((tools.build / "compile_commands.json").read_text())
    else:
        command = "ccache c++ -std=c++20 -Wall -Wextra -Werror -MD -MQ a.o -MF a.d -o a.o -c "
        entries = [{"directory": tree.root, "file": path, "command": command + path.as_posix()} for path in tree.files]
    shipped = [
        entry for entry in entries
        if not (pathlib.Path(entry["directory"]) / entry["file"]).resolve().is_relative_to(tree.root / "tests")
    ]
    return in_parallel(compile_with_clang, shipped) if shipped else ["the build compiles nothing"]


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
    Check("sources compile under clang++", find_clang_warnings,
          bad={"an unused variable": {"a.cpp": "int f() {\n  int a = 1;\n  return 2;\n}\n"},
               "what only g++ takes": {"a.cpp": "int f(int n) {\n  auto g = [&]() __attribute__((nonsense)) {};\n  g();\n  return n;\n}\n"}},
          good={"clean code": {"a.cpp": "int f() { return 2; }\n"}}),
]
