"""A partner's sandbox: making it, and putting it back to its beginning."""

from sqlalchemy import Select, delete, select

from marketplace.core.database import db
from marketplace.core.errors import ForbiddenError, NotFoundError
from marketplace.core.facts import record_fact
from marketplace.core.permissions import Actor
from marketplace.identity import queries as identity
from marketplace.identity.models import Membership, Organization, OrganizationKind, User
from marketplace.identity.slugs import free_slug, slug_base
from marketplace.installs.customer.services.recording import lock_app, lock_organization
from marketplace.installs.developer import sandbox_seed as seed
from marketplace.installs.developer.services.sandbox_installs import end_test_installations
from marketplace.installs.grants import revoke_client_grants
from marketplace.installs.models import (
    ApiCall,
    App,
    DeliveryAttempt,
    Environment,
    ErasureRequest,
    Installation,
    InstallPolicy,
    InstallRequest,
    InstallRule,
    OAuthClient,
    ScopeUse,
    WebhookDelivery,
    WebhookEvent,
)
from marketplace.installs.webhooks.queue import hold_endpoints


def find_sandbox(partner_id: int) -> Organization | None:
    """The partner's sandbox organization, None before it is made."""
    return db.session.scalar(select(Organization).where(Organization.sandbox_of_id == partner_id))


def ensure_sandbox(partner: Organization, actor: Actor) -> Organization:
    """The partner's sandbox organization, made if there is none: asking twice makes one.

    Nobody real is a member; the partner's owners, admins and developers act for it. Raises
    ForbiddenError when the organization is no partner.
    """
    if not partner.is_partner:
        raise ForbiddenError("Only partners have a sandbox.")
    lock_organization(partner.id)
    found = find_sandbox(partner.id)
    if found is not None:
        return found
    name = seed.sandbox_name(partner.name)
    sandbox = Organization(
        slug=free_slug(name, identity.slugs_like(slug_base(name))),
        name=name,
        kind=OrganizationKind.CUSTOMER,
        sandbox_of_id=partner.id,
    )
    db.session.add(sandbox)
    _plant(sandbox, partner)
    record_fact(
        "sandbox.made",
        subject=("organization", sandbox.id),
        actor_user_id=actor.user_id,
        organization_id=partner.id,
    )
    return sandbox


def reset_sandbox(partner: Organization, actor: Actor) -> None:
    """Put the partner's test environment back to its beginning; twice is as good as once.

    Test installations are removed and test tokens end; test events, deliveries, erasures and API
    calls are deleted; the sandbox organization is as it was made. Apps, their secrets, endpoints
    and keys stay. Nothing live is touched. Raises NotFoundError without a sandbox.
    """
    app_ids = list(
        db.session.scalars(select(App.id).where(App.publisher_id == partner.id).order_by(App.id))
    )
    # Apps first, then organizations: whoever installs takes the locks in this order too.
    for app_id in app_ids:
        lock_app(app_id)
    lock_organization(partner.id)
    sandbox = find_sandbox(partner.id)
    if sandbox is None:
        raise NotFoundError("There is no sandbox yet.")
    ended = end_test_installations(app_ids=app_ids, actor=actor, why="sandbox_reset")
    for client_id in db.session.scalars(
        select(OAuthClient.id).where(
            OAuthClient.app_id.in_(app_ids), OAuthClient.environment == Environment.TEST
        )
    ).all():
        revoke_client_grants(client_id, "sandbox_reset")
    _forget(partner.id, sandbox.id, app_ids)
    db.session.expire_all()
    _plant(sandbox, partner)
    record_fact(
        "sandbox.reset",
        subject=("organization", sandbox.id),
        actor_user_id=actor.user_id,
        organization_id=partner.id,
        data={"installations": ended},
    )


def _forget(partner_id: int, sandbox_id: int, app_ids: list[int]) -> None:
    """Delete what the test environment left behind, in the order of the foreign keys."""
    hold_endpoints(partner_id, Environment.TEST)
    events: Select[int] = select(WebhookEvent.id).where(
        WebhookEvent.organization_id == partner_id,
        WebhookEvent.environment == Environment.TEST,
    )
    deliveries = select(WebhookDelivery.id).where(WebhookDelivery.event_id.in_(events))
    installations = select(Installation.id).where(
        Installation.app_id.in_(app_ids), Installation.environment == Environment.TEST
    )
    for statement in (
        delete(DeliveryAttempt).where(DeliveryAttempt.delivery_id.in_(deliveries)),
        delete(WebhookDelivery).where(WebhookDelivery.event_id.in_(events)),
        delete(WebhookEvent).where(
            WebhookEvent.organization_id == partner_id,
            WebhookEvent.environment == Environment.TEST,
        ),
        delete(ErasureRequest).where(
            ErasureRequest.app_id.in_(app_ids),
            ErasureRequest.environment == Environment.TEST,
        ),
        delete(ApiCall).where(
            ApiCall.organization_id == partner_id, ApiCall.environment == Environment.TEST
        ),
        delete(ScopeUse).where(ScopeUse.installation_id.in_(installations)),
        delete(InstallRequest).where(InstallRequest.organization_id == sandbox_id),
        delete(InstallRule).where(InstallRule.organization_id == sandbox_id),
        delete(InstallPolicy).where(InstallPolicy.organization_id == sandbox_id),
    ):
        db.session.execute(statement.execution_options(synchronize_session=False))


def _plant(sandbox: Organization, partner: Organization) -> None:
    """Give the sandbox the values and members that it has at its beginning."""
    sandbox.name = seed.sandbox_name(partner.name)
    sandbox.website = seed.WEBSITE
    sandbox.tagline = seed.TAGLINE
    sandbox.about = ""
    sandbox.country = seed.COUNTRY
    sandbox.brand_color = seed.COLOR
    sandbox.logo_key = None
    db.session.flush()
    known = {member.user.email: member for member in identity.members_of(sandbox.id)}
    for person in seed.PEOPLE:
        address = seed.address_of(person, sandbox.slug)
        member = known.pop(address, None)
        if member is not None:
            member.role, member.user.name = person.role, person.name
            continue
        # Without an identity nobody can sign in as them; an address that is not confirmed gets
        # no mail.
        user = User(name=person.name, email=address, email_verified=False)
        db.session.add(user)
        db.session.flush()
        db.session.add(Membership(user_id=user.id, organization_id=sandbox.id, role=person.role))
    for stranger in known.values():
        db.session.delete(stranger)
    db.session.flush()
