"""The layers: the engine includes nothing of the system, the adapters only the engine's public headers."""

import re

import cpp_text
from tree import Check

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.MULTILINE)

# Headers of the language that bring no I/O, clock, thread, stream or allocation along when used as
# the engine does. <chrono> for durations only: symbols.py finds a clock. <new> for placement only,
# <string> for std::error_category::message() only: symbols.py finds an allocation.
ENGINE_ALLOWED = {
    "algorithm", "array", "atomic", "bit", "cassert", "chrono", "compare", "concepts", "cstddef", "cstdint",
    "cstdlib", "cstring", "initializer_list", "iterator", "limits", "new", "optional", "span", "string",
    "string_view", "system_error", "tuple", "type_traits", "utility", "version",
    # Vectors, for the kernels alone.
    "hwy/foreach_target.h", "hwy/highway.h",
}
ENGINE_ROOTS = ("engine/include", "engine/src")
ADAPTER_ROOTS = ("adapters/include", "adapters/src", "adapters/src/client", "adapters/src/server", "engine/include")


def includes(tree, path):
    """[(line, '<' or '"', name)] of the includes that are not commented out."""
    text = tree.text(path)
    blank = cpp_text.without_comments(text)
    found = []
    for match in INCLUDE.finditer(text):
        if blank[match.start():].lstrip().startswith("#"):
            found.append((text.count("\n", 0, match.start()) + 1, match.group(1), match.group(2)))
    return found


def resolve(tree, path, name, roots):
    """Where a quoted include leads, among `roots` and the includer's own directory."""
    for directory in (path.parent, *roots):
        target = tree.root / directory / name
        if target.is_file():
            return target.resolve().relative_to(tree.root.resolve()).as_posix()
    return None


def find_engine_includes(tree, _tools):
    problems = []
    for path in tree.under("engine"):
        for line, kind, name in includes(tree, path):
            if kind == "<" and name not in ENGINE_ALLOWED:
                problems.append(f"{path}:{line}: <{name}> is not on the list of the engine's includes")
            if kind == '"':
                target = resolve(tree, path, name, ENGINE_ROOTS)
                if target is None or not target.startswith("engine/"):
                    problems.append(f'{path}:{line}: "{name}" is not a file of the engine')
    return problems


def find_adapter_includes(tree, _tools):
    problems = []
    for path in tree.under("adapters"):
        for line, kind, name in includes(tree, path):
            if kind == '"':
                target = resolve(tree, path, name, ADAPTER_ROOTS)
                if target is None or not target.startswith(("adapters/", "engine/include/")):
                    problems.append(f'{path}:{line}: "{name}" is neither of the adapters nor a public engine header')
            elif name.startswith("sansock/"):
                problems.append(f"{path}:{line}: include sansock's own headers with quotes")
    for path in tree.files:
        if path.as_posix() == "adapters/meson.build" and "engine/src" in tree.text(path):
            problems.append(f"{path}: the adapters must not see engine/src")
    return problems


CHECKS = [
    Check(
        "the engine includes only what is on its list", find_engine_includes,
        bad={"a system header": {"engine/src/a.cpp": "#include <sys/socket.h>\n"},
             "a stream": {"engine/include/sansock/a.h": "#include <iostream>\n"},
             "a thread": {"engine/src/a.cpp": "  #  include <mutex>\n"},
             "a container": {"engine/src/a.cpp": "#include <vector>\n"},
             "an adapter's header": {"engine/src/a.cpp": '#include "sansock/driver.h"\n',
                                     "adapters/include/sansock/driver.h": ""}},
        good={"the list": {"engine/src/a.cpp": '#include <span>\n// #include <vector>\n#include "b.h"\n',
                           "engine/src/b.h": ""}}),
    Check(
        "the adapters include only the engine's public headers", find_adapter_includes,
        bad={"an inner header": {"adapters/src/a.cpp": '#include "opcode.h"\n', "engine/src/opcode.h": ""},
             "an inner header by its path": {"adapters/src/a.cpp": '#include "../../engine/src/opcode.h"\n',
                                             "engine/src/opcode.h": ""},
             "the inner directory in meson.build": {"adapters/meson.build": "include_directories('../engine/src')"}},
        good={"public headers": {"adapters/src/a.cpp": '#include <poll.h>\n#include "sansock/types.h"\n#include "b.h"\n',
                                 "adapters/src/b.h": "", "engine/include/sansock/types.h": ""}}),
]
