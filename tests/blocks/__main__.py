"""`make blocks`: run the tests of the building blocks and print what each of them does.

A block passes when tests/blocks/test_NNN_<name>.py has a test `test_NNN_<name>` and all tests of
that file pass; it is missing without such a test. Exit status 1 when one fails.
"""

import re
import sys
from collections import defaultdict
from pathlib import Path

import pytest

from tests.blocks.rows import BLOCKS

FOLDER = Path(__file__).parent
_TEST = re.compile(r"test_(\d{3})_\w+$")


def test_name(number: int, name: str) -> str:
    """The name that a block's test function and its file have."""
    return f"test_{number:03}_" + re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")


class Outcomes:
    """Collects how each test of each block ended: a plugin of pytest."""

    def __init__(self) -> None:
        self.found: dict[int, set[str]] = defaultdict(set)
        self.outcomes: dict[int, set[str]] = defaultdict(set)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note the test's outcome under the number in its file's name."""
        path, _, rest = report.nodeid.partition("::")
        match = _TEST.match(Path(path).stem)
        if match is None:
            return
        number = int(match[1])
        self.found[number].add(rest.split("[")[0].split("::")[-1])
        if report.when == "call" or report.outcome != "passed":
            self.outcomes[number].add(report.outcome)

    def state(self, number: int, name: str) -> str:
        """`pass`, `failing`, `skipped` or `missing`."""
        if test_name(number, name) not in self.found[number]:
            return "missing"
        for outcome, said in (("failed", "failing"), ("skipped", "skipped")):
            if outcome in self.outcomes[number]:
                return said
        return "pass"


def main() -> int:
    """Run, print the table, and say how many of each there are."""
    outcomes = Outcomes()
    pytest.main(
        ["-q", "--no-header", "-n", "auto", "--dist", "worksteal", str(FOLDER), *sys.argv[1:]],
        plugins=[outcomes],
    )
    states = [(*block, outcomes.state(block[0], block[2])) for block in BLOCKS]
    width = max(len(name) for _, _, name in BLOCKS)
    section_before = ""
    lines = []
    for number, section, name, state in states:
        if section != section_before:
            lines.append(f"\n{section}")
            section_before = section
        lines.append(f"{number:>5}  {name:<{width}}  {state}")
    counts = {
        state: sum(each[3] == state for each in states)
        for state in ("pass", "failing", "skipped", "missing")
    }
    lines.append("\n" + ", ".join(f"{count} {state}" for state, count in counts.items()))
    sys.stdout.write("\n".join(lines) + "\n")
    return 1 if counts["failing"] else 0


if __name__ == "__main__":
    sys.exit(main())
