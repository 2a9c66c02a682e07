"""Who may do what with accounts and organizations."""

from marketplace.core.permissions import Actor, rule
from marketplace.identity.models import (
    Identity,
    Invitation,
    Membership,
    Organization,
    UserSession,
)
from marketplace.identity.roles import may_manage
from marketplace.identity.services.invitations import is_addressed_to


@rule("account.use")
def use_account(actor: Actor, _resource: object) -> bool:
    """Everybody who is signed in has an account of their own."""
    return actor.is_authenticated


@rule("session.end")
def end_session(actor: Actor, session: UserSession) -> bool:
    """One's own sessions alone."""
    return actor.is_authenticated and session.user_id == actor.user_id


@rule("identity.unlink")
def unlink_identity(actor: Actor, identity: Identity) -> bool:
    """One's own identities alone."""
    return actor.is_authenticated and identity.user_id == actor.user_id


@rule("organization.leave")
def leave_organization(actor: Actor, organization: Organization) -> bool:
    """Any member may leave; that somebody must stay is for the service to say."""
    return actor.role_in(organization.id) is not None


@rule("organization.see_members")
def see_members(actor: Actor, organization: Organization) -> bool:
    """Members see each other."""
    return actor.role_in(organization.id) is not None


@rule("organization.manage_members")
def manage_members(actor: Actor, organization: Organization) -> bool:
    """Owners and admins."""
    return may_manage(actor.role_in(organization.id))


@rule("organization.change_member")
def change_member(actor: Actor, membership: Membership) -> bool:
    """Owners and admins of the member's organization."""
    return may_manage(actor.role_in(membership.organization_id))


@rule("organization.edit")
def edit_organization(actor: Actor, organization: Organization) -> bool:
    """Owners and admins; of partners also the staff that looks after them."""
    if may_manage(actor.role_in(organization.id)):
        return True
    return organization.is_partner and actor.is_staff_as("program_manager")


@rule("invitation.manage")
def manage_invitation(actor: Actor, invitation: Invitation) -> bool:
    """Owners and admins of the inviting organization."""
    return may_manage(actor.role_in(invitation.organization_id))


@rule("invitation.answer")
def answer_invitation(actor: Actor, invitation: Invitation) -> bool:
    """Whoever has proven the invited address."""
    return is_addressed_to(actor, invitation)
