"""The query parameters of the API: one table that is both documentation and check.

The API is strict where the pages are lenient: a parameter that cannot be used is told with its
name (422). An empty value is no value.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from werkzeug.datastructures import MultiDict

from marketplace.catalogue.discovery.parameters import (
    FACETS,
    MAX_PER_PAGE,
    MAX_VALUES,
    SORTS,
    FacetRule,
    ListingSearch,
)
from marketplace.core.errors import InvalidError
from marketplace.core.pagination import MAX_PAGE

PER_PAGE = 20
_SLUGS = r"[a-z0-9]+(-[a-z0-9]+)*(,[a-z0-9]+(-[a-z0-9]+)*)*"
_LANGUAGES = r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*(,[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*)*"
_MANY = "Repeat it, or part values with commas, for any of several."


@dataclass(frozen=True)
class Parameter:
    """A query parameter. `schema` is its JSON schema; `check` matches the values it takes."""

    name: str
    description: str
    schema: Mapping[str, Any]
    check: re.Pattern[str] | None = None
    message: str = "This is not a value of it."
    many: bool = False
    example: Any = None

    def documented(self) -> dict[str, Any]:
        """The parameter as OpenAPI writes it down."""
        schema: dict[str, Any] = dict(self.schema)
        if self.many:
            schema = {"type": "array", "items": schema, "maxItems": MAX_VALUES}
        found: dict[str, Any] = {
            "name": self.name,
            "in": "query",
            "description": self.description,
            "schema": schema,
        }
        if self.many:
            found |= {"style": "form", "explode": True}
        if self.example is not None:
            found["example"] = [self.example] if self.many else self.example
        return found

    def problem(self, values: list[str]) -> str | None:
        """What is wrong with the values given, None when they can be used."""
        if not self.many and len(values) > 1:
            return "Give it once."
        if len(values) > MAX_VALUES:
            return f"Give at most {MAX_VALUES} values."
        for value in values:
            if value and self.check is not None and not self.check.fullmatch(value):
                return self.message
        return None


def _one_of(values: tuple[str, ...]) -> dict[str, Any]:
    return {"type": "string", "enum": [*values, ""]}


def _number(default: int, most: int) -> dict[str, Any]:
    return {
        "anyOf": [{"type": "integer", "minimum": 1, "maximum": most}, {"const": ""}],
        "default": default,
    }


def _digits(most: int) -> re.Pattern[str]:
    """A pattern of the whole numbers from 1 to `most`, a power of ten; 5.0 is whole too."""
    return re.compile(rf"([1-9][0-9]{{0,{len(str(most)) - 2}}}|{most})(\.0)?")


def whole_number(name: str, default: int, most: int, description: str) -> Parameter:
    """A parameter that takes a number from 1 to `most`, a power of ten."""
    return Parameter(
        name,
        description,
        _number(default, most),
        _digits(most),
        f"Use a number from 1 to {most:,}.",
    )


def choice(name: str, values: tuple[str, ...], description: str) -> Parameter:
    """A parameter that takes one of `values`."""
    return Parameter(
        name,
        description,
        _one_of(values),
        re.compile("|".join(map(re.escape, values))),
        f"Use one of {', '.join(values)}.",
    )


def _facet(rule: FacetRule, description: str, example: str) -> Parameter:
    if rule.vocabulary:
        values = "|".join(map(re.escape, rule.vocabulary))
        listed = values if rule.single else f"(?:{values})(?:,(?:{values}))*"
        return Parameter(
            rule.name,
            description if rule.single else f"{description} {_MANY}",
            _one_of(rule.vocabulary),
            re.compile(listed),
            f"Use {'one' if rule.single else 'any'} of {', '.join(rule.vocabulary)}.",
            many=not rule.single,
            example=example,
        )
    if rule.name == "works_with":
        return Parameter(
            rule.name,
            f"{description} Repeat it for any of several.",
            {"type": "string", "maxLength": 60},
            re.compile(r".{1,60}", re.DOTALL),
            "Use at most 60 characters.",
            many=True,
            example=example,
        )
    pattern = _LANGUAGES if rule.name == "language" else _SLUGS
    return Parameter(
        rule.name,
        f"{description} {_MANY}",
        {"type": "string", "pattern": f"^({pattern})?$", "maxLength": 80},
        re.compile(f"(?=.{{1,80}}$){pattern}"),
        "Use a language such as en or pt-BR."
        if rule.name == "language"
        else "Use a slug: lower-case letters, digits and hyphens.",
        many=True,
        example=example,
    )


_FACET_TEXTS = {
    "category": ("Slugs of categories.", "crm-sales"),
    "kind": ("Kinds of listing.", "integration"),
    "auth": ("How it signs in to the partner's product.", "oauth2"),
    "publisher": ("Slugs of publishers.", "slack"),
    "pricing": ("How it is paid for.", "free"),
    "direction": ("Which way data moves, seen from the partner's product.", "two_way"),
    "rating": ("Smoothed rating of so many stars and up.", "4"),
    "certified": ("Only what the platform has certified.", "true"),
    "authorization": ("Levels at which authorities have authorized it.", "fedramp-moderate"),
    "works_with": ("Names of products it works with.", "Slack"),
    "language": ("Languages (BCP 47).", "en"),
}
SORT = Parameter(
    "sort",
    "The order. Without words to search for, `relevance` is `popular`.",
    {**_one_of(tuple(SORTS)), "default": "relevance"},
    re.compile("|".join(SORTS)),
    f"Use one of {', '.join(SORTS)}.",
)
PAGE = whole_number("page", 1, MAX_PAGE, "The page, from 1. Pages beyond the last are empty.")
PAGE_SIZE = whole_number("per_page", PER_PAGE, MAX_PER_PAGE, "Items a page.")
LISTING_PARAMETERS: tuple[Parameter, ...] = (
    Parameter(
        "q",
        'Words to search for; `"a phrase"` and `-without` are understood, spelling mistakes are '
        "forgiven. What is longer than 200 characters is cut.",
        {"type": "string"},
        example="send invoice",
    ),
    *(_facet(FACETS[name], *texts) for name, texts in _FACET_TEXTS.items()),
    SORT,
    PAGE,
    PAGE_SIZE,
)
PUBLISHER_PARAMETERS: tuple[Parameter, ...] = (
    Parameter(
        "q",
        "A part of the name.",
        {"type": "string", "maxLength": 80},
        re.compile(r".{1,80}", re.DOTALL),
        "Use at most 80 characters.",
        example="works",
    ),
    PAGE,
    PAGE_SIZE,
)


def check_parameters(args: MultiDict[str, str], known: tuple[Parameter, ...]) -> None:
    """Raises InvalidError that names each parameter which cannot be used."""
    problems: dict[str, str] = {}
    for parameter in known:
        values = args.getlist(parameter.name)
        if values:
            problem = parameter.problem(values)
            if problem is not None:
                problems[parameter.name] = problem
    if problems:
        raise InvalidError(problems, "Some parameters cannot be used.")


def parse_listing_search(args: MultiDict[str, str]) -> ListingSearch:
    """The search that an address asks for. Raises InvalidError by parameter."""
    check_parameters(args, LISTING_PARAMETERS)
    search = ListingSearch.parse(args, per_page=PER_PAGE)
    if search.ignored:
        raise InvalidError(
            {part.name: part.reason for part in search.ignored}, "Some parameters cannot be used."
        )
    page, per_page = page_of(args)
    return replace(search, page=page, per_page=per_page)


def page_of(args: MultiDict[str, str]) -> tuple[int, int]:
    """Page and items a page, after `check_parameters`."""
    return _whole(args.get("page"), 1), _whole(args.get("per_page"), PER_PAGE)


def _whole(value: str | None, default: int) -> int:
    return int(value.removesuffix(".0")) if value else default
