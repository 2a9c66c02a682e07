"""What a listing's page says about installing it."""

from typing import Any

from flask import url_for

from marketplace.catalogue.models import Listing
from marketplace.core.database import db
from marketplace.core.permissions import Actor
from marketplace.identity.models import Organization
from marketplace.installs.customer import cap
from marketplace.installs.customer.asking import reasons_in
from marketplace.installs.customer.install_policy import Outcome, decide
from marketplace.installs.customer.paid_plans import needs_plan
from marketplace.installs.customer.queries.apps import has_app, installed_by, live_client_of
from marketplace.installs.customer.queries.policies import policy_of, rules_about
from marketplace.installs.customer.queries.requests import open_request
from marketplace.installs.customer.roles import role_for
from marketplace.installs.customer.showing import updates_of
from marketplace.installs.customer.updates import UpdateState
from marketplace.installs.models import InstallationState, PauseCause
from marketplace.installs.scopes import describe_scopes
from marketplace.sales.shop.policies import BUYERS


def install_panel(listing: Listing, actor: Actor) -> dict[str, Any]:
    """`{"install": {...}}` for a public listing that can be installed, else `{}`.

    `state` is available, plan, ask, requested, installed, update, paused, unpaid, blocked,
    not_allowed, admins_only or cap, seen by the actor for the active organization; `href` is where
    the button leads, `note` a sentence. One query for whoever is not signed in, at most twelve
    else.
    """
    if not listing.is_findable:
        return {}
    install = url_for("installs.install", slug=listing.slug)
    organization = _organization(listing, actor)
    if organization is None:
        if not has_app(listing.id):
            return {}
        # A publisher sees no button on its own page: it tries its app in the sandbox.
        if actor.role_in(listing.publisher_id) is not None and len(actor.organizations) == 1:
            return {}
        # Whether it takes a plan, the page knows from what is sold.
        return {"install": {"state": "available", "href": install, "note": ""}}
    client = live_client_of(listing.id)
    if client is None or client.app is None:
        return {}
    found = installed_by(client.app.id, [organization.id]).get(organization.id)
    if found is not None:
        state, note = "installed", ""
        if found.state is InstallationState.PAUSED:
            state = "paused"
            if found.pause_cause is PauseCause.ENTITLEMENT:
                return _panel("unpaid", _plans(listing), "", organization)
        else:
            update = updates_of(
                [found],
                policy_of(organization.id),
                rules_about(organization.id, listing.id, listing.publisher_id),
            ).get(found.id)
            if update is not None and update.is_offered:
                state = "update"
            elif update is not None and update.state is UpdateState.NOT_ALLOWED:
                note = f"Its update is not among what {organization.name} allows"
        page = url_for(
            "installs.installation", slug=organization.slug, installation_id=found.public_id
        )
        return _panel(state, page, note, organization, update_href=install)
    decision = decide(
        policy_of(organization.id),
        rules_about(organization.id, listing.id, listing.publisher_id),
        role_for(actor, organization),
        listing.id,
        listing.publisher_id,
    )
    if decision.outcome is Outcome.BLOCKED:
        return _panel("blocked", install, decision.note, organization)
    if decision.outcome is Outcome.NOT_ALLOWED:
        return _panel("not_allowed", install, "", organization)
    if decision.outcome is Outcome.NOTHING:
        return _panel("admins_only", install, "", organization)
    if cap.is_reached(
        0 if listing.certified_at else cap.count_towards_cap(listing.id),
        cap.current_cap(),
        is_certified=listing.certified_at is not None,
    ):
        return _panel("cap", install, "", organization)
    role = role_for(actor, organization)
    if needs_plan(listing, organization) and (
        decision.outcome is not Outcome.REQUEST or role in BUYERS
    ):
        return _panel("plan", _plans(listing), "", organization)
    if decision.outcome is Outcome.REQUEST:
        asked = open_request(organization.id, listing.id)
        return _panel("requested" if asked else "ask", install, "", organization)
    return _panel("available", install, "", organization)


def _plans(listing: Listing) -> str:
    """Where a plan of it is chosen."""
    return url_for("shop.choose", slug=listing.slug)


def scope_words(listing: Listing, _actor: Actor) -> dict[str, Any]:
    """`{"scope_words": {name: title}}`: what the scopes of the listing's page mean. One query, or
    none where it asks for none."""
    names = list(reasons_in(listing.content or {}))
    titles = {text.name: text.title for text in describe_scopes(names)} if names else {}
    return {"scope_words": titles}


def _organization(listing: Listing, actor: Actor) -> Organization | None:
    """The active organization, if it is one that installs this listing."""
    active = actor.organization
    if active is None or active.organization_kind == "platform":
        return None
    if active.organization_id == listing.publisher_id:
        return None
    return db.session.get(Organization, active.organization_id)


def _panel(
    state: str, href: str, note: str, organization: Organization, **more: Any
) -> dict[str, Any]:
    return {
        "install": {
            "state": state,
            "href": href,
            "note": note,
            "organization": organization.name,
            **more,
        }
    }
