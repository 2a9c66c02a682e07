"""What a key may do, by the role of its person, as a table."""

import pytest

from marketplace.identity.models import MEMBER_ROLES
from marketplace.installs.developer.key_scopes import (
    offered_scopes,
    scopes_of_role,
    usable_scopes,
)
from marketplace.installs.scopes import PARTNER_SCOPES

READ = {
    "partner.listings.read",
    "partner.installations.read",
    "partner.reviews.read",
    "partner.events.read",
    "partner.analytics.read",
}


@pytest.mark.parametrize(
    ("role", "writes"),
    [
        ("owner", {"partner.listings.write", "partner.reviews.write", "partner.erasures.write"}),
        ("admin", {"partner.listings.write", "partner.reviews.write", "partner.erasures.write"}),
        ("editor", {"partner.listings.write", "partner.reviews.write"}),
        ("developer", {"partner.listings.write", "partner.erasures.write"}),
        ("finance", set()),
        ("viewer", set()),
    ],
)
def test_a_role_reads_everything_and_writes_what_its_pages_let_it_write(
    role: str, writes: set[str]
) -> None:
    assert scopes_of_role(role) == READ | writes


@pytest.mark.parametrize("role", [None, "", "reviewer", "support"])
def test_who_is_no_member_may_hold_nothing(role: str | None) -> None:
    assert scopes_of_role(role) == frozenset()


def test_every_partner_scope_is_for_owners() -> None:
    assert scopes_of_role("owner") == set(PARTNER_SCOPES)
    assert [text.name for text in offered_scopes("owner")] == list(PARTNER_SCOPES)


def test_a_key_loses_what_its_persons_new_role_does_not_allow() -> None:
    assert usable_scopes(["partner.listings.write", "partner.listings.read"], "viewer") == {
        "partner.listings.read"
    }
    assert usable_scopes(["partner.listings.read"], None) == frozenset()


def test_the_table_knows_all_roles_of_members() -> None:
    assert all(scopes_of_role(role.value) >= READ for role in MEMBER_ROLES)
