"""The text of the files: format, leftovers, paths of somebody's machine."""

import pathlib
import re
import shutil
import subprocess

from tree import Check, Skip

# Written so that this file does not find itself.
MACHINE_PATH = re.compile(r"(?<![\w./~-])/(?:wo" r"rk|ho" r"me|ro" r"ot)(?:/|\b)")
LEFTOVER = re.compile(r"\b(?:TO" r"DO|FIX" r"ME|XX" r"X)\b|^(?:<{7}|>{7}) ")


def find_matches(pattern, what):
    def find(tree, _tools):
        problems = []
        for path in tree.files:
            for number, line in enumerate(tree.text(path).splitlines(), 1):
                match = pattern.search(line)
                if match:
                    problems.append(f"{path}:{number}: {what}: {match.group()}")
        return problems
    return find


def find_unformatted(tree, _tools):
    if not shutil.which("clang-format"):
        raise Skip("no clang-format")
    files = [path for path in tree.files if path.suffix in (".h", ".cpp")]
    if not files:
        return []
    command = ["clang-format", "--dry-run", "-Werror", "--style=file", *files]
    done = subprocess.run(command, cwd=tree.root, capture_output=True, text=True)
    return [] if done.returncode == 0 else [*done.stderr.splitlines()[:40], "run ./dev format"]


def find_dead_links(tree, _tools):
    """Relative links of the documents, by file; and the paths that they quote, such as `tests/lint/texts.py`."""
    problems = []
    for path in tree.files:
        if path.suffix != ".md":
            continue
        for number, line in enumerate(tree.text(path).splitlines(), 1):
            links = [path.parent / link for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", line)]
            links += [
                pathlib.Path(quoted)
                for quoted in re.findall(r"`((?:engine|adapters|examples|tests|tools|docs)/[\w./-]*\w\.\w+)`", line)
            ]
            problems += [f"{path}:{number}: there is no {link}" for link in links if not (tree.root / link).exists()]
    return problems


def find_untidy_space(tree, _tools):
    problems = []
    for path in tree.files:
        text = tree.text(path)
        # Data of tests is what it is.
        data = path.parts[0] == "tests" and path.suffix not in (".h", ".cpp", ".py", ".js", ".sh")
        if not text or data or path.parts[:2] in (("fuzz", "corpus"), ("fuzz", "regressions")):
            continue
        if not text.endswith("\n"):
            problems.append(f"{path}: no newline at the end")
        for number, line in enumerate(text.split("\n"), 1):
            if line.endswith((" ", "\t", "\r")):
                problems.append(f"{path}:{number}: white space at the end of the line")
    return problems


CHECKS = [
    Check(
        "C++ is formatted", find_unformatted,
        bad={"a bad indent": {".clang-format": "BasedOnStyle: Google\n", "a.cpp": "int f() {\n      return 1;\n}\n"}},
        good={"formatted code": {".clang-format": "BasedOnStyle: Google\n", "a.cpp": "int f() { return 1; }\n"}}),
    Check(
        "no line ends in white space", find_untidy_space,
        bad={"a space": {"a.md": "a \n"}, "no newline": {"dev": "a"}, "CRLF": {"a.cpp": "a\r\n"}},
        good={"tidy text": {"a.cpp": "a\n\nb\n"}, "test data": {"tests/golden/a.txt": "a \r\n"},
              "inputs of fuzz targets": {"fuzz/corpus/url/0a1b": "ws: "}}),
    Check(
        "the documents name files that exist", find_dead_links,
        bad={"a dead link": {"a.md": "see [b](b.md)\n"}, "a dead path": {"a.md": "see `tests/b_test.cpp`\n"}},
        good={"live links": {"a.md": "[a](a.md#part), [b](https://b.example/c), `docs/b.md`\n", "docs/b.md": ""}}),
    Check(
        "no file names a path of one machine", find_matches(MACHINE_PATH, "a path of one machine"),
        bad={"a path": {"a.md": "see /ho" "me/me/a\n"}, "another": {"a.py": "path = '/wo" "rk'\n"}},
        good={"other paths": {"a.md": "build/wo" "rk/a, /usr/bin, tests/ro" "ot/x\n"}}),
    Check(
        "no leftovers in the text", find_matches(LEFTOVER, "a leftover"),
        bad={"a note": {"a.cpp": "// TO" "DO: later\n"}, "another": {"a.cpp": "// XX" "X\n"},
             "half a merge": {"a.md": "<<<<<<" "< HEAD\n"}},
        good={"plain text": {"a.cpp": "// everything is done\n"}}),
]
