"""Rounds, staff who judge them, and applications, for tests. All of it is flushed."""

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from billing.public_ids import new_public_id
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.permissions import Actor, MembershipInfo
from marketplace.identity.models import Organization, Role, User
from marketplace.program.applications.models import (
    Application,
    ProgramRound,
    RoundKind,
    RoundState,
    RoundTerms,
)
from marketplace.program.applications.services.rounds import APPROVALS, apply
from marketplace.program.policy.document import FormField, Stage
from tests.factories.people import make_member, make_platform, make_user

QUESTION = {"key": "why", "label": "What do you want to do?", "kind": "long_text"}


@dataclass(frozen=True)
class Judges:
    """The staff; nobody shares an e-mail domain with an applicant of the tests."""

    platform: Organization
    reviewer: User
    second: User
    manager: User
    finance: User


def make_judges() -> Judges:
    """Two reviewers, a program manager and somebody of finance."""
    platform = make_platform()

    def person(name: str, role: Role) -> User:
        address = f"{name.split()[0].lower()}@harbor.example"
        return make_member(platform, role, make_user(name, address))

    return Judges(
        platform,
        person("Ines Moreau", Role.REVIEWER),
        person("Samuel Adeyemi", Role.REVIEWER),
        person("Daniel Osei", Role.PROGRAM_MANAGER),
        person("Greta Holm", Role.FINANCE),
    )


def make_round(kind: RoundKind = RoundKind.GRANT, **fields: Any) -> ProgramRound:
    """An open round with one question; a grant has a budget of €10,000.00."""
    now = clock.now()
    stages: list[dict[str, Any]] = (
        [dict(each) for each in APPROVALS]
        if kind is RoundKind.PROOF_OF_CONCEPT
        else [{"key": "review", "name": "Review", "reviewers": 2, "pass_score": 60}]
    )
    values: dict[str, Any] = {
        "public_id": new_public_id("rnd"),
        "kind": kind,
        "state": RoundState.OPEN,
        "name": "Autumn round",
        "opens_at": now - timedelta(days=1),
        "closes_at": now + timedelta(days=30),
        "types": [],
        "least_tier": "",
        "form": [QUESTION],
        "stages": stages,
        "budget": 1_000_000 if kind is RoundKind.GRANT else 0,
        "currency": "EUR",
        "terms": "",
        "terms_version": 0,
        "gates": [],
        "figures": [],
        "track_days": 90,
        **fields,
    }
    values["form"] = [
        FormField.model_validate(each).model_dump(mode="json") for each in values["form"]
    ]
    values["stages"] = [
        Stage.model_validate(each).model_dump(mode="json") for each in values["stages"]
    ]
    round_ = ProgramRound(**values)
    db.session.add(round_)
    db.session.flush()
    if round_.terms_version:
        db.session.add(
            RoundTerms(round_id=round_.id, version=round_.terms_version, text=round_.terms)
        )
        db.session.flush()
    return round_


def actor_of(user: User, organization: Organization, role: str = "owner") -> Actor:
    """A person who acts for an organization."""
    info = MembershipInfo(
        organization.id, organization.slug, organization.name, organization.kind.value, role
    )
    return Actor(
        user_id=user.id,
        name=user.name,
        email=user.email or "",
        organization=info,
        organizations=(info,),
    )


def seen_on(page: str, action: str) -> dict[str, str]:
    """What the form with that action sends of what the page shows; nothing without such a form."""
    found = re.search(
        rf'action="{re.escape(action)}"(?:(?!</form>).)*?name="seen" value="(\w+)"', page, re.DOTALL
    )
    return {"seen": found[1]} if found else {}


def make_application(
    round_: ProgramRound, organization: Organization, user: User, **answers: Any
) -> Application:
    """An application for a place in a round."""
    return apply(
        round_, answers or {"why": "To build."}, actor=actor_of(user, organization)
    ).application
