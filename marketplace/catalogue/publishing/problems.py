"""What is wrong with a draft and what it still lacks, in words at the fields. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from pydantic import ValidationError

from marketplace.catalogue.content import ListingContent
from marketplace.catalogue.publishing.blank import is_blank
from marketplace.catalogue.publishing.sections import (
    FIELD_LABELS,
    PART_LABELS,
    RECOMMENDED,
    REQUIRED,
    SECTION_OF,
    SECTIONS,
    Section,
    anchor,
)

_BY_TYPE: Final[Mapping[str, str]] = {
    "missing": "This is needed.",
    "literal_error": "Choose one of the options.",
    "int_parsing": "Enter a whole number.",
    "int_type": "Enter a whole number.",
    "int_from_float": "Enter a whole number.",
    "int_parsing_size": "This number is too large.",
    "greater_than_equal": "Use {ge} or more.",
    "less_than_equal": "Use {le} or less.",
    "string_type": "Enter a text.",
    "extra_forbidden": "There is no field of that name.",
    "string_pattern_mismatch": "Choose one of the options.",
}
_BY_FIELD: Final[Mapping[str, str]] = {
    "support_email": "Enter an e-mail address such as help@example.com.",
    "brand_color": "Enter a colour as # and six digits or letters a to f, such as #1f6f8b.",
    "languages": "Enter language codes such as en, de or pt-BR.",
    "logo": "Upload the logo again.",
}
NEEDED: Final[Mapping[str, str]] = {
    "name": "Enter the name.",
    "tagline": "Enter a tagline.",
    "description": "Write a description of at least 40 characters.",
    "kind": "Choose a kind.",
    "categories": "Choose a main category.",
}


# Fields whose items have no control of their own: a message stands at the whole.
_WHOLE: Final = frozenset(
    {"categories", "languages", "regions", "compliance", "auth_kinds", "tags", "aliases"}
    | {"works_with"}
)


@dataclass(frozen=True)
class ChecklistItem:
    """A line of the list of what a draft still needs, with where to mend it."""

    path: str
    label: str
    message: str
    section: Section
    done: bool = False
    required: bool = True

    @property
    def anchor(self) -> str:
        return anchor(self.path)


def content_problems(content: Mapping[str, Any]) -> dict[str, str]:
    """Every breach of the content's rules by dotted path, what is missing included."""
    found = {**_needed(content)}
    try:
        ListingContent.model_validate(content)
    except ValidationError as error:
        for part in error.errors(include_url=False):
            path = _path(part["loc"])
            found.setdefault(path, _message(path, part))
    return found


def entered_problems(content: Mapping[str, Any]) -> dict[str, str]:
    """The breaches in what was entered; a field that was left empty is not one yet."""
    return {
        path: message
        for path, message in content_problems(content).items()
        if not is_blank(content.get(path.partition(".")[0]))
    }


def problems_of(section: Section, problems: Mapping[str, str]) -> dict[str, str]:
    """Those of `problems` whose fields the section holds."""
    return {
        path: message
        for path, message in problems.items()
        if path.partition(".")[0] in section.fields
    }


def checklist(content: Mapping[str, Any]) -> list[ChecklistItem]:
    """What must be mended, what is required and done, and what is recommended, in that order."""
    problems = content_problems(content)
    items = [
        ChecklistItem(path, label_of(path), message, SECTION_OF[path.partition(".")[0]])
        for path, message in problems.items()
        if path.partition(".")[0] in SECTION_OF
    ]
    order = [name for section in SECTIONS for name in section.fields]
    items.sort(key=lambda item: order.index(item.path.partition(".")[0]))
    wrong = {item.path.partition(".")[0] for item in items}
    items += [
        ChecklistItem(name, FIELD_LABELS[name], "", SECTION_OF[name], done=True)
        for name in REQUIRED
        if name not in wrong
    ]
    items += [
        ChecklistItem(
            name,
            FIELD_LABELS[name],
            message,
            SECTION_OF[name],
            done=not is_blank(content.get(name)),
            required=False,
        )
        for name, message in RECOMMENDED.items()
        if name not in wrong
    ]
    return items


def label_of(path: str) -> str:
    """A path such as `scopes.0.reason` in words: "Scopes 1, reason"."""
    field, *rest = path.split(".")
    label = FIELD_LABELS.get(field, field)
    if rest and rest[0].isdigit():
        label += f" {int(rest[0]) + 1}"
        rest = rest[1:]
    if rest:
        label += f", {PART_LABELS.get(rest[0], rest[0].replace('_', ' ')).lower()}"
    return label


def _needed(content: Mapping[str, Any]) -> dict[str, str]:
    return {name: NEEDED[name] for name in REQUIRED if is_blank(content.get(name))}


def _path(location: tuple[int | str, ...]) -> str:
    # Unions and lists of choices name their branches in the path; a form has no such controls.
    if location and location[0] == "support_email":
        return "support_email"
    if location and location[0] in _WHOLE:
        return str(location[0])
    return ".".join(str(step) for step in location) or "content"


def _message(path: str, part: Any) -> str:
    field = path.partition(".")[0]
    if field in _BY_FIELD:
        return _BY_FIELD[field]
    kind, context = str(part["type"]), part.get("ctx") or {}
    if kind == "too_short" and is_blank(part.get("input")):
        return _BY_TYPE["missing"]
    if kind == "too_long" and "max_length" in context:
        return f"Use at most {context['max_length']} entries; there are {context['actual_length']}."
    if kind == "too_short" and "min_length" in context:
        return f"Give at least {context['min_length']}."
    if kind in _BY_TYPE:
        return _BY_TYPE[kind].format(**context)
    message = str(part["msg"])
    return message if message.endswith((".", "!", "?")) else f"{message}."
