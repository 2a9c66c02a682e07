"""Who may see and change what an organization has installed."""

from marketplace.core.permissions import Actor, rule
from marketplace.identity.models import Organization
from marketplace.installs.customer.queries.policies import RuleRemoval, policy_of
from marketplace.installs.customer.roles import SANDBOX_ROLES, is_admin_of, role_for
from marketplace.installs.models import (
    Environment,
    ErasureRequest,
    Installation,
    InstallRequest,
    MembersMay,
)

# Who of the staff talks to partners and customers.
STAFF_ROLES = ("support", "program_manager")


@rule("listing.install")
def may_begin_install(actor: Actor, _listing: object) -> bool:
    """Whoever is signed in may look; for which organization, its policy says."""
    return actor.is_authenticated


@rule("apps.view")
def may_view_apps(actor: Actor, organization: Organization) -> bool:
    """Every member sees what is installed."""
    return role_for(actor, organization) is not None


@rule("apps.manage")
def may_manage_apps(actor: Actor, organization: Organization) -> bool:
    """Owners and admins set the policy and decide requests."""
    return is_admin_of(actor, organization)


@rule("install_rule.remove")
def may_remove_rule(actor: Actor, removal: RuleRemoval) -> bool:
    """Owners and admins."""
    return is_admin_of(actor, removal.organization)


@rule("installation.view")
def may_view_installation(actor: Actor, installation: Installation) -> bool:
    """Every member sees what it may do."""
    return role_for(actor, installation.organization) is not None


@rule("installation.manage")
def may_manage_installation(actor: Actor, installation: Installation) -> bool:
    """Owners and admins; and whoever consented, as long as members may install."""
    if is_admin_of(actor, installation.organization):
        return True
    return (
        role_for(actor, installation.organization) is not None
        and installation.consented_by_id == actor.user_id
        and policy_of(installation.organization_id).members_may is MembersMay.INSTALL
    )


@rule("install_request.withdraw")
def may_withdraw_request(actor: Actor, request: InstallRequest) -> bool:
    """Its author, while a member."""
    return (
        request.requested_by_id == actor.user_id
        and actor.role_in(request.organization_id) is not None
    )


@rule("install_request.decide")
def may_decide_request(actor: Actor, request: InstallRequest) -> bool:
    """Owners and admins; once closed there is nothing to decide, which the service says."""
    return actor.role_in(request.organization_id) in {"owner", "admin"}


@rule("erasures.received")
def may_see_received_erasures(actor: Actor, _resource: object = None) -> bool:
    """People of a partner who look after its apps."""
    organization = actor.organization
    return (
        organization is not None
        and organization.organization_kind == "partner"
        and organization.role in SANDBOX_ROLES
    )


@rule("erasure.complete")
def may_complete_erasure(actor: Actor, erasure: ErasureRequest) -> bool:
    """The publisher's people who look after its apps."""
    return actor.role_in(erasure.app.publisher_id) in SANDBOX_ROLES


@rule("erasures.watch")
def may_watch_erasures(actor: Actor, _resource: object = None) -> bool:
    """Staff who talk to partners and customers."""
    return actor.is_staff_as(*STAFF_ROLES)


@rule("erasure.remind")
def may_remind(actor: Actor, erasure: ErasureRequest) -> bool:
    """The same, of what real customers asked for; sandboxes are their partners' own affair."""
    return erasure.environment is Environment.LIVE and actor.is_staff_as(*STAFF_ROLES)


@rule("scopes.manage")
def may_manage_scopes(actor: Actor, _resource: object = None) -> bool:
    """Staff who look after the catalogue put scopes into words."""
    return actor.is_staff_as("program_manager")
