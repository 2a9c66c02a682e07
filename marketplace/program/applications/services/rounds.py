"""Rounds: written by the operator, opened, applied for, closed."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pydantic import ValidationError
from sqlalchemy import func, select

from billing.formatting import format_money
from billing.money import CURRENCIES
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, ForbiddenError, InvalidError
from marketplace.core.facts import record_fact
from marketplace.core.locks import lock_row
from marketplace.core.once import id_of_form
from marketplace.core.permissions import Actor
from marketplace.identity.models import Organization
from marketplace.identity.sent_forms import sent_before
from marketplace.program.applications.answers import form_of
from marketplace.program.applications.models import (
    ProgramRound,
    RoundKind,
    RoundPlace,
    RoundState,
    RoundTerms,
)
from marketplace.program.applications.services.opening import Opened, open_application
from marketplace.program.applications.services.places import TAKEN, committed
from marketplace.program.applications.stages import stages_of
from marketplace.program.applications.words import line, paragraphs
from marketplace.program.policy.document import FormField, Stage
from marketplace.program.policy.live import current_policy
from marketplace.program.standing.reading import Place, place_of
from marketplace.program.standing.taking_part import SUSPENDED

MOST_OF_A_TEXT = 20_000
MOST_OF_A_BUDGET = 10**12
# The approvals of a proof of concept, where a round names no other stages.
APPROVALS = (
    {"key": "technical", "name": "Technical", "role": "reviewer"},
    {"key": "business", "name": "Business", "role": "program_manager"},
    {"key": "finance", "name": "Finance", "role": "finance"},
)


@dataclass(frozen=True)
class TypedRound:
    """A round as it was typed. Amounts in minor units; `figures` are accelerators' targets."""

    name: str
    text: str = ""
    opens_at: datetime | None = None
    closes_at: datetime | None = None
    types: tuple[str, ...] = ()
    least_tier: str = ""
    questions: list[dict[str, Any]] = field(default_factory=list)
    stages: list[dict[str, Any]] = field(default_factory=list)
    budget: int = 0
    currency: str = "EUR"
    places: int | None = None
    terms: str = ""
    gates: list[dict[str, Any]] = field(default_factory=list)
    figures: list[dict[str, Any]] = field(default_factory=list)
    track_days: int = 90
    review_days: int | None = None


def create_round(
    kind: RoundKind, typed: TypedRound, *, by_user_id: int | None, form_key: str = ""
) -> ProgramRound:
    """A round as a draft: of a form, one. Flushes. Raises InvalidError at the fields' names."""
    public_id = id_of_form("rnd", form_key, by_user_id, kind.value, typed)
    if known := sent_before(ProgramRound, public_id, by_user_id=by_user_id):
        return known
    round_ = ProgramRound(
        public_id=public_id,
        kind=kind,
        state=RoundState.DRAFT,
        created_by_id=by_user_id,
        form=[],
        stages=[],
        types=[],
        gates=[],
        figures=[],
        terms="",
        terms_version=0,
        name="",
        opens_at=clock.now(),
        closes_at=clock.now(),
    )
    _write(round_, typed)
    db.session.add(round_)
    db.session.flush()
    _write_terms(round_, typed.terms)
    _fact("round.drafted", round_, by_user_id)
    return round_


def edit_round(
    round_: ProgramRound, typed: TypedRound, *, edition: int, by_user_id: int | None
) -> None:
    """Change a round that is not closed. New terms get a new version, which those who take part
    accept anew. Flushes. Raises InvalidError, ConflictError when somebody saved meanwhile."""
    row = lock_row(ProgramRound, ProgramRound.id == round_.id)
    if row is None or row.state is RoundState.CLOSED:
        raise ConflictError("A closed round stays as it is.")
    if row.edition != edition:
        raise ConflictError("Somebody else saved this round meanwhile. Look at it once more.")
    if row.state is RoundState.OPEN and typed.currency != row.currency:
        raise InvalidError({"currency": "An open round keeps its currency."})
    _refuse_less_than_given(row, typed)
    _write(row, typed)
    row.edition += 1
    _write_terms(row, typed.terms)
    _fact("round.changed", row, by_user_id)
    db.session.flush()


def open_round(round_: ProgramRound, *, by_user_id: int | None) -> None:
    """Let partners see it and apply. Raises ConflictError when it says too little, or is over."""
    row = lock_row(ProgramRound, ProgramRound.id == round_.id)
    if row is None or row.state is not RoundState.DRAFT:
        raise ConflictError("Only a draft can be opened.")
    if row.closes_at <= clock.now():
        raise ConflictError("Its last day has passed. Choose another one first.")
    if row.kind is RoundKind.GRANT and row.budget <= 0:
        raise ConflictError("A round of grants needs a budget.")
    if row.kind is RoundKind.INCUBATOR and not row.gates:
        raise ConflictError("An incubator needs gates.")
    if row.kind is RoundKind.ACCELERATOR and not (row.figures and row.terms_version):
        raise ConflictError("An accelerator needs figures and terms.")
    row.state = RoundState.OPEN
    _fact("round.opened", row, by_user_id)
    db.session.flush()


def close_round(round_: ProgramRound, *, by_user_id: int | None) -> None:
    """Take no more applications. Those that are in are decided, and places go on."""
    row = lock_row(ProgramRound, ProgramRound.id == round_.id)
    if row is None or row.state is not RoundState.OPEN:
        raise ConflictError("Only an open round can be closed.")
    row.state = RoundState.CLOSED
    _fact("round.closed", row, by_user_id)
    db.session.flush()


def takes_applications(round_: ProgramRound) -> bool:
    """Whether a round is open now."""
    return round_.state is RoundState.OPEN and round_.opens_at <= clock.now() < round_.closes_at


def refusal_for(round_: ProgramRound, organization_id: int) -> str:
    """Why a partner cannot apply, in words; empty when it can."""
    return refusals_for([round_], organization_id)[round_.id]


def refusals_for(found: Sequence[ProgramRound], organization_id: int) -> dict[int, str]:
    """The same of several rounds. One query beside the policy's."""
    place = place_of(organization_id)
    return {each.id: _refusal(each, place) for each in found}


def _refusal(round_: ProgramRound, place: Place) -> str:
    live = current_policy()
    if place.is_suspended:
        return SUSPENDED
    if not place.tier:
        return "Join the partner program first."
    if round_.types and place.partner_type not in round_.types:
        return "This round is for other types of partners."
    if live and round_.least_tier and not live.policy.reaches(place.tier, round_.least_tier):
        least = live.policy.tier(round_.least_tier)
        if least is None:
            return "The tier that this round is for is no longer part of the program."
        return f"This round is for partners of the tier {least.name} and above."
    return ""


def refuse_ineligible(round_: ProgramRound, organization_id: int) -> None:
    """Raise ForbiddenError for a partner whose type or tier a round is not for."""
    refusal = refusal_for(round_, organization_id)
    if refusal:
        raise ForbiddenError(refusal)


def apply(round_: ProgramRound, answers: dict[str, Any], *, actor: Actor) -> Opened:
    """Apply for a place, as a partner. Flushes.

    Raises ForbiddenError for another type or a lower tier, ConflictError when the round is not
    open or the partner has applied already.
    """
    organization = db.session.get(Organization, actor.organization_id or 0)
    if organization is None:
        raise ForbiddenError("Only partners apply.")
    refuse_ineligible(round_, organization.id)
    if not takes_applications(round_):
        raise ConflictError("This round takes no applications now.")
    return open_application(
        f"program:{round_.public_id}",
        answers=answers,
        organization_id=organization.id,
        applicant_user_id=actor.user_id,
        email=actor.email,
        name=actor.name,
        form=form_of(round_.form),
        stages=stages_of(round_.stages),
        title=f"{round_.name}: {organization.name}",
        round_id=round_.id,
        review_days=round_.review_days,
    )


def _refuse_less_than_given(round_: ProgramRound, typed: TypedRound) -> None:
    """What was awarded stays: a round has at least the budget and the places that are taken."""
    wrong: dict[str, str] = {}
    given = committed(round_.id)
    if typed.budget < given:
        wrong["budget"] = f"{format_money(given, round_.currency)} of it is granted already."
    taken = db.session.scalar(
        select(func.count()).where(RoundPlace.round_id == round_.id, RoundPlace.state.in_(TAKEN))
    )
    if typed.places is not None and typed.places < (taken or 0):
        wrong["places"] = f"{taken} of them are taken already."
    if wrong:
        raise InvalidError(wrong)


def _write(round_: ProgramRound, typed: TypedRound) -> None:
    wrong: dict[str, str] = {}
    name = line(typed.name)
    if not 3 <= len(name) <= 120:
        wrong["name"] = "Use 3 to 120 characters."
    for key, value in (("text", typed.text), ("terms", typed.terms)):
        if len(paragraphs(value)) > MOST_OF_A_TEXT:
            wrong[key] = f"Use at most {MOST_OF_A_TEXT:,} characters."
    if typed.opens_at is None:
        wrong["opens_on"] = "Choose the first day."
    if typed.closes_at is None:
        wrong["closes_on"] = "Choose the last day."
    elif typed.opens_at is not None and typed.closes_at <= typed.opens_at:
        wrong["closes_on"] = "The last day comes after the first."
    if typed.currency not in CURRENCIES:
        wrong["currency"] = "Choose a currency."
    if not 0 <= typed.budget <= MOST_OF_A_BUDGET:
        wrong["budget"] = "Enter an amount that is not below zero and not beyond reason."
    if typed.places is not None and not 1 <= typed.places <= 10_000:
        wrong["places"] = "Enter a number from 1 to 10,000, or nothing."
    if not 1 <= typed.track_days <= 730:
        wrong["track_days"] = "Enter 1 to 730 days."
    if typed.review_days is not None and not 1 <= typed.review_days <= 365:
        wrong["review_days"] = "Enter 1 to 365 days, or nothing."
    wrong |= _policy_problems(typed)
    form = _validated(FormField, typed.questions, "questions", wrong)
    stages = _validated(
        Stage,
        typed.stages or ([dict(each) for each in APPROVALS] if _is_proof(round_) else []),
        "stages",
        wrong,
    )
    if any(not 1 <= int(gate["days"]) <= 730 or not gate["title"] for gate in typed.gates):
        wrong["gates"] = "Each gate has a title and 1 to 730 days."
    if wrong:
        raise InvalidError(wrong)
    round_.name, round_.text = name, paragraphs(typed.text)
    round_.opens_at, round_.closes_at = typed.opens_at, typed.closes_at  # type: ignore[assignment]  # checked above
    round_.types, round_.least_tier = list(typed.types), typed.least_tier
    round_.form, round_.stages = form, stages
    round_.budget, round_.currency = typed.budget, typed.currency
    round_.places, round_.track_days = typed.places, typed.track_days
    round_.gates, round_.figures = typed.gates, typed.figures
    round_.review_days = typed.review_days


def _is_proof(round_: ProgramRound) -> bool:
    return round_.kind is RoundKind.PROOF_OF_CONCEPT


def _policy_problems(typed: TypedRound) -> dict[str, str]:
    live = current_policy()
    wrong: dict[str, str] = {}
    if live is None:
        return (
            wrong
            if not (typed.types or typed.least_tier or typed.figures)
            else {
                "types": "Publish a policy first: it says which types, tiers and metrics there are."
            }
        )
    if any(live.policy.type(key) is None for key in typed.types):
        wrong["types"] = "Choose types of the policy."
    if typed.least_tier and live.policy.tier(typed.least_tier) is None:
        wrong["least_tier"] = "Choose a tier of the policy."
    for figure in typed.figures:
        if live.policy.metric(str(figure["metric"])) is None:
            wrong["figures"] = "Choose metrics of the policy."
        elif not 0 < int(figure["target"]) <= MOST_OF_A_BUDGET:
            wrong["figures"] = "Each figure has a target above zero."
    return wrong


def _validated(
    model: type[FormField] | type[Stage],
    rows: list[dict[str, Any]],
    name: str,
    wrong: dict[str, str],
) -> list[dict[str, Any]]:
    found = []
    try:
        found = [model.model_validate(row).model_dump(mode="json") for row in rows]
    except ValidationError as error:
        first = error.errors()[0]
        message = str(first["msg"]).removeprefix("Value error, ")
        wrong[name] = f"{message[:1].upper()}{message[1:]}."
    keys = [each["key"] for each in found]
    if len(set(keys)) != len(keys):
        wrong[name] = "Two of them have the same name."
    return found


def _write_terms(round_: ProgramRound, text: str) -> None:
    tidy = paragraphs(text)
    if tidy == round_.terms:
        return
    if not tidy and round_.terms_version:
        raise InvalidError({"terms": "Terms can be changed, not taken away."})
    round_.terms = tidy
    round_.terms_version += 1
    db.session.add(
        RoundTerms(
            round_id=round_.id, version=round_.terms_version, text=tidy, created_at=clock.now()
        )
    )
    db.session.flush()


def _fact(kind: str, round_: ProgramRound, by_user_id: int | None) -> None:
    record_fact(
        kind,
        subject=("program_round", round_.id),
        actor_user_id=by_user_id,
        data={"kind": round_.kind.value},
    )
