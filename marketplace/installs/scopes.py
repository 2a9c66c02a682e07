"""Scopes in words for people: our own API's (here) and the operator's (the table `oauth_scope`).

A scope is granted by a customer to an installation, or held by a partner's own credentials.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import select

from marketplace.core.database import db
from marketplace.installs.models import Scope, ScopeDirection


@dataclass(frozen=True)
class ScopeText:
    """What people read of a scope. `is_known`: somebody wrote the words, we did not guess."""

    name: str
    title: str
    description: str = ""
    direction: ScopeDirection = ScopeDirection.READ
    is_sensitive: bool = False
    is_known: bool = True


_READ, _WRITE = ScopeDirection.READ, ScopeDirection.WRITE

# What a customer may grant about itself in this marketplace.
CUSTOMER_SCOPES: Mapping[str, ScopeText] = {
    text.name: text
    for text in (
        ScopeText(
            "organization.read",
            "See your organization",
            "Its name, website, country and brand colour.",
        ),
        ScopeText(
            "members.read",
            "See your members",
            "Names, e-mail addresses and roles of everybody in your organization.",
            is_sensitive=True,
        ),
    )
}
# Begins the names of all scopes of partners' own credentials, and no other: a scope that a customer
# grants is another matter, and its name must never be mistaken for one of these.
PARTNER_PREFIX = "partner."
# What a partner's own credentials (client credentials and access keys) may do with its things.
PARTNER_SCOPES: Mapping[str, ScopeText] = {
    text.name: text
    for text in (
        ScopeText("partner.listings.read", "See listings", "Your listings, drafts and versions."),
        ScopeText(
            "partner.listings.write",
            "Change listings",
            "Begin, change and submit drafts, and publish versions.",
            _WRITE,
        ),
        ScopeText("partner.installations.read", "See installations", "Who installed your apps."),
        ScopeText(
            "partner.reviews.read", "See reviews", "Reviews of your listings and your answers."
        ),
        ScopeText(
            "partner.reviews.write", "Answer reviews", "Answer reviews in your name.", _WRITE
        ),
        ScopeText("partner.events.read", "Read events", "The feed of what your webhooks are told."),
        ScopeText("partner.analytics.read", "See figures", "Installs, removals and views by day."),
        ScopeText(
            "partner.erasures.write",
            "Confirm erasures",
            "See and confirm requests to erase data.",
            _WRITE,
        ),
    )
}


def is_ours(name: str) -> bool:
    """Whether a scope's name belongs to the marketplace, so that no operator may describe it."""
    return name in CUSTOMER_SCOPES or is_partners(name)


def is_partners(name: str) -> bool:
    """Whether it is a name for partners' own credentials, which no customer grants."""
    return name.lower().startswith(PARTNER_PREFIX)


def describe_scopes(names: Iterable[str]) -> list[ScopeText]:
    """The words of each scope that customers grant, in the order given; one query. A scope that
    nobody described is told by its name (`tickets.write` is "Change tickets").
    """
    names = list(dict.fromkeys(names))
    rows = {
        row.name: ScopeText(row.name, row.title, row.description, row.direction, row.is_sensitive)
        for row in db.session.scalars(select(Scope).where(Scope.name.in_(names)))
    }
    return [CUSTOMER_SCOPES.get(name) or rows.get(name) or _guess(name) for name in names]


def _guess(name: str) -> ScopeText:
    thing, _dot, verb = name.replace(":", ".").rpartition(".")
    words = thing.replace("_", " ").replace(".", " ").strip()
    if words and verb in {"read", "view", "list"}:
        return ScopeText(name, f"See {words}", is_known=False)
    if words and verb in {"write", "manage", "create", "update", "delete", "admin"}:
        return ScopeText(name, f"Change {words}", "", _WRITE, is_known=False)
    return ScopeText(name, name, "", _WRITE, is_known=False)
