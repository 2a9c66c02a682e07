"""Who may give and take which role."""

import pytest

from marketplace.identity.models import MEMBER_ROLES, STAFF_ROLES, OrganizationKind, Role
from marketplace.identity.roles import (
    DESCRIPTIONS,
    LABELS,
    assignable_roles,
    keepers,
    may_change_member,
)

PARTNER, PLATFORM = OrganizationKind.PARTNER, OrganizationKind.PLATFORM


@pytest.mark.parametrize(
    ("own_role", "kind", "roles"),
    [
        ("owner", PARTNER, set(MEMBER_ROLES)),
        ("admin", PARTNER, set(MEMBER_ROLES) - {Role.OWNER}),
        ("editor", PARTNER, set()),
        ("viewer", PARTNER, set()),
        (None, PARTNER, set()),
        ("owner", PLATFORM, set(STAFF_ROLES)),
        ("admin", PLATFORM, set(STAFF_ROLES) - {Role.OWNER}),
        ("reviewer", PLATFORM, set()),
    ],
)
def test_owners_give_all_roles_and_admins_all_but_owner(
    own_role: str | None, kind: OrganizationKind, roles: set[Role]
) -> None:
    assert set(assignable_roles(own_role, kind)) == roles


@pytest.mark.parametrize(
    ("own_role", "member_role", "may"),
    [
        ("owner", Role.OWNER, True),
        ("owner", Role.VIEWER, True),
        ("admin", Role.OWNER, False),
        ("admin", Role.ADMIN, True),
        ("admin", Role.EDITOR, True),
        ("editor", Role.VIEWER, False),
        ("finance", Role.VIEWER, False),
        (None, Role.VIEWER, False),
    ],
)
def test_only_owners_touch_owners(own_role: str | None, member_role: Role, may: bool) -> None:
    assert may_change_member(own_role, member_role) is may


def test_a_platform_can_be_kept_by_an_admin_and_others_by_an_owner() -> None:
    assert keepers(PLATFORM) == {Role.OWNER, Role.ADMIN}
    assert keepers(PARTNER) == {Role.OWNER}


def test_every_role_is_explained() -> None:
    assert set(LABELS) == set(DESCRIPTIONS) == set(Role)
