"""What a search asks for, read from an address.

Anything may stand in an address, so nothing here raises: what cannot be used is left out and
told in `ignored`. The pages pass over it, the API refuses it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from werkzeug.datastructures import MultiDict

from marketplace.accreditation.authorizations.schemes import VALUES as LEVELS
from marketplace.catalogue.content import AUTH_KINDS, DIRECTIONS, KINDS, PRICING_MODELS, clean_text
from marketplace.core.pagination import page_number

MAX_QUERY = 200
MAX_WORDS = 12
MAX_VALUES = 10
# Whole rows of two and three columns, and a page of less than 200 KB.
PER_PAGE = 18
MAX_PER_PAGE = 100

SORTS: Mapping[str, str] = MappingProxyType(
    {
        "relevance": "Best match",
        "popular": "Most popular",
        "rating": "Best rated",
        "newest": "Newest",
        "name": "Name",
    }
)

_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_NAME = re.compile(r".{1,60}")


@dataclass(frozen=True, slots=True)
class FacetRule:
    """A filter: its name in addresses, its field in the index, and which values it takes.

    `vocabulary` lists all values where they are few and fixed; otherwise `pattern` says what
    one looks like. `single` filters take one value. `shown` ones are offered beside results,
    the `most` frequent values of them: a facet of a large catalogue may have thousands.
    """

    name: str
    label: str
    field: str
    vocabulary: tuple[str, ...] = ()
    pattern: re.Pattern[str] = _SLUG
    single: bool = False
    shown: bool = True
    most: int = 40

    def accepts(self, value: str) -> bool:
        """Whether `value` can be a value of this filter."""
        if self.vocabulary:
            return value in self.vocabulary
        return len(value) <= 80 and self.pattern.fullmatch(value) is not None

    def split(self, values: list[str]) -> list[str]:
        """The values of an address: repeated, or (where none holds one) parted by commas."""
        if self.pattern is _NAME:
            return [" ".join(clean_text(value).split()) for value in values]
        return [part.strip() for value in values for part in value.split(",")]


FACETS: Mapping[str, FacetRule] = MappingProxyType(
    {
        rule.name: rule
        for rule in (
            FacetRule("category", "Category", "category"),
            FacetRule("kind", "Kind", "kind", KINDS),
            FacetRule("pricing", "Pricing", "pricing", PRICING_MODELS),
            FacetRule("rating", "Rating", "rating_band", ("4", "3", "2"), single=True),
            FacetRule("certified", "Certification", "certified", ("true",), single=True),
            FacetRule("authorization", "Authorization", "authorization", LEVELS),
            FacetRule("works_with", "Works with", "works_with", pattern=_NAME, most=15),
            FacetRule("direction", "Data", "direction", DIRECTIONS),
            FacetRule("auth", "Sign-in", "auth", AUTH_KINDS),
            FacetRule("language", "Language", "language", pattern=_LANGUAGE, most=15),
            FacetRule("publisher", "Publisher", "publisher_slug", shown=False),
        )
    }
)


@dataclass(frozen=True, slots=True)
class Ignored:
    """A part of an address that could not be used, and why."""

    name: str
    value: str
    reason: str


@dataclass(frozen=True, slots=True)
class ListingSearch:
    """A search as it was understood. `filters` maps names of FACETS to chosen values."""

    text: str = ""
    filters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    sort: str = "relevance"
    page: int = 1
    per_page: int = PER_PAGE
    cut: str = ""
    ignored: tuple[Ignored, ...] = ()

    @classmethod
    def parse(cls, args: MultiDict[str, str], *, per_page: int = PER_PAGE) -> "ListingSearch":
        """Read a search from query arguments. Never raises."""
        ignored: list[Ignored] = []
        text, cut = _text(args.get("q", ""))
        filters: dict[str, tuple[str, ...]] = {}
        for name, rule in FACETS.items():
            chosen = _values(rule, args.getlist(name), ignored)
            if chosen:
                filters[name] = chosen
        sort = args.get("sort", "").strip()
        if sort and sort not in SORTS:
            ignored.append(Ignored("sort", sort[:80], f"Use one of {', '.join(SORTS)}."))
            sort = ""
        return cls(
            text=text,
            filters=filters,
            sort=sort or "relevance",
            page=page_number(args.get("page")),
            per_page=_per_page(args.get("per_page"), per_page),
            cut=cut,
            ignored=tuple(ignored),
        )

    @property
    def is_filtered(self) -> bool:
        """Whether any filter is set."""
        return bool(self.filters)

    @property
    def is_plain(self) -> bool:
        """Whether it asks for everything in the usual order."""
        return not self.text and not self.filters and self.sort in ("relevance", "popular")

    def chosen(self, name: str) -> tuple[str, ...]:
        """The chosen values of a filter."""
        return self.filters.get(name, ())

    def toggled(self, name: str, value: str) -> "ListingSearch":
        """This search, from its first page, with one value of a filter switched."""
        before = self.chosen(name)
        if value in before:
            values = tuple(item for item in before if item != value)
        elif FACETS[name].single:
            values = (value,)
        else:
            values = (*before, value)
        filters = {**self.filters, name: values}
        if not values:
            del filters[name]
        return replace(self, filters=filters, page=1)

    def unfiltered(self) -> "ListingSearch":
        """This search, from its first page, without filters."""
        return replace(self, filters={}, page=1)

    def with_text(self, text: str) -> "ListingSearch":
        """This search, from its first page, for other words."""
        return replace(self, text=text, page=1, cut="")

    def at_page(self, page: int) -> "ListingSearch":
        """Another page of this search."""
        return replace(self, page=page)

    def args(self) -> dict[str, list[str]]:
        """The query arguments of its address; what is the default is left out."""
        found: dict[str, list[str]] = {}
        if self.text:
            found["q"] = [self.text]
        for name, values in self.filters.items():
            found[name] = list(values)
        if self.sort != "relevance":
            found["sort"] = [self.sort]
        if self.page > 1:
            found["page"] = [str(self.page)]
        return found


def _text(value: str) -> tuple[str, str]:
    """The words of a query within the limits, and a sentence when some were cut."""
    # A query of megabytes is cut before it is looked at.
    words = clean_text(value[: 4 * MAX_QUERY]).split()
    text = " ".join(words)
    if len(text) > MAX_QUERY or len(value) > 4 * MAX_QUERY:
        text = text[:MAX_QUERY].rsplit(" ", 1)[0] if " " in text[:MAX_QUERY] else text[:MAX_QUERY]
        words = text.split()
        cut = f"Only the first {MAX_QUERY} characters were searched for."
    else:
        cut = ""
    if len(words) > MAX_WORDS:
        text = " ".join(words[:MAX_WORDS])
        cut = f"Only the first {MAX_WORDS} words were searched for."
    return text, cut


def _values(rule: FacetRule, given: list[str], ignored: list[Ignored]) -> tuple[str, ...]:
    values: list[str] = []
    for value in rule.split(given[: 5 * MAX_VALUES]):
        if not value or value in values:
            continue
        if not rule.accepts(value):
            reason = (
                f"Use one of {', '.join(rule.vocabulary)}." if rule.vocabulary else "Not a value."
            )
            ignored.append(Ignored(rule.name, value[:80], reason))
        elif len(values) >= (1 if rule.single else MAX_VALUES):
            most = "one value" if rule.single else f"at most {MAX_VALUES} values"
            ignored.append(Ignored(rule.name, value[:80], f"Use {most}."))
        else:
            values.append(value)
    return tuple(values)


def _per_page(value: str | None, default: int) -> int:
    if value is None or not value.isascii() or not value.isdigit() or len(value) > 6:
        return default
    return min(max(int(value), 1), MAX_PER_PAGE)
