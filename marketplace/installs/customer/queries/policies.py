"""An organization's policy and its rules."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import exists, select
from sqlalchemy.orm import joinedload

from marketplace.catalogue.models import Listing
from marketplace.core.database import db
from marketplace.identity.models import Organization
from marketplace.identity.queries import find_organization
from marketplace.installs.customer.install_policy import Policy, PolicyRule
from marketplace.installs.models import InstallPolicy, InstallRule


def policy_of(organization_id: int) -> Policy:
    """The organization's policy, the defaults when it has chosen none. One query."""
    row = db.session.get(InstallPolicy, organization_id)
    return Policy(row.members_may, row.only_allowed) if row is not None else Policy()


def rules_about(
    organization_id: int, listing_id: int | None, publisher_id: int
) -> list[PolicyRule]:
    """The organization's rules that speak of this listing or this publisher. One query."""
    rows = db.session.scalars(
        select(InstallRule).where(
            InstallRule.organization_id == organization_id,
            (InstallRule.listing_id == listing_id) | (InstallRule.publisher_id == publisher_id),
        )
    )
    return [as_rule(row) for row in rows]


def all_rules(organization_id: int) -> list[PolicyRule]:
    """All rules of the organization, as values. One query."""
    rows = db.session.scalars(
        select(InstallRule).where(InstallRule.organization_id == organization_id)
    )
    return [as_rule(row) for row in rows]


def organizations_not_allowing(listing: Listing, organization_ids: Sequence[int]) -> set[int]:
    """Of these organizations those that install only what a rule allows, and have no rule that
    allows this listing or its publisher. One query."""
    allowed = exists().where(
        InstallRule.organization_id == InstallPolicy.organization_id,
        (InstallRule.listing_id == listing.id) | (InstallRule.publisher_id == listing.publisher_id),
    )
    return set(
        db.session.scalars(
            select(InstallPolicy.organization_id).where(
                InstallPolicy.organization_id.in_(organization_ids),
                InstallPolicy.only_allowed.is_(True),
                ~allowed,
            )
        )
    )


def as_rule(row: InstallRule) -> PolicyRule:
    """The value that the pure rule works with."""
    return PolicyRule(row.verdict, row.listing_id, row.publisher_id, row.note)


def rules_to_show(organization_id: int) -> Sequence[InstallRule]:
    """The rules with their listings and publishers, blocks first, then by age."""
    return db.session.scalars(
        select(InstallRule)
        .where(InstallRule.organization_id == organization_id)
        .options(
            joinedload(InstallRule.listing).joinedload(Listing.publisher),
            joinedload(InstallRule.publisher),
        )
        .order_by(InstallRule.verdict.desc(), InstallRule.id)
    ).all()


@dataclass(frozen=True)
class RuleRemoval:
    """A rule of an organization that is to go; `rule` is None when it is gone already."""

    organization: Organization
    rule: InstallRule | None


def find_removal(slug: str, rule_id: int) -> RuleRemoval | None:
    """The rule of that id at the organization of that slug. Two queries."""
    organization = find_organization(slug)
    if organization is None:
        return None
    rule = db.session.scalar(
        select(InstallRule)
        .where(InstallRule.organization_id == organization.id, InstallRule.id == rule_id)
        .options(joinedload(InstallRule.listing), joinedload(InstallRule.publisher))
    )
    return RuleRemoval(organization, rule)
