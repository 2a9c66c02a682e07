"""Facets as people read them: labels of values, chosen values first, and where a choice leads."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from babel import Locale, UnknownLocaleError

from marketplace.accreditation.authorizations.schemes import LABELS as AUTHORIZATION_LABELS
from marketplace.catalogue.discovery.parameters import FACETS, FacetRule, ListingSearch

KIND_LABELS = {
    "app": "App",
    "integration": "Integration",
    "service": "Service",
    "template": "Template",
}
PRICING_LABELS = {
    "free": "Free",
    "freemium": "Free plan",
    "paid": "Paid",
    "contact": "Price on request",
}
DIRECTION_LABELS = {"read": "Reads data", "write": "Writes data", "two_way": "Two-way sync"}
AUTH_LABELS = {
    "oauth2": "OAuth 2.0",
    "api_key": "API key",
    "basic": "User name and password",
    "saml": "SAML single sign-on",
    "none": "No sign-in needed",
}
RATING_LABELS = {"4": "4 stars and up", "3": "3 stars and up", "2": "2 stars and up"}
_FIXED: Mapping[str, Mapping[str, str]] = {
    "kind": KIND_LABELS,
    "pricing": PRICING_LABELS,
    "direction": DIRECTION_LABELS,
    "auth": AUTH_LABELS,
    "rating": RATING_LABELS,
    "certified": {"true": "Certified"},
    "authorization": AUTHORIZATION_LABELS,
}


@dataclass(frozen=True, slots=True)
class FacetChoice:
    """A value of a facet of the search `asked`."""

    facet: str
    value: str
    label: str
    count: int
    selected: bool
    asked: ListingSearch

    @property
    def search(self) -> ListingSearch:
        """What choosing it (or letting it go) asks for."""
        return self.asked.toggled(self.facet, self.value)

    @property
    def args(self) -> dict[str, list[str]]:
        """The query arguments of the search with this value switched."""
        return self.search.args()


@dataclass(frozen=True, slots=True)
class Facet:
    """A group of values to filter by."""

    name: str
    label: str
    single: bool
    values: tuple[FacetChoice, ...]


@lru_cache(maxsize=512)
def language_label(code: str) -> str:
    """The English name of a BCP 47 language, the code itself where it has none."""
    try:
        name = Locale.parse(code.replace("-", "_")).get_display_name("en")
    except (UnknownLocaleError, ValueError):
        return code
    return name or code


@lru_cache(maxsize=512)
def country_label(code: str) -> str:
    """The English name of an ISO 3166 country, the code itself where it has none."""
    return str(Locale.parse("en").territories.get(code.upper(), code))


def value_label(facet: str, value: str, names: Mapping[str, Mapping[str, str]]) -> str:
    """How a value reads. `names` has the labels that come from the database, by facet."""
    if facet == "language":
        return language_label(value)
    known = _FIXED.get(facet) or names.get(facet, {})
    return known.get(value, value)


def build_facet(
    rule: FacetRule,
    counts: Iterable[tuple[str, int]],
    search: ListingSearch,
    names: Mapping[str, Mapping[str, str]],
) -> Facet:
    """The facet of these counts: chosen values first (with 0 where they were not counted),
    values outside of the vocabulary and empty ones left out."""
    found = {
        value: count for value, count in counts if not rule.vocabulary or value in rule.vocabulary
    }
    chosen = search.chosen(rule.name)
    order = list(chosen)
    order += (
        [value for value in rule.vocabulary if value in found and value not in chosen]
        if rule.name in ("rating", "certified")
        else [value for value in found if value not in chosen]
    )
    values = tuple(
        FacetChoice(
            facet=rule.name,
            value=value,
            label=value_label(rule.name, value, names),
            count=found.get(value, 0),
            selected=value in chosen,
            asked=search,
        )
        for value in order[: rule.most]
        if found.get(value) or value in chosen
    )
    return Facet(name=rule.name, label=rule.label, single=rule.single, values=values)


@dataclass(frozen=True, slots=True)
class ActiveFilter:
    """A chosen value, and the search without it."""

    label: str
    search: ListingSearch


def active_filters(
    search: ListingSearch, names: Mapping[str, Mapping[str, str]]
) -> tuple[ActiveFilter, ...]:
    """All chosen values in the order of the facets."""
    return tuple(
        ActiveFilter(_chip(name, value, names), search.toggled(name, value))
        for name in FACETS
        for value in search.chosen(name)
    )


def _chip(name: str, value: str, names: Mapping[str, Mapping[str, str]]) -> str:
    label = value_label(name, value, names)
    if name == "works_with":
        return f"Works with {label}"
    if name == "publisher":
        return f"By {label}"
    return label
