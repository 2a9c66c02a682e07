"""Who asks for which scope."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import String, cast, func, select, text

from marketplace.core.database import db
from marketplace.installs.models import Installation, InstallationState, Scope
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
    held = db.session.scalar(
        select(func.count())
        .select_from(Installation)
        .where(
            Installation.state != InstallationState.UNINSTALLED,
            cast(Installation.granted_scopes, String).contains(f'"{name}"', autoescape=True),
        )
    )
    return ScopeUsers(listings_by_scope().get(name, 0), held or 0)
