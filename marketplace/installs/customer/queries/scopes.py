"""Who asks for which scope."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select, text

from marketplace.core.database import db
from marketplace.installs.models import Scope
from marketplace.installs.scopes import CUSTOMER_SCOPES

# The scopes are a list within the JSON that a listing says; each database opens it its own way.
_COUNTS = {
    "sqlite": text(
        "SELECT json_extract(part.value, '$.scope') AS scope, count(*) AS listings "
        "FROM listing, json_each(listing.content, '$.scopes') AS part "
        "WHERE listing.published_at IS NOT NULL GROUP BY 1 ORDER BY 1"
    ),
    "postgresql": text(
        "SELECT part->>'scope' AS scope, count(*) AS listings "
        "FROM listing, json_array_elements(CASE json_typeof(content->'scopes') "
        "WHEN 'array' THEN content->'scopes' ELSE '[]'::json END) AS part "
        "WHERE published_at IS NOT NULL GROUP BY 1 ORDER BY 1"
    ),
}

# The same for what was granted; names are compared as they are, letter by letter.
_HELD = {
    "sqlite": text(
        "SELECT count(*) FROM installation WHERE state <> 'uninstalled' AND EXISTS "
        "(SELECT 1 FROM json_each(installation.granted_scopes) AS part WHERE part.value = :name)"
    ),
    "postgresql": text(
        "SELECT count(*) FROM installation WHERE state <> 'uninstalled' AND EXISTS "
        "(SELECT 1 FROM json_array_elements_text(granted_scopes) AS part WHERE part = :name)"
    ),
}


@dataclass(frozen=True)
class ScopeUsers:
    """How many published listings ask for a scope, and how many installations hold it."""

    listings: int
    installations: int

    @property
    def is_used(self) -> bool:
        """Whether somebody would miss its words."""
        return bool(self.listings or self.installations)


def listings_by_scope() -> dict[str, int]:
    """How many published listings ask for each scope. One query over all of them."""
    dialect = db.session.get_bind().dialect.name
    return {
        str(row.scope): int(row.listings)
        for row in db.session.execute(_COUNTS[dialect])
        if row.scope is not None
    }


def described_scopes() -> Sequence[Scope]:
    """The operator's scopes by name."""
    return db.session.scalars(select(Scope).order_by(Scope.name)).all()


def undescribed(asked: dict[str, int], described: Sequence[Scope]) -> dict[str, int]:
    """Of the scopes that listings ask for, those that nobody has put into words."""
    known = {scope.name for scope in described} | set(CUSTOMER_SCOPES)
    return {name: count for name, count in asked.items() if name not in known}


def find_scope(scope_name: str) -> Scope | None:
    """The operator's scope of that name."""
    return db.session.get(Scope, scope_name)


def who_asks(name: str) -> ScopeUsers:
    """Who uses one scope. Two queries."""
    dialect = db.session.get_bind().dialect.name
    held = db.session.scalar(_HELD[dialect], {"name": name})
    return ScopeUsers(listings_by_scope().get(name, 0), held or 0)
