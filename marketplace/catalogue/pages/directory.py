"""What the directory of partners is asked for, read from an address. Never raises."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from werkzeug.datastructures import MultiDict

from marketplace.catalogue.content import clean_text
from marketplace.core.pagination import page_number
from marketplace.identity.partner_types import FALLBACK, PARTNER_TYPES

# What the directory calls them while no policy says which types there are.
_LABELS: Mapping[str, str] = MappingProxyType(
    {
        "technology": "Technology partner",
        "developer": "App developer",
        "integration": "Integration partner",
        "agency": "Agency",
        "consulting": "Consulting partner",
        "reseller": "Reseller",
        "affiliate": "Affiliate",
        "franchise": "Franchise",
        "white_label": "White-label partner",
        "academic": "Academic partner",
        "non_profit": "Non-profit",
        "government": "Public sector",
    }
)


def offered_types() -> Mapping[str, str]:
    """The types to choose from: those of the program, with its names."""
    return _LABELS if PARTNER_TYPES.items() == FALLBACK.items() else PARTNER_TYPES


def type_labels() -> Mapping[str, str]:
    """What every type is called, also one that partners have and the program offers no more."""
    return {**_LABELS, **offered_types()}


SORTS: Mapping[str, str] = MappingProxyType(
    {"popular": "Most popular", "name": "Name", "newest": "Newest"}
)
MOST_TEXT = 80


@dataclass(frozen=True, slots=True)
class DirectorySearch:
    """A question to the directory as it was understood."""

    text: str = ""
    partner_type: str = ""
    country: str = ""
    category: str = ""
    sort: str = "popular"
    page: int = 1

    @classmethod
    def parse(cls, args: MultiDict[str, str]) -> "DirectorySearch":
        """Read it from query arguments; what cannot be used is left out."""
        text = " ".join(clean_text(args.get("q", "")[: 4 * MOST_TEXT]).split())[:MOST_TEXT]
        partner_type = args.get("type", "")
        country = args.get("country", "").upper()
        category = args.get("category", "")
        sort = args.get("sort", "")
        return cls(
            text=text,
            partner_type=partner_type if partner_type in type_labels() else "",
            country=country if re.fullmatch(r"[A-Z]{2}", country) else "",
            category=category if re.fullmatch(r"[a-z0-9-]{1,60}", category) else "",
            sort=sort if sort in SORTS else "popular",
            page=page_number(args.get("page")),
        )

    @property
    def is_plain(self) -> bool:
        """Whether it asks for everybody in the usual order."""
        return self == DirectorySearch(page=self.page)

    def args(self, **changes: Any) -> dict[str, Any]:
        """The query arguments of its address with `changes`; from the first page unless told."""
        asked = replace(self, **{"page": 1, **changes})
        pairs = {
            "q": asked.text,
            "type": asked.partner_type,
            "country": asked.country,
            "category": asked.category,
            "sort": asked.sort if asked.sort != "popular" else "",
            "page": str(asked.page) if asked.page > 1 else "",
        }
        return {name: value for name, value in pairs.items() if value}
