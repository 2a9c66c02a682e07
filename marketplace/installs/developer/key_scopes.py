"""Which scopes a key may hold, by the role of whoever it speaks for; decided purely."""

from collections.abc import Iterable

from marketplace.installs.models import ScopeDirection
from marketplace.installs.scopes import PARTNER_SCOPES, ScopeText

# Owners and admins make keys that outlive them, and look after everybody's.
KEY_MANAGERS = frozenset({"owner", "admin"})
_EVERYBODY = frozenset({"owner", "admin", "editor", "developer", "finance", "viewer"})
# A developer may publish versions, which is part of writing listings; what else a key asks for
# with this scope is refused by the rules that hold for the person on the pages as well.
_WRITERS = {
    "partner.listings.write": frozenset({"owner", "admin", "editor", "developer"}),
    "partner.reviews.write": frozenset({"owner", "admin", "editor"}),
    "partner.erasures.write": frozenset({"owner", "admin", "developer"}),
}


def scopes_of_role(role: str | None) -> frozenset[str]:
    """The scopes that a personal key of somebody with this role can use at most.

    None (no member, or no longer) is nothing. An organization's key counts as an owner's.
    """
    return frozenset(
        name
        for name, text in PARTNER_SCOPES.items()
        if role in (_EVERYBODY if text.direction is ScopeDirection.READ else _WRITERS[name])
    )


def offered_scopes(role: str | None) -> list[ScopeText]:
    """The same with their words, in the order of our list."""
    own = scopes_of_role(role)
    return [text for name, text in PARTNER_SCOPES.items() if name in own]


def usable_scopes(scopes: Iterable[str], role: str | None) -> frozenset[str]:
    """What is left of a personal key's scopes after its person's role changed to `role`."""
    return scopes_of_role(role) & frozenset(scopes)
