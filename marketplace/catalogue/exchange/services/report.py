"""What an import did, or would do."""

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum

from marketplace.catalogue.exchange.lines import Problem
from marketplace.catalogue.exchange.pictures import PictureFolder


class Outcome(StrEnum):
    """What became of a line."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    REFUSED = "refused"


@dataclass
class ImportReport:
    """Counts by kind of record and outcome, and what was wrong with which line."""

    dry_run: bool = False
    format: str = "portico"
    counts: Counter[tuple[str, Outcome]] = field(default_factory=Counter)
    problems: list[Problem] = field(default_factory=list)
    seconds: float = 0.0

    def add(self, record: str, outcome: Outcome, count: int = 1) -> None:
        """Count lines of the kind `record` (category, publisher, listing, line)."""
        self.counts[record, outcome] += count

    def refuse(self, record: str, line: int, fields: dict[str, str]) -> None:
        """Note that a line was refused for what is wrong with its fields."""
        self.add(record, Outcome.REFUSED)
        self.problems.extend(Problem(line, name, reason) for name, reason in fields.items())

    def count(self, record: str, outcome: Outcome) -> int:
        """Lines of that kind with that outcome."""
        return self.counts[record, outcome]

    def total(self, outcome: Outcome) -> int:
        """Lines of any kind with that outcome."""
        return sum(count for (_kind, found), count in self.counts.items() if found is outcome)

    @property
    def lines(self) -> int:
        """Lines that something became of."""
        return sum(self.counts.values())

    def rows(self) -> list[tuple[str, int, int, int, int]]:
        """Kind of record, created, updated, unchanged, refused; for printing."""
        kinds = [
            kind
            for kind in ("category", "publisher", "listing", "line")
            if any(found == kind for found, _outcome in self.counts)
        ]
        return [
            (
                kind,
                self.count(kind, Outcome.CREATED),
                self.count(kind, Outcome.UPDATED),
                self.count(kind, Outcome.UNCHANGED),
                self.count(kind, Outcome.REFUSED),
            )
            for kind in kinds
        ]


@dataclass(frozen=True)
class ImportRun:
    """What the batches of one import share."""

    report: ImportReport
    pictures: PictureFolder
    file_name: str
    dry_run: bool = False
    overwrite: bool = False
