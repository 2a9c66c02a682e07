"""Scores, draws, and when another attempt may begin: pure rules."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

from marketplace.accreditation.courses.content import CourseContent

# A credential can be renewed this long before it expires.
RENEW_BEFORE = timedelta(days=90)
# What reaches us this much after the end still counts: it was sent in time.
GRACE = timedelta(seconds=30)


@dataclass(frozen=True)
class Result:
    """What an attempt was worth: percent rounded down, and by question."""

    score: int
    passed: bool
    right: dict[str, bool]


@dataclass(frozen=True)
class Taken:
    """An attempt, as far as the rules need it."""

    submitted_at: datetime | None
    passed: bool | None
    is_forgiven: bool = False


def judge(content: CourseContent, drawn: Sequence[str], answers: Mapping[str, Any]) -> Result:
    """Judge answers by the version of the attempt. A question is right when exactly the right
    options are chosen."""
    right = {}
    for key in drawn:
        question = content.question(key)
        chosen = answers.get(key)
        right[key] = (
            question is not None
            and isinstance(chosen, list)
            and sorted(chosen) == sorted(question.correct)
        )
    score = 100 * sum(right.values()) // len(right) if right else 0
    return Result(score, bool(right) and score >= content.pass_percent, right)


def draw(content: CourseContent, random: Random) -> list[str]:
    """The keys of the questions of an attempt, in the order in which they are asked."""
    keys = [each.key for each in content.questions]
    return random.sample(keys, content.questions_asked)


def clean_answers(
    content: CourseContent, drawn: Iterable[str], given: Mapping[str, Sequence[str]]
) -> dict[str, list[int]]:
    """Of what was posted, the choices that the attempt offers; anything else is left out."""
    found: dict[str, list[int]] = {}
    for key in drawn:
        question = content.question(key)
        if question is None or key not in given:
            continue
        places = {
            int(value)
            for value in given[key][: len(question.options)]
            if value.isascii() and value.isdigit() and len(value) <= 2
        }
        chosen = sorted(place for place in places if place < len(question.options))
        if question.kind.value != "multiple":
            chosen = chosen[:1]
        found[key] = chosen
    return found


def attempts_used(attempts: Sequence[Taken]) -> int:
    """How many attempts count since the last that was passed."""
    used = 0
    for each in attempts:
        if each.passed:
            used = 0
        elif not each.is_forgiven:
            used += 1
    return used


def attempts_left(content: CourseContent, attempts: Sequence[Taken]) -> int | None:
    """How many more there are; None for no limit."""
    if not content.attempts_allowed:
        return None
    return max(0, content.attempts_allowed - attempts_used(attempts))


def next_attempt_at(
    content: CourseContent, attempts: Sequence[Taken], now: datetime
) -> datetime | None:
    """Until when a person must wait; None when they need not."""
    ended = [each.submitted_at for each in attempts if each.submitted_at and not each.passed]
    if not ended or not content.wait_hours or (attempts and attempts[-1].passed):
        return None
    at = max(ended) + timedelta(hours=content.wait_hours)
    return at if at > now else None


def shows_explanations(content: CourseContent, attempts: Sequence[Taken], passed: bool) -> bool:
    """What was right is told after passing, or when no attempt is left."""
    return passed or attempts_left(content, attempts) == 0


def add_months(at: datetime, months: int) -> datetime:
    """The same day and time that many months later; the last day of a shorter month."""
    total = at.year * 12 + at.month - 1 + months
    year, month = divmod(total, 12)
    for day in range(at.day, 0, -1):
        try:
            return at.replace(year=year, month=month + 1, day=day)
        except ValueError:
            continue
    raise ValueError("every month has a first day")
