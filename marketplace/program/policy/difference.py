"""What differs between two policies, in words. Pure."""

import enum
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from marketplace.program.policy.document import Policy, Requirement
from marketplace.program.policy.words import (
    INNER_PARTS,
    PARTS,
    field_name,
    name_of,
    requirement_words,
    value_words,
)

GENERAL = "General"


class Kind(enum.StrEnum):
    """What happened to a thing."""

    ADDED = "added"
    REMOVED = "removed"
    MOVED = "moved"
    CHANGED = "changed"


@dataclass(frozen=True)
class Change:
    """One difference. `part` is where (Tiers), `subject` of what (Gold), `field` is empty for a
    thing that was added, removed or moved; `before` and `after` are words."""

    part: str
    subject: str
    kind: Kind
    field: str = ""
    before: str = ""
    after: str = ""

    def __str__(self) -> str:
        what = f"{self.part}: {self.subject}" if self.subject else self.part
        if self.kind is Kind.CHANGED:
            return f"{what}, {self.field}: {self.before} → {self.after}"
        if self.kind is Kind.MOVED:
            return f"{what}: moved from place {self.before} to {self.after}"
        return f"{what}: {self.kind.value}"


def differences(before: Policy | None, after: Policy) -> list[Change]:
    """All differences, in the order of the document; everything is added when there is none."""
    if before is None:
        return [
            Change(PARTS[part], each.name, Kind.ADDED)
            for part in PARTS
            for each in getattr(after, part)
        ]
    found = list(_general(before, after))
    for part, title in PARTS.items():
        found += _items(before, after, getattr(before, part), getattr(after, part), title)
    return found


def grouped(changes: Sequence[Change]) -> dict[str, list[Change]]:
    """Changes by their part, in order."""
    groups: dict[str, list[Change]] = {}
    for each in changes:
        groups.setdefault(each.part, []).append(each)
    return groups


def _general(before: Policy, after: Policy) -> Iterator[Change]:
    for name in ("name", "summary", "currency", "grace_days"):
        old, new = getattr(before, name), getattr(after, name)
        if old != new:
            yield _changed(GENERAL, "", before, after, None, None, name, old, new)
    for currency in sorted({*before.rates, *after.rates}):
        olds, news = before.rates.get(currency), after.rates.get(currency)
        if olds != news:
            words = [
                "None" if rate is None else value_words(after, None, "rates", {currency: rate})
                for rate in (olds, news)
            ]
            yield Change(GENERAL, "", Kind.CHANGED, f"Rate of {currency}", *words)


def _items(
    before: Policy, after: Policy, olds: Sequence[Any], news: Sequence[Any], part: str
) -> Iterator[Change]:
    old_by_key, new_by_key = ({each.key: each for each in side} for side in (olds, news))
    for key, old in old_by_key.items():
        if key not in new_by_key:
            yield Change(part, _name(old), Kind.REMOVED)
    kept_before = [key for key in old_by_key if key in new_by_key]
    kept_after = [key for key in new_by_key if key in old_by_key]
    in_place = {
        key
        for block in SequenceMatcher(None, kept_before, kept_after, False).get_matching_blocks()
        for key in kept_after[block.b : block.b + block.size]
    }
    for key, new in new_by_key.items():
        if key not in old_by_key:
            yield Change(part, _name(new), Kind.ADDED)
            continue
        if key not in in_place:
            places = [str(side.index(key) + 1) for side in (kept_before, kept_after)]
            yield Change(part, _name(new), Kind.MOVED, "", *places)
        yield from _fields(before, after, old_by_key[key], new, part)


def _fields(before: Policy, after: Policy, old: Any, new: Any, part: str) -> Iterator[Change]:
    subject = _name(new)
    for name in type(new).model_fields:
        value_before, value_after = getattr(old, name), getattr(new, name)
        # Yes and 1 are equal to Python, not to a reader.
        if value_before == value_after and repr(value_before) == repr(value_after):
            continue
        if name in INNER_PARTS:
            inner = f"{part}: {subject}, {INNER_PARTS[name].lower()}"
            yield from _items(before, after, value_before, value_after, inner)
        elif name == "requirements":
            yield from _requirements(before, after, value_before, value_after, part, subject)
        elif name in {"entitlements", "per_year"}:
            yield from _mappings(before, after, name, value_before, value_after, part, subject)
        else:
            yield _changed(part, subject, before, after, old, new, name, value_before, value_after)


def _requirements(
    before: Policy,
    after: Policy,
    olds: Sequence[Requirement],
    news: Sequence[Requirement],
    part: str,
    subject: str,
) -> Iterator[Change]:
    gone = [each for each in olds if each not in news]
    for each in news:
        if each in olds:
            continue
        twin = next(
            (old for old in gone if (old.metric, old.types) == (each.metric, each.types)), None
        ) or next((old for old in gone if old.metric == each.metric), None)
        if twin is not None:
            gone.remove(twin)
        yield Change(
            part,
            subject,
            Kind.CHANGED,
            "Requirement",
            "Not asked for" if twin is None else requirement_words(before, twin),
            requirement_words(after, each),
        )
    for each in gone:
        words = requirement_words(before, each)
        yield Change(part, subject, Kind.CHANGED, "Requirement", words, "Not asked for")


def _mappings(
    before: Policy,
    after: Policy,
    name: str,
    olds: dict[str, Any],
    news: dict[str, Any],
    part: str,
    subject: str,
) -> Iterator[Change]:
    source = "entitlements" if name == "entitlements" else "tiers"
    for key in [*news, *(each for each in olds if each not in news)]:
        if repr(olds.get(key)) == repr(news.get(key)):
            continue
        words = [
            value_words(policy, None, name, {key: side[key]}).split(": ", 1)[1]
            if key in side
            else "None"
            for policy, side in ((before, olds), (after, news))
        ]
        policy = after if key in news else before
        label = name_of(policy, source, key)
        if name == "per_year":
            label = f"Claims in a year, {label}"
        yield Change(part, subject, Kind.CHANGED, label, *words)


def _changed(
    part: str,
    subject: str,
    before: Policy,
    after: Policy,
    old: Any,
    new: Any,
    name: str,
    value_before: Any,
    value_after: Any,
) -> Change:
    return Change(
        part,
        subject,
        Kind.CHANGED,
        field_name(name),
        value_words(before, old, name, value_before),
        value_words(after, new, name, value_after),
    )


def _name(item: Any) -> str:
    for field in ("name", "title", "label"):
        if hasattr(item, field):
            return str(getattr(item, field))
    return str(item.key)
