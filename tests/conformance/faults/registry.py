"""What a fault is, and the table of all of them.

A fault is a Peer with one method broken. The table says which verdicts it must lead to and which cases
beside it must stay OK. A verdict is "BEHAVIOR CLOSE", with underscores for blanks (`WRONG_CODE`), `*` for
any, `A|B` for either.
"""

import dataclasses
import re

BOTH = ("server", "client")
FAULTS = {}


@dataclasses.dataclass
class Fault:
    name: str
    description: str
    group: str
    roles: tuple
    peer: type
    deflate: bool
    expect: dict  # role -> {case: verdict}
    ok: list  # cases whose both verdicts stay OK
    quick: bool  # with the kit's --quick; without it where a case has to have its whole size

    def cases(self, role):
        return [*self.expect[role], *self.ok]


def fault(group, expect, ok=(), roles=BOTH, expect_server=None, expect_client=None, deflate=False, quick=True):
    """Declares the class below it a fault. expect_server and expect_client hold what differs in one role."""
    def add(kind):
        name = re.sub(r"(?<!^)(?=[A-Z])|(?<=[a-z])(?=\d\d)", "_", kind.__name__).lower()
        by_role = {"server": expect | (expect_server or {}), "client": expect | (expect_client or {})}
        FAULTS[name] = Fault(name, kind.__doc__, group, roles, kind, deflate, by_role, list(ok), quick)
        return kind
    return add


def matches(verdict, behavior, close):
    """Whether the two verdicts of a case are what the table says."""
    return all(wanted == "*" or found.replace(" ", "_") in wanted.split("|")
               for wanted, found in zip(verdict.split(), (behavior, close), strict=True))
