"""Changing an organization's policy and its rules; a block pauses what is installed."""

from sqlalchemy import delete, select
from sqlalchemy.orm import joinedload

from marketplace.catalogue.content import clean_text
from marketplace.catalogue.models import Listing
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import InvalidError
from marketplace.core.facts import record_fact
from marketplace.core.once import insert_if_new
from marketplace.core.permissions import Actor
from marketplace.identity.models import Organization
from marketplace.installs.customer.queries.policies import all_rules
from marketplace.installs.customer.services.pausing import settle
from marketplace.installs.customer.services.recording import lock_organization
from marketplace.installs.models import (
    App,
    Installation,
    InstallationState,
    InstallPolicy,
    InstallRule,
    MembersMay,
    RuleVerdict,
)

MAX_NOTE = 200


def change_policy(
    actor: Actor, organization: Organization, *, members_may: str, only_allowed: bool
) -> InstallPolicy:
    """Say who may install, and whether only what is allowed. Raises InvalidError."""
    if members_may not in {choice.value for choice in MembersMay}:
        raise InvalidError({"members_may": "Choose what members may do."})
    lock_organization(organization.id)
    insert_if_new(
        InstallPolicy,
        organization_id=organization.id,
        members_may=MembersMay.REQUEST,
        only_allowed=False,
        updated_at=clock.now(),
    )
    policy = db.session.get_one(InstallPolicy, organization.id, populate_existing=True)
    wanted = (MembersMay(members_may), only_allowed)
    if (policy.members_may, policy.only_allowed) != wanted:
        policy.members_may, policy.only_allowed = wanted
        policy.updated_by_id = actor.user_id
        _fact("install_policy.changed", actor, organization, members_may, str(only_allowed))
    return policy


def add_rule(
    actor: Actor,
    organization: Organization,
    *,
    subject: Listing | Organization | None,
    verdict: str,
    note: str = "",
) -> InstallRule:
    """Allow or block a listing, or all of a publisher; a rule that is there is replaced.

    What a block concerns is paused, what it concerns no more is resumed. Raises InvalidError
    (fields `target`, `verdict`, `note`).
    """
    note = " ".join(clean_text(note).split())
    errors = {}
    if subject is None:
        errors["target"] = "Nothing here has this name or address. Find it above, and choose it."
    if verdict not in {choice.value for choice in RuleVerdict}:
        errors["verdict"] = "Choose whether to allow or to block."
    if len(note) > MAX_NOTE:
        errors["note"] = f"Use at most {MAX_NOTE} characters."
    if errors or subject is None:
        raise InvalidError(errors)
    lock_organization(organization.id)
    if isinstance(subject, Listing):
        key = {"listing_id": subject.id, "publisher_id": None}
    else:
        key = {"listing_id": None, "publisher_id": subject.id}
    db.session.execute(
        delete(InstallRule).where(
            InstallRule.organization_id == organization.id,
            InstallRule.listing_id == key["listing_id"]
            if key["listing_id"] is not None
            else InstallRule.publisher_id == key["publisher_id"],
        )
    )
    rule = InstallRule(
        organization_id=organization.id,
        verdict=RuleVerdict(verdict),
        note=note,
        created_by_id=actor.user_id,
        **key,
    )
    db.session.add(rule)
    db.session.flush()
    kind = "listing" if isinstance(subject, Listing) else "publisher"
    _fact("install_rule.added", actor, organization, verdict, f"{kind}:{subject.slug}")
    settle_all(organization, actor.user_id)
    return rule


def remove_rule(actor: Actor, organization: Organization, rule: InstallRule) -> None:
    """Take a rule away; what only it had paused is resumed. Repeating it is harmless."""
    lock_organization(organization.id)
    about = rule.listing or rule.publisher
    verdict = rule.verdict.value
    done = db.session.execute(delete(InstallRule).where(InstallRule.id == rule.id))
    db.session.expire_all()
    if getattr(done, "rowcount", 0) != 1:
        return
    _fact("install_rule.removed", actor, organization, verdict, about.slug if about else "")
    settle_all(organization, actor.user_id)


def settle_all(organization: Organization, user_id: int | None) -> None:
    """Pause and resume what the organization has installed as its rules say now."""
    rules = all_rules(organization.id)
    for installation in db.session.scalars(
        select(Installation)
        .where(
            Installation.organization_id == organization.id,
            Installation.state != InstallationState.UNINSTALLED,
        )
        .options(
            joinedload(Installation.app).joinedload(App.publisher),
            joinedload(Installation.listing),
            joinedload(Installation.organization),
        )
        .order_by(Installation.id)
        .execution_options(populate_existing=True)
    ).all():
        settle(installation, rules, user_id)


def _fact(kind: str, actor: Actor, organization: Organization, what: str, about: str) -> None:
    record_fact(
        kind,
        subject=("organization", organization.id),
        actor_user_id=actor.user_id,
        organization_id=organization.id,
        data={"what": what, "about": about},
    )
