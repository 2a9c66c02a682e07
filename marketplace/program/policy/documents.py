"""Reading a policy out of plain data, with every error at its place."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from billing.money import CURRENCIES
from marketplace.program.measures import Measure
from marketplace.program.modules import MODULES
from marketplace.program.policy.document import EntitlementKind, Policy

MAX_NUMBER = 10**15
# What pydantic calls an error, and what a person is told.
_WORDS = {
    "missing": "This is needed.",
    "extra_forbidden": "There is no such field.",
    "string_type": "A text is needed here; put it in quotes.",
    "int_type": "A whole number is needed here.",
    "int_parsing": "A whole number is needed here.",
    "int_from_float": "A whole number is needed here.",
    "bool_type": "Yes or no is needed here.",
    "bool_parsing": "Yes or no is needed here.",
    "tuple_type": "A list is needed here.",
    "dict_type": "Names with values are needed here.",
    "model_type": "Names with values are needed here.",
    "string_too_short": "This is needed.",
}


@dataclass(frozen=True)
class Problem:
    """What is wrong with a document. `place` is the way to it: `("tiers", 1, "name")`; empty for
    what is wrong with how its parts fit together."""

    place: tuple[str | int, ...]
    text: str

    @property
    def path(self) -> str:
        """The way in words: `tiers[1].name`."""
        words = ""
        for step in self.place:
            words += f"[{step}]" if isinstance(step, int) else f".{step}" if words else step
        return words

    def __str__(self) -> str:
        return f"{self.path}: {self.text}" if self.place else self.text


class DocumentError(ValueError):
    """A document that is no policy; `problems` says why, in the order of the document."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("; ".join(str(each) for each in problems))
        self.problems = problems


def read_policy(data: Any) -> Policy:
    """The policy that `data` (of JSON or YAML) says. Raises DocumentError."""
    try:
        policy = Policy.model_validate(data)
    except ValidationError as error:
        raise DocumentError(problems_of(error)) from error
    unknown = list(_unknown(policy))
    if unknown:
        raise DocumentError(unknown)
    return policy


def _unknown(policy: Policy) -> Iterator[Problem]:
    """Currencies, measures and parts of the portal that there are not here. An old version may
    still name what was taken away, so reading the past does not ask."""
    yield from _too_large(policy.as_data(), ())
    if policy.currency not in CURRENCIES:
        yield Problem(("currency",), f"{policy.currency} is no currency that is used here.")
    for currency, rate in policy.rates.items():
        if currency not in CURRENCIES:
            yield Problem(("rates", currency), f"{currency} is no currency that is used here.")
        elif rate < 1:
            yield Problem(("rates", currency), "At least one millionth.")
    measures = {each.value for each in Measure}
    for part in ("metrics", "goals"):
        for index, each in enumerate(getattr(policy, part)):
            if each.measure not in measures:
                text = (
                    f"There is no measure {each.measure}; there are {', '.join(sorted(measures))}."
                )
                yield Problem((part, index, "measure"), text)
    for index, kind in enumerate(policy.types):
        for at, module in enumerate(kind.modules):
            if module not in MODULES:
                text = f"There is no part {module}; there are {', '.join(MODULES)}."
                yield Problem(("types", index, "modules", at), text)
    kinds = {each.key: each.kind for each in policy.entitlements}
    for part in ("types", "tiers"):
        for index, each in enumerate(getattr(policy, part)):
            for key, value in each.entitlements.items():
                if words := _unfit(kinds[key], value):
                    yield Problem((part, index, "entitlements", key), words)


def _unfit(kind: EntitlementKind, value: int | bool | str) -> str:
    """Why a value is none of an entitlement of that kind; empty when it is. A text that reads no
    would count as a yes, so nothing is taken for something else."""
    if kind is EntitlementKind.FLAG:
        return "" if isinstance(value, bool) else "Yes or no is needed here, without quotes."
    if kind is EntitlementKind.TEXT:
        return "" if isinstance(value, str) else "A text is needed here; put it in quotes."
    if isinstance(value, bool) or not isinstance(value, int):
        return "A whole number is needed here."
    return "" if value >= 0 else "At least 0."


def _too_large(value: Any, place: tuple[str | int, ...]) -> Iterator[Problem]:
    if isinstance(value, dict):
        for key, each in value.items():
            yield from _too_large(each, (*place, key))
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from _too_large(each, (*place, index))
    elif isinstance(value, int) and abs(value) > MAX_NUMBER:
        yield Problem(place, "This number is too large.")
    elif isinstance(value, str) and "\x00" in value:
        yield Problem(place, "There is an invisible character (NUL). Type it anew.")


def problems_of(error: ValidationError) -> list[Problem]:
    """What pydantic found, in words. A value that fits none of several kinds is one problem."""
    found: dict[tuple[str | int, ...], Problem] = {}
    for each in error.errors(include_url=False, include_input=False):
        place = _place(each["loc"])
        found.setdefault(place, Problem(place, _words(each)))
    return list(found.values())


def _place(location: tuple[str | int, ...]) -> tuple[str | int, ...]:
    """Without what pydantic adds for a mapping's keys, and for the kinds that a value may have."""
    place = tuple(step for step in location if step != "[key]")
    if "entitlements" in place:
        place = place[: place.index("entitlements") + 2]
    return place


def _words(error: Any) -> str:
    kind, context = error["type"], error.get("ctx") or {}
    if kind in _WORDS:
        return _WORDS[kind]
    if kind == "invalid_key":
        return "Its name must be a text; put it in quotes."
    if kind == "value_error":
        text = str(context.get("error", "")) or str(error["msg"])
        return text[:1].upper() + text[1:] + "."
    if kind == "string_too_long":
        return f"At most {context['max_length']} characters."
    if kind == "greater_than_equal":
        return f"At least {context['ge']}."
    if kind == "less_than_equal":
        return f"At most {context['le']}."
    if kind == "enum":
        return f"One of {context['expected']} is needed."
    if kind == "string_pattern_mismatch":
        return _pattern_words(str(context.get("pattern", "")))
    return f"{error['msg']}."


def _pattern_words(pattern: str) -> str:
    if pattern == "^[A-Z]{3}$":
        return "A currency of three capital letters, such as EUR."
    if pattern.startswith("^[a-z][a-z0-9_]"):
        return "Small letters, digits and _ alone, 2 to 40 of them, beginning with a letter."
    if pattern.startswith("^(/"):
        return "The path of a page here, such as /partner/sandbox."
    if pattern == "^(partner|operator)$":
        return "Either partner or operator."
    if pattern.startswith("^portico"):
        return f"The format is {pattern.strip('^$')}."
    return "This is not how it is written."
