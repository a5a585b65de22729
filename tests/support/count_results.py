"""count_results.py --problems N FILE.xml…: add up JUnit reports of ctest and pytest into one line, "N passed, N failed, N skipped".
N problems outside any test count as failed.

A ctest entry that is a Criterion program counts as the cases that it ran. Exit status 1 when anything failed or nothing ran.
"""

import re
import sys
import xml.etree.ElementTree as xml

CRITERION = re.compile(r"Synthesis: Tested: (\d+) \| Passing: (\d+) \| Failing: (\d+) \| Crashing: (\d+)")


def count_case(case):
    """(passed, failed, skipped) of one testcase element."""
    bad = case.find("failure") is not None or case.find("error") is not None
    synthesis = CRITERION.findall("".join(case.itertext()))
    if synthesis:
        passed = sum(int(s[1]) for s in synthesis)
        failed = sum(int(s[2]) + int(s[3]) for s in synthesis)
        # A leak is printed after the cases passed: the program failed all the same.
        return passed, failed or int(bad), 0
    if bad or case.get("status") == "fail":
        return 0, 1, 0
    skipped = case.find("skipped") is not None or case.get("status") in ("notrun", "disabled")
    return (0, 0, 1) if skipped else (1, 0, 0)


def main(arguments):
    problems, paths = int(arguments[1]), arguments[2:]
    counts = [(0, problems, 0)]
    counts += [count_case(case) for path in paths for case in xml.parse(path).iter("testcase")]
    passed, failed, skipped = (sum(column) for column in zip(*counts))
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    return 0 if passed and not failed else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
