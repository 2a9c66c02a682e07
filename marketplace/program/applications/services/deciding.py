"""Deciding an application, once and for all; withdrawing it."""

from flask import current_app

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError
from marketplace.core.facts import record_fact
from marketplace.core.permissions import Actor
from marketplace.identity.models import Organization
from marketplace.program.applications.letters import merge
from marketplace.program.applications.mails import tell_decided
from marketplace.program.applications.models import (
    OPEN,
    Application,
    ApplicationState,
    EntryKind,
)
from marketplace.program.applications.services import places
from marketplace.program.applications.services.opening import REAPPLY_AFTER, write_entry
from marketplace.program.applications.services.reviewing import (
    locked,
    refuse_conflicted,
    refuse_role,
    result,
)
from marketplace.program.applications.stages import next_stage, stages_of
from marketplace.program.events import application_decided


def letter_of(application: Application, text: str) -> str:
    """The decision letter with its merge fields filled in. Raises InvalidError at `letter`."""
    organization = (
        db.session.get(Organization, application.organization_id)
        if application.organization_id is not None
        else None
    )
    return merge(
        text,
        name=application.name,
        organization=organization.name if organization else "",
        title=application.title,
        site=str(current_app.config["SITE_NAME"]),
        now=clock.now(),
        again_from=clock.now() + REAPPLY_AFTER,
    )


def accept(
    application: Application, letter: str, *, actor: Actor, award: int | None = None
) -> None:
    """Accept it in its last stage, and give what was applied for. Flushes.

    `award`: minor units, for a grant. Raises ForbiddenError for a conflict of interest or another
    role, ConflictError when a stage is not passed or the round has nothing left, InvalidError at
    `letter` or `award`.
    """
    refuse_conflicted(application, actor)
    row = locked(application, ApplicationState.IN_REVIEW)
    refuse_role(row, actor)
    following = next_stage(stages_of(row.stages), row.stage)
    if following is not None:
        raise ConflictError(f"No stage is skipped: {following.name} comes first.")
    hindrance = result(row).hindrance
    if hindrance:
        raise ConflictError(hindrance)
    text = letter_of(row, letter)
    _decide(row, ApplicationState.ACCEPTED, text, actor.user_id, award)


def decline(application: Application, letter: str, *, actor: Actor) -> None:
    """Decline it, in any stage. It is final; they may apply again after REAPPLY_AFTER. Flushes.

    Raises ForbiddenError for a conflict of interest, ConflictError, InvalidError at `letter`.
    """
    refuse_conflicted(application, actor)
    row = locked(application, ApplicationState.IN_REVIEW, ApplicationState.MORE_ASKED)
    _decide(row, ApplicationState.DECLINED, letter_of(row, letter), actor.user_id)


def withdraw(application: Application, *, by_user_id: int | None) -> None:
    """Take it back, as the applicant. Flushes. Raises ConflictError once it is decided."""
    row = locked(application, *OPEN)
    row.state, row.open_key = ApplicationState.WITHDRAWN, None
    row.decided_at, row.decided_by_id = clock.now(), by_user_id
    write_entry(row, EntryKind.WITHDRAWN, by_user_id=by_user_id)
    record_fact(
        "application.withdrawn",
        subject=("application", row.id),
        actor_user_id=by_user_id,
        organization_id=row.organization_id,
    )
    db.session.flush()


def _decide(
    row: Application,
    state: ApplicationState,
    letter: str,
    by_user_id: int | None,
    award: int | None = None,
) -> None:
    row.state, row.open_key, row.letter = state, None, letter
    row.decided_at, row.decided_by_id = clock.now(), by_user_id
    accepted = state is ApplicationState.ACCEPTED
    write_entry(row, EntryKind.ACCEPTED if accepted else EntryKind.DECLINED, by_user_id=by_user_id)
    record_fact(
        f"application.{state.value}",
        subject=("application", row.id),
        actor_user_id=by_user_id,
        organization_id=row.organization_id,
        data={"kind": row.kind},
        idempotency_key=f"application.decided:{row.id}",
    )
    db.session.flush()
    if accepted and row.round_id is not None:
        places.give_place(row, award=award, by_user_id=by_user_id)
    tell_decided(row)
    application_decided(row, accepted)
    db.session.flush()
