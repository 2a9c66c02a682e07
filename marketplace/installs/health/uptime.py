"""What probes say of an app, decided purely."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from marketplace.installs.models import HealthState

DAYS = 28
PROBE_EVERY = timedelta(minutes=5)
# Below a day of probes a figure would say more than is known.
ENOUGH_PROBES = timedelta(days=1) // PROBE_EVERY
FAILURES_TO_BE_DOWN = 3
ANSWERS_TO_BE_UP = 2
BAR_WIDTH, BAR_GAP, HEIGHT = 8, 2, 28


class Turn(enum.StrEnum):
    """What a probe began or ended."""

    BEGAN = "began"
    ENDED = "ended"


@dataclass(frozen=True)
class Standing:
    """An app's state and its run: failures in a row as a number above zero; while it is down,
    answers in a row as one below zero."""

    state: HealthState
    run: int = 0


def after_probe(standing: Standing, *, answered: bool) -> tuple[Standing, Turn | None]:
    """Where an app stands after one more probe, and whether an incident began or ended."""
    run = max(standing.run, 0)
    if standing.state is not HealthState.DOWN:
        if answered:
            return Standing(HealthState.UP), None
        if run + 1 >= FAILURES_TO_BE_DOWN:
            return Standing(HealthState.DOWN), Turn.BEGAN
        return Standing(standing.state, run + 1), None
    if not answered:
        return Standing(HealthState.DOWN), None
    answers = -min(standing.run, 0) + 1
    if answers >= ANSWERS_TO_BE_UP:
        return Standing(HealthState.UP), Turn.ENDED
    return Standing(HealthState.DOWN, -answers), None


@dataclass(frozen=True)
class Probes:
    """The probes of a time."""

    answered: int = 0
    failed: int = 0

    @property
    def total(self) -> int:
        """All of them."""
        return self.answered + self.failed


def uptime(days: Mapping[date, Probes], today: date) -> float | None:
    """How much of the last 28 days was answered, in percent; None below a day of probes.

    Rounded down to hundredths: 100 means that every probe was answered.
    """
    inside = _last_days(days, today)
    answered = sum(probes.answered for _day, probes in inside)
    total = sum(probes.total for _day, probes in inside)
    if total < ENOUGH_PROBES:
        return None
    return 10_000 * answered // total / 100


def uptime_text(percent: float | None) -> str:
    """The figure for people."""
    if percent is None:
        return "No data yet"
    return f"{percent:.2f}".rstrip("0").rstrip(".") + " %"


@dataclass(frozen=True)
class Bar:
    """One day of the strip. `kind` is up, part, down or none; lengths are the drawing's units."""

    day: date
    probes: Probes
    kind: str
    text: str
    x: int
    y: float
    height: float
    width: int = BAR_WIDTH


@dataclass(frozen=True)
class Strip:
    """The bars of 28 days, and what they say in a sentence."""

    bars: tuple[Bar, ...]
    text: str
    width: int = DAYS * (BAR_WIDTH + BAR_GAP) - BAR_GAP
    height: int = HEIGHT


def strip(days: Mapping[date, Probes], today: date) -> Strip:
    """The last 28 days as bars."""
    bars = tuple(
        _bar(index, day, probes) for index, (day, probes) in enumerate(_last_days(days, today))
    )
    known = [bar for bar in bars if bar.kind != "none"]
    troubled = [bar for bar in known if bar.kind != "up"]
    if not known:
        text = "It was not checked in the last 28 days."
    elif not troubled:
        text = f"Every check of {_days(len(known))} was answered."
    else:
        text = f"Checks failed on {len(troubled)} of {_days(len(known))}."
    return Strip(bars, text)


def _bar(index: int, day: date, probes: Probes) -> Bar:
    x = index * (BAR_WIDTH + BAR_GAP)
    if probes.total == 0:
        return Bar(day, probes, "none", "no data", x, HEIGHT - 4, 4)
    if probes.failed == 0:
        return Bar(day, probes, "up", "every check answered", x, 0, HEIGHT)
    share = probes.answered / probes.total
    # A day with trouble is seen by its length too, not by its colour alone.
    height = round(HEIGHT * max(share * 0.85, 0.2), 2)
    text = f"{probes.failed} of {probes.total} checks failed"
    return Bar(day, probes, "part" if share >= 0.5 else "down", text, x, HEIGHT - height, height)


def _last_days(days: Mapping[date, Probes], today: date) -> list[tuple[date, Probes]]:
    wanted = [today - timedelta(days=ago) for ago in reversed(range(DAYS))]
    return [(day, days.get(day, Probes())) for day in wanted]


def _days(count: int) -> str:
    return f"{count} day{'s' if count != 1 else ''}"
