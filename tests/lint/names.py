"""A test file has the name of the source that it tests."""

import re

from tree import Check

# In these, each file tests one source. The others test behaviours, or serve tests; their names say which.
MIRRORED = {"unit", "adapters"}
# Behaviours of several sources that are tested beside them: rows of a catalogue of bad input, and who holds the codec's
# stream through an opening handshake.
BEHAVIOURS = ("attacks_", "bad_input", "deflate_opening")
CASE = re.compile(r"^(?:TEST|TEST_F|TEST_P|TYPED_TEST|RC_GTEST_PROP)\(", re.MULTILINE)


def find_misnamed(tree, _tools):
    stems = {path.stem for path in tree.under("engine", "adapters", "examples")}
    problems = []
    for path in tree.under("tests"):
        if path.parts[1] not in MIRRORED:
            continue
        stem = path.stem.removesuffix("_test")
        if stem == path.stem:
            # Helpers of the tests beside them; but whoever holds cases is a test file.
            if CASE.search(tree.text(path)):
                problems.append(f"{path}: the name of a test file ends in _test.cpp")
        elif stem not in stems and not stem.startswith(BEHAVIOURS):
            problems.append(f"{path}: no source is named {stem}; a test has the name of what it tests")
    return problems


CHECKS = [
    Check(
        "test files are named after sources", find_misnamed,
        bad={"a test of nothing": {"tests/unit/misc_test.cpp": "", "engine/src/frame.cpp": ""},
             "another ending": {"tests/unit/frame.cpp": "TEST(Frame, Empty) {}\n", "engine/src/frame.cpp": ""}},
        good={"a mirrored name": {"tests/unit/frame_test.cpp": "", "engine/src/frame.cpp": ""},
              "a helper": {"tests/adapters/faults.h": "struct Faults {};\n"},
              "a test of a behaviour": {"tests/sim/two_endpoints_test.cpp": ""}}),
]
