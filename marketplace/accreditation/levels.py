"""Levels of accreditations: what is in force over time, and what to measure when it changes.

A level (a certified listing, a verified organization) is 1 while at least one span covers the
moment. What is written down is the difference between the level before a change and the one after:
an end that is known ahead is written ahead, a renewal takes it back and writes the new one.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from marketplace.program.measures import Measure, measure


@dataclass(frozen=True)
class Span:
    """From `start` up to, not including, `end`; None: without an end."""

    start: datetime
    end: datetime | None


def cover(spans: Iterable[Span]) -> list[Span]:
    """The spans as few that do not touch, in order of time; empty ones are left out."""
    found: list[Span] = []
    kept = [span for span in spans if span.end is None or span.end > span.start]
    for span in sorted(kept, key=lambda each: each.start):
        last = found[-1] if found else None
        if last is None or (last.end is not None and span.start > last.end):
            found.append(span)
        elif last.end is not None and (span.end is None or span.end > last.end):
            found[-1] = Span(last.start, span.end)
    return found


def level_changes(before: Iterable[Span], after: Iterable[Span]) -> list[tuple[datetime, int]]:
    """By how much the level moves at which moments, in order of time, so that what was written
    for `before` becomes what is right for `after`."""
    moves: dict[datetime, int] = {}
    for spans, sign in ((cover(before), -1), (cover(after), 1)):
        for span in spans:
            moves[span.start] = moves.get(span.start, 0) + sign
            if span.end is not None:
                moves[span.end] = moves.get(span.end, 0) - sign
    return [(at, amount) for at, amount in sorted(moves.items()) if amount]


def measure_level(
    organization_id: int,
    what: Measure,
    before: Iterable[Span],
    after: Iterable[Span],
    *,
    key: str,
    source: tuple[str, object],
) -> None:
    """Write down what a change of spans does to a level, once for each `key`."""
    for at, amount in level_changes(before, after):
        measure(
            organization_id,
            what,
            amount,
            key=f"{key}:{at:%Y%m%d%H%M%S%f}",
            source=source,
            at=at,
        )
