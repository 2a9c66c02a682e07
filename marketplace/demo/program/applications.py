"""Rounds with partners in the middle of them, applications that wait, and business plans."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import func, select

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.permissions import Actor, MembershipInfo
from marketplace.core.unit_of_work import unit_of_work
from marketplace.identity.models import Membership, Organization, OrganizationKind, User
from marketplace.program.applications.models import (
    Application,
    ApplicationState,
    ProgramRound,
    RoundKind,
    RoundPlace,
)
from marketplace.program.applications.services import (
    deciding,
    milestones,
    places,
    plans,
    reviewing,
    rounds,
)
from marketplace.program.applications.stages import criteria_of, stage_of, stages_of
from marketplace.program.policy.live import LivePolicy, forget_current_policy, live_policy

TEXT = {
    RoundKind.GRANT: (
        "Connector fund",
        "We pay for connectors that customers ask for and nobody builds. Half of the money comes "
        "with a working beta, the rest with the first ten customers.",
    ),
    RoundKind.INCUBATOR: (
        "Harbor incubator",
        "Six months with a mentor of ours: from a prototype to a listing that customers pay for.",
    ),
    RoundKind.ACCELERATOR: (
        "Growth sprint",
        "Ninety days, a weekly call with our sales people, and figures that we both look at.",
    ),
    RoundKind.PROOF_OF_CONCEPT: (
        "Proofs of concept",
        "Show with a customer that it works. We look at it from three sides before you begin.",
    ),
}
TERMS = (
    "1. You tell us your figures every week.\n2. Our sales people may name you to customers.\n"
    "3. Either of us can stop at any time."
)
QUESTIONS = (
    {"key": "product", "label": "What is it called?", "kind": "text"},
    {"key": "plan", "label": "What do you want to do?", "kind": "long_text"},
)
PLANS = {
    "tidewater-labs": "Two connectors for shipping companies, a webinar in spring, and our people "
    "certified by summer. You introduce us to five customers of the harbor trade.",
    "quillbright": "We bring our editor to teams that write in three languages, and ask for a "
    "place in your spring campaign.",
}


def load(tell: Callable[[str], None]) -> None:
    """Open rounds and let partners of the demo apply, unless any round is there. Commits."""
    if db.session.scalar(select(func.count()).select_from(ProgramRound)):
        return
    live = live_policy()
    people = _people()
    if live is None or not {"Daniel Osei", "Ines Moreau", "Samuel Adeyemi"} <= set(people):
        return
    forget_current_policy()
    with unit_of_work():
        made = {kind: _round(kind, live, people["Daniel Osei"]) for kind in RoundKind}
        _grant(made[RoundKind.GRANT], people)
        _incubate(made[RoundKind.INCUBATOR], people)
        _accelerate(made[RoundKind.ACCELERATOR], people)
        _prove(made[RoundKind.PROOF_OF_CONCEPT], people)
        for application in db.session.scalars(
            select(Application).where(Application.state == ApplicationState.IN_REVIEW)
        ).all():
            reviewing.assign_by_load(application)
        count = _plan(live, people)
    forget_current_policy()
    tell(f"{len(made)} rounds take applications, and {count} business plans are in.")


def actor_of(slug: str) -> Actor | None:
    """Somebody who owns that partner of the demo."""
    row = db.session.execute(
        select(User, Organization, Membership.role)
        .join(Membership, Membership.user_id == User.id)
        .join(Organization, Organization.id == Membership.organization_id)
        .where(Organization.slug == slug, Membership.role == "owner")
        .order_by(User.id)
        .limit(1)
    ).first()
    return None if row is None else _actor(row[0], row[1], row[2].value)


def _people() -> dict[str, Actor]:
    rows = db.session.execute(
        select(User, Organization, Membership.role)
        .join(Membership, Membership.user_id == User.id)
        .join(Organization, Organization.id == Membership.organization_id)
        .where(Organization.kind == OrganizationKind.PLATFORM)
    )
    return {user.name: _actor(user, organization, role.value) for user, organization, role in rows}


def _actor(user: User, organization: Organization, role: str) -> Actor:
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


def _round(kind: RoundKind, live: LivePolicy, by: Actor) -> ProgramRound:
    name, text = TEXT[kind]
    now = clock.now()
    wanted = [
        metric
        for metric in live.policy.metrics
        if metric.measure in {"deals_won", "certified_people", "installs", "leads_accepted"}
    ]
    typed = rounds.TypedRound(
        name=name,
        text=text,
        opens_at=now - timedelta(days=60),
        closes_at=now + timedelta(days=45),
        questions=[dict(each) for each in QUESTIONS],
        stages=[]
        if kind is RoundKind.PROOF_OF_CONCEPT
        else [
            {
                "key": "review",
                "name": "Review",
                "reviewers": 2,
                "pass_score": 60,
                "criteria": ("Value for customers", "Team", "Feasibility"),
            }
        ],
        budget=6_000_000 if kind is RoundKind.GRANT else 0,
        currency=live.policy.currency,
        places=8 if kind is RoundKind.INCUBATOR else None,
        terms=TERMS if kind is RoundKind.ACCELERATOR else "",
        gates=[
            {"title": "Prototype", "days": 30, "text": "Something that we can click through."},
            {"title": "First customer", "days": 90, "text": "One who uses it every week."},
            {"title": "Ready to be listed", "days": 150, "text": "Draft, prices, documentation."},
        ]
        if kind is RoundKind.INCUBATOR
        else [],
        figures=[{"metric": metric.key, "target": 5} for metric in wanted[:3]]
        if kind is RoundKind.ACCELERATOR
        else [],
        review_days=14,
    )
    with clock.frozen(now - timedelta(days=60)):
        round_ = rounds.create_round(kind, typed, by_user_id=by.user_id)
        rounds.open_round(round_, by_user_id=by.user_id)
    return round_


def _apply(round_: ProgramRound, slug: str, days: int, product: str, plan: str) -> Any:
    actor = actor_of(slug)
    if actor is None or actor.organization_id is None:
        return None
    if rounds.refusal_for(round_, actor.organization_id):
        return None
    with clock.frozen(clock.now() - timedelta(days=days)):
        return rounds.apply(round_, {"product": product, "plan": plan}, actor=actor).application


def _score(application: Application, scores: dict[str, int], people: dict[str, Actor]) -> None:
    stage = stage_of(stages_of(application.stages), application.stage)
    if stage is None:
        return
    for name, score in scores.items():
        reviewing.score(
            application,
            dict.fromkeys(criteria_of(stage), score),
            "Customers ask for it, and the team has done this before.",
            actor=people[name],
        )


def _accept(
    application: Application, days: int, people: dict[str, Actor], award: int | None = None
) -> RoundPlace:
    with clock.frozen(clock.now() - timedelta(days=days)):
        _score(application, {"Ines Moreau": 80, "Samuel Adeyemi": 75}, people)
        deciding.accept(
            application,
            "Hello {name},\n\nwe are glad to have {organization} with us.\n\n{site}",
            actor=people["Daniel Osei"],
            award=award,
        )
    return db.session.scalars(
        select(RoundPlace).where(RoundPlace.application_id == application.id)
    ).one()


def _grant(round_: ProgramRound, people: dict[str, Actor]) -> None:
    plan = "A connector to the customs office: declarations without typing anything twice."
    application = _apply(round_, "tidewater-labs", 52, "Customs connector", plan)
    if application is not None:
        place = _accept(application, 45, people, award=1_200_000)
        for title, amount, due in (
            ("Beta with three customers", 600_000, -5),
            ("Documentation", 200_000, 20),
            ("Ten paying customers", 400_000, 80),
        ):
            milestones.add_milestone(
                place,
                title=title,
                amount=amount,
                due_at=clock.now() + timedelta(days=due),
                by_user_id=people["Daniel Osei"].user_id,
            )
        first, second, _ = milestones.milestones_of(place.id)
        user_id = application.applicant_user_id or 0
        milestones.submit_evidence(
            first, "It runs at three forwarders since last month.", "", by_user_id=user_id
        )
        milestones.accept_milestone(first, "Impressive.", actor=people["Daniel Osei"])
        milestones.submit_evidence(
            second, "Twelve pages, with a worked example.", "", by_user_id=user_id
        )
    waiting = _apply(
        round_, "quillbright", 6, "Contract drafts", "Contracts drafted from the customer's file."
    )
    if waiting is not None:
        with clock.frozen(clock.now() - timedelta(days=3)):
            _score(waiting, {"Ines Moreau": 70}, people)


def _incubate(round_: ProgramRound, people: dict[str, Actor]) -> None:
    application = _apply(
        round_, "studio-okavango", 50, "Field notes", "Photos and notes of site visits, offline."
    )
    if application is None:
        return
    place = _accept(application, 40, people)
    places.name_mentor(place, people["Daniel Osei"].user_id, by_user_id=None)
    first = milestones.milestones_of(place.id)[0]
    with clock.frozen(clock.now() - timedelta(days=15)):
        milestones.submit_evidence(
            first,
            "The prototype, with five visits in it.",
            "",
            by_user_id=application.applicant_user_id or 0,
        )
        milestones.accept_milestone(first, "Good to use.", actor=people["Ines Moreau"])


def _accelerate(round_: ProgramRound, people: dict[str, Actor]) -> None:
    application = _apply(
        round_, "meridian-quay", 40, "Harbor bundle", "Sell the bundle to mid-sized ports."
    )
    if application is None:
        return
    place = _accept(application, 30, people)
    with clock.frozen(clock.now() - timedelta(days=29)):
        places.accept_terms(place, round_.terms_version, user_id=application.applicant_user_id or 0)


def _prove(round_: ProgramRound, people: dict[str, Actor]) -> None:
    application = _apply(
        round_, "quillbright", 9, "Clause checker", "Find risky clauses, shown with one customer."
    )
    if application is not None:
        with clock.frozen(clock.now() - timedelta(days=5)):
            reviewing.advance(application, "business", actor=people["Ines Moreau"])


def _plan(live: LivePolicy, people: dict[str, Actor]) -> int:
    now: datetime = clock.now()
    metrics = [
        metric
        for metric in live.policy.metrics
        if metric.measure in {"installs", "deals_won", "certified_people"}
    ][:3]
    count = 0
    for slug, summary in PLANS.items():
        actor = actor_of(slug)
        if actor is None or actor.organization_id is None or not metrics:
            continue
        with clock.frozen(now - timedelta(days=20)):
            year = clock.now().year
            plan = plans.begin_plan(actor.organization_id, year, by_user_id=actor.user_id)
            plans.save_plan(
                plan,
                summary=summary,
                goals=[(metric.key, 6) for metric in metrics],
                activities=[
                    plans.Activity("Webinar for shared customers", date(year, 5, 12), "partner"),
                    plans.Activity("Two engineers certified", date(year, 9, 30), "partner"),
                    plans.Activity("Introduce five customers", date(year, 11, 15), "operator"),
                ],
                edition=plan.edition,
                by_user_id=actor.user_id,
            )
            plans.submit_plan(plan, by_user_id=actor.user_id)
        if slug == "tidewater-labs":
            with clock.frozen(now - timedelta(days=18)):
                plans.approve_plan(plan, "A good plan. We are in.", actor=people["Daniel Osei"])
        count += 1
    return count
