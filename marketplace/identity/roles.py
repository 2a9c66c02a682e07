"""Who may give which role to whom, decided purely."""

from marketplace.identity.models import MEMBER_ROLES, STAFF_ROLES, OrganizationKind, Role

MANAGERS = frozenset({Role.OWNER, Role.ADMIN})

LABELS = {
    Role.OWNER: "Owner",
    Role.ADMIN: "Admin",
    Role.EDITOR: "Editor",
    Role.DEVELOPER: "Developer",
    Role.FINANCE: "Finance",
    Role.VIEWER: "Viewer",
    Role.REVIEWER: "Reviewer",
    Role.PROGRAM_MANAGER: "Program manager",
    Role.SUPPORT: "Support",
}

DESCRIPTIONS = {
    Role.OWNER: "Everything, including other owners",
    Role.ADMIN: "Members, profile and listings",
    Role.EDITOR: "Writes and submits listings",
    Role.DEVELOPER: "Technical settings",
    Role.FINANCE: "Money matters",
    Role.VIEWER: "Sees everything, changes nothing",
    Role.REVIEWER: "Reviews what partners submit",
    Role.PROGRAM_MANAGER: "Looks after partners and the catalogue",
    Role.SUPPORT: "Helps people and handles reports",
}


def roles_of_kind(kind: OrganizationKind) -> tuple[Role, ...]:
    """The roles that exist in an organization of this kind."""
    return STAFF_ROLES if kind is OrganizationKind.PLATFORM else MEMBER_ROLES


def may_manage(role: str | None) -> bool:
    """Whether someone with this role looks after members and invitations."""
    return role in MANAGERS


def assignable_roles(own_role: str | None, kind: OrganizationKind) -> tuple[Role, ...]:
    """The roles that a member with `own_role` may give: owners all, admins all but owner."""
    if own_role == Role.OWNER:
        return roles_of_kind(kind)
    if own_role == Role.ADMIN:
        return tuple(role for role in roles_of_kind(kind) if role is not Role.OWNER)
    return ()


def may_change_member(own_role: str | None, member_role: Role) -> bool:
    """Whether a member with `own_role` may change or remove one with `member_role`."""
    return may_manage(own_role) and (own_role == Role.OWNER or member_role is not Role.OWNER)


def keepers(kind: OrganizationKind) -> frozenset[Role]:
    """The roles of which at least one member must stay.

    The platform may have no owner at all (its first people are admins named by a setting), so
    there one owner or admin is enough.
    """
    return MANAGERS if kind is OrganizationKind.PLATFORM else frozenset({Role.OWNER})
