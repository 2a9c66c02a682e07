"""How the lists of a policy are shown: a row for each item, in words."""

from dataclasses import dataclass
from typing import Any

from marketplace.program.policy.amounts import counted
from marketplace.program.policy.document import PartnerType, Policy, Space, Tier
from marketplace.program.policy.editing import list_kind
from marketplace.program.policy.words import (
    ENTITLEMENT_KIND,
    ENTRY,
    FIELD_KIND,
    INNER_PARTS,
    PARTS,
    SIDE,
    field_name,
    measure_name,
    name_of,
    points_words,
    requirement_words,
    value_words,
)

# What a part's page says of itself.
LEADS = {
    "types": "Who can be a partner, how one joins, and what a new partner finds.",
    "tiers": "From the lowest to the highest. A partner has the highest tier whose points and "
    "requirements it meets.",
    "metrics": "Numbers about a partner, made of what really happened.",
    "entitlements": "What types and tiers can give. The highest value given counts.",
    "benefits": "What partners claim and we fulfil, so many in a calendar year.",
    "goals": "What we want of the whole program in a calendar year.",
    "spaces": "Who may see, reply and start a topic in each space of the community.",
    "form": "What somebody who applies is asked.",
    "stages": "What an application goes through, one after the other.",
    "playbook": "What a new partner, or we, must do, and by when.",
    "getting_started": "Steps that tick themselves once the thing is done.",
}
SINGULAR = {
    "types": "type",
    "tiers": "tier",
    "metrics": "metric",
    "entitlements": "entitlement",
    "benefits": "benefit",
    "goals": "goal",
    "spaces": "space",
    "form": "question",
    "stages": "stage",
    "playbook": "task",
    "getting_started": "step",
}


@dataclass(frozen=True)
class Row:
    """One item of a list: its key, its name and the most important of it."""

    key: str
    name: str
    words: tuple[str, ...]


def title_of(policy: Policy, path: str) -> str:
    """The title of a list: `Tiers`, or `Technology partner: playbook`."""
    kind = list_kind(path)
    if kind == path:
        return PARTS[path]
    return f"{name_of(policy, 'types', path.split('.')[1])}: {INNER_PARTS[kind].lower()}"


def items_at(policy: Policy, path: str) -> tuple[Any, ...]:
    """The parsed items of a list."""
    kind = list_kind(path)
    if kind == path:
        return tuple(getattr(policy, path))
    owner = policy.type(path.split(".")[1])
    return tuple(getattr(owner, kind)) if owner else ()


def rows_of(policy: Policy, path: str) -> list[Row]:
    """The rows of a list."""
    kind = list_kind(path)
    return [
        Row(each.key, name_in(each), _WORDS[kind](policy, each)) for each in items_at(policy, path)
    ]


def name_in(item: Any) -> str:
    """What an item is called."""
    for field in ("name", "title", "label"):
        if hasattr(item, field):
            return str(getattr(item, field))
    return str(item.key)


def facts_of(policy: Policy, item: Any) -> list[tuple[str, str]]:
    """Every field of an item in words; lists within it have pages of their own."""
    return [
        (field_name(name), value_words(policy, item, name, getattr(item, name)))
        for name in type(item).model_fields
        if name not in INNER_PARTS and getattr(item, name) not in ("", ())
    ]


def _type(policy: Policy, item: PartnerType) -> tuple[str, ...]:
    words = [f"Joins: {ENTRY[item.entry].lower()}"]
    for name, noun in (
        ("form", "question"),
        ("stages", "stage"),
        ("playbook", "task"),
        ("getting_started", "step"),
    ):
        if getattr(item, name):
            words.append(counted(len(getattr(item, name)), noun))
    if not item.is_open:
        words.append("closed")
    return tuple(words)


def _tier(policy: Policy, item: Tier) -> tuple[str, ...]:
    words = [counted(item.points, "point")] if item.points else []
    words += [requirement_words(policy, each) for each in item.requirements]
    return tuple(words) or ("Asks for nothing",)


def _metric(policy: Policy, item: Any) -> tuple[str, ...]:
    window = "all time" if item.window_days is None else counted(item.window_days, "day")
    return tuple(
        each
        for each in (f"{measure_name(item.measure)}, {window}", points_words(policy, item))
        if each
    )


def _space(policy: Policy, item: Space) -> tuple[str, ...]:
    return tuple(
        f"{field_name(act)}: {value_words(policy, item, act, getattr(item, act))}"
        for act in ("see", "reply", "create")
    )


def _goal(policy: Policy, item: Any) -> tuple[str, ...]:
    target = value_words(policy, item, "target", item.target)
    return (f"{measure_name(item.measure)}: {target}",)


_WORDS: dict[str, Any] = {
    "types": _type,
    "tiers": _tier,
    "metrics": _metric,
    "entitlements": lambda _policy, item: (
        ENTITLEMENT_KIND[item.kind],
        *(("comes later",) if item.announced else ()),
    ),
    "benefits": lambda policy, item: (value_words(policy, item, "per_year", item.per_year),),
    "goals": _goal,
    "spaces": _space,
    "form": lambda _policy, item: (
        FIELD_KIND[item.kind],
        "must be answered" if item.required else "optional",
    ),
    "stages": lambda _policy, item: (
        counted(item.reviewers, "reviewer") if item.reviewers else "One decision",
    ),
    "playbook": lambda _policy, item: (SIDE[item.side], f"after {counted(item.due_days, 'day')}"),
    "getting_started": lambda _policy, item: (item.done_by,),
}
