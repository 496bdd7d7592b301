#!/usr/bin/python3
"""broken_peers_test.py CONFORM [FAULT...] : the conformance kit against the peer that can be broken.

For each fault and role the verdicts of the kit have to be those of the table in faults/: what is broken is
found, what is not broken stays OK, and the exit status says which. And the peer without a fault has to be
OK in all cases, with compression and without.
"""

import concurrent.futures
import sys

sys.dont_write_bytecode = True

import faults
import kit
import tap

PEER = [kit.PYTHON, kit.HERE / "broken_peer.py"]
# Most runs wait for the time limits of the cases, not for the processor.
RUNS_AT_ONCE = 6
CASES_AT_ONCE = 4
PLAIN = "1.*,2.*,3.*,4.*,5.*,6.*,7.*,9.*,10.*"
# Every data set and every set of parameters; of the sizes some with and without fragments, as all take long.
COMPRESSED = ["1.*", *(f"{group}.{size}" for size in (1, 4, 8, 11, 12)
                       for group in ("12.1", "12.2", "12.3", "12.4", "12.5", "13.1", "13.2", "13.3", "13.4", "13.5", "13.6",
                                     "13.7"))]
FAILED_BEHAVIORS = {"FAILED"}
FAILED_CLOSES = {"FAILED", "WRONG CODE", "UNCLEAN", "FAILED BY CLIENT"}
GROUPS = ("1", "2", "3", "4", "5", "6", "7", "9", "10", "12", "13")
# What RFC 6455 leaves open: the official cases give these no verdict.
INFORMATIONAL = {"7.1.6", "7.13.1", "7.13.2"}


def run_kit(conform, role, peer_options, kit_options, agent):
    if role == "server":
        return kit.test_server(conform, [*PEER, "--listen", 0, *peer_options], agent, kit_options)
    return kit.test_client(conform, [*PEER, *peer_options, "--agent", agent, "--connect"], agent, kit_options)


def is_failed(verdicts):
    return verdicts[0] in FAILED_BEHAVIORS or verdicts[1] in FAILED_CLOSES


def find_differences(result, fault, role):
    problems = []
    wanted = {case: "OK OK" for case in fault.ok} | fault.expect[role]
    for case, verdict in wanted.items():
        found = result.verdicts(case)
        if found is None:
            problems.append(f"{role}: the report does not have {case}")
        elif not faults.matches(verdict, *found):
            problems.append(f"{role}: {case} is {found[0]} / {found[1]}, it should be {verdict}")
    if set(result.report) != set(wanted):
        problems.append(f"{role}: the report has other cases too: {sorted(set(result.report) - set(wanted))}")
    status = int(any(is_failed((entry["behavior"], entry["behaviorClose"])) for entry in result.report.values()))
    if result.status != status:
        problems.append(f"{role}: the exit status is {result.status}, not {status}")
    return problems


def check_fault(conform, fault, role):
    peer_options = ["--fault", fault.name] + (["--deflate"] if fault.deflate else [])
    kit_options = ["--cases", ",".join(fault.cases(role))] + (["--quick"] if fault.quick else [])
    (kit_options if role == "server" else peer_options).extend(["--jobs", str(CASES_AT_ONCE)])
    result = run_kit(conform, role, peer_options, kit_options, fault.name)
    problems = find_differences(result, fault, role)
    tap.expect(not problems, "\n".join([*problems, result.output[-2000:]]))


def check_correct(conform, role, cases, count, deflate):
    agent = "correct"
    options = ["--cases", cases, "--quick"]
    result = run_kit(conform, role, ["--deflate"] if deflate else [], options, agent)
    allowed = [("OK", "OK"), ("INFORMATIONAL", "INFORMATIONAL")]
    problems = []
    for case in result.report:
        if result.verdicts(case) != allowed[case in INFORMATIONAL]:
            problems.append(f"{role}: {case} is {' / '.join(result.verdicts(case))}")
    if result.status != 0 or len(result.report) != count:
        problems.append(f"{role}: the exit status is {result.status}; {len(result.report)} cases of {count} ran")
    tap.expect(not problems, "\n".join([*problems, result.output[-2000:]]))


def check_table(_conform):
    """Each group of cases is seen to find something, in both roles; and each fault has its neighbours."""
    for group in GROUPS:
        for role in ("server", "client"):
            found = [fault.name for fault in faults.FAULTS.values()
                     if fault.expect[role] and role in fault.roles and fault.group == group]
            tap.expect(len(found) >= 2, f"group {group} has too few faults for a {role}: {found}")
    for fault in faults.FAULTS.values():
        tap.expect(fault.cases("server"), f"{fault.name} names no case")
        tap.expect(not set(fault.ok) & set(fault.expect["server"]), f"{fault.name} names a case twice")


def main(conform, *names):
    pool = concurrent.futures.ThreadPoolExecutor(RUNS_AT_ONCE)
    cases = []

    def add(name, function, *arguments):
        cases.append((name, pool.submit(function, conform, *arguments).result))

    if not names:
        add("each group of cases has faults to find", check_table)
        # The longest first.
        for role in ("client", "server"):
            add(f"correct peer, {role}: all OK", check_correct, role, PLAIN, 301, False)
            add(f"correct peer with compression, {role}: all OK", check_correct, role, ",".join(COMPRESSED), 76, True)
    for fault in faults.FAULTS.values():
        if not names or fault.name in names:
            for role in fault.roles:
                add(f"{fault.name}, {role}: {fault.description}", check_fault, fault, role)
    status = tap.main(cases)
    pool.shutdown()
    return status


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]) if len(sys.argv) > 1 else __doc__)
