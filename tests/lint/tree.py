"""What the checks share: the files of a tree, and the shape of a check."""

import dataclasses
import os
import pathlib
import subprocess
from typing import Callable

CPP_SUFFIXES = {".h", ".cpp"}
CODE_SUFFIXES = CPP_SUFFIXES | {".py", ".js", ".html", ".css", ".sh"}


class Skip(Exception):
    """Why a check can not run here."""


class Tree:
    """The source files below a root: those that git tracks or would track; all, where there is no git."""

    def __init__(self, root):
        self.root = pathlib.Path(root)
        self.files = sorted(path for path in self._list() if (self.root / path).is_file())

    def _list(self):
        if (self.root / ".git").exists():
            # The checkout may belong to another user (a container); listing its files is harmless.
            command = ["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
            listed = subprocess.run(command, cwd=self.root, capture_output=True, check=True).stdout
            return [pathlib.Path(os.fsdecode(name)) for name in listed.split(b"\0") if name]
        found = []
        for directory, subdirectories, names in os.walk(self.root):
            subdirectories[:] = [
                name for name in subdirectories
                if name not in ("node_modules", "__pycache__", ".git") and not name.startswith("build-")
                and (name != "build" or pathlib.Path(directory) != self.root)
            ]
            found += [pathlib.Path(directory, name).relative_to(self.root) for name in names]
        return found

    def under(self, *prefixes, suffixes=CPP_SUFFIXES):
        """The files below one of the directories, with one of the suffixes."""
        return [
            path for path in self.files
            if path.suffix in suffixes and any(path.is_relative_to(prefix) for prefix in prefixes)
        ]

    def text(self, path):
        """A file's text, or "" if it is not text."""
        try:
            return (self.root / path).read_bytes().decode()  # with its line ends as they are
        except UnicodeDecodeError:
            return ""


@dataclasses.dataclass
class Check:
    name: str
    find: Callable  # (Tree, tools) -> list of problems, one a line
    bad: dict = dataclasses.field(default_factory=dict)  # label -> {path: text} with a violation
    good: dict = dataclasses.field(default_factory=dict)  # label -> {path: text} without
