"""What a partner does with a lead that it has: stages, notes, tasks."""

from datetime import date

from marketplace.catalogue.content import clean_text
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.locks import lock_row
from marketplace.core.once import id_of_form, insert_if_new
from marketplace.identity.sent_forms import sent_before
from marketplace.pipeline.leads.history import note_event
from marketplace.pipeline.leads.models import Lead, LeadNote, LeadStage, LeadState, LeadTask
from marketplace.pipeline.leads.texts import STAGES

MOST_NOTE = 4_000
MOST_TASKS = 50


def move(lead: Lead, stage: str, reason: str = "", *, by_user_id: int | None) -> bool:
    """Move a lead to a stage; False when it is there already.

    Losing it needs a reason. Raises InvalidError (at `stage` or `reason`), ConflictError when the
    partner no longer has it.
    """
    if stage not in {each.value for each in LeadStage}:
        raise InvalidError({"stage": "Choose one of the stages."})
    wanted = LeadStage(stage)
    words = " ".join(clean_text(reason).split())
    if len(words) > 300:
        raise InvalidError({"reason": "Use at most 300 characters."})
    if wanted is LeadStage.LOST and not words:
        raise InvalidError({"reason": "Say why it was lost."})
    owner_id = lead.owner_id
    held = lock_row(Lead, Lead.id == lead.id)
    if held is None or held.state is not LeadState.ACCEPTED or held.owner_id != owner_id:
        raise ConflictError("This lead is no longer with you.")
    if held.stage is wanted:
        return False
    before = held.stage
    held.stage = wanted
    held.lost_reason = words if wanted is LeadStage.LOST else ""
    note_event(
        held,
        "staged",
        organization_id=owner_id,
        by_user_id=by_user_id,
        detail=f"{STAGES[before][0]} to {STAGES[wanted][0].lower()}",
    )
    return True


def add_note(
    lead: Lead,
    body: str,
    *,
    organization_id: int | None,
    by_user_id: int | None,
    form_key: str = "",
) -> None:
    """Write something beside a lead, of a form once; `organization_id` is None for staff. Raises
    InvalidError."""
    words = clean_text(body)
    if not words:
        raise InvalidError({"body": "Write something first."})
    if len(words) > MOST_NOTE:
        raise InvalidError({"body": f"Use at most {MOST_NOTE:,} characters."})
    now = clock.now()
    insert_if_new(
        LeadNote,
        lead_id=lead.id,
        organization_id=organization_id,
        by_user_id=by_user_id,
        body=words,
        created_at=now,
        form_id=id_of_form("lno", form_key, lead.id, organization_id, by_user_id, words),
    )
    lead.touched_at = now
    db.session.flush()


def add_task(
    lead: Lead,
    title: str,
    due_on: date | None,
    *,
    open_tasks: int,
    by_user_id: int | None = None,
    form_key: str = "",
) -> LeadTask:
    """Plan something to do about a lead, of a form once. Raises InvalidError."""
    words = " ".join(clean_text(title).split())
    if not words:
        raise InvalidError({"title": "Say what is to do."})
    if len(words) > 200:
        raise InvalidError({"title": "Use at most 200 characters."})
    if due_on is not None and not 2_000 <= due_on.year <= 2_100:
        raise InvalidError({"due_on": "Choose a day in this century."})
    public_id = id_of_form("ltk", form_key, lead.id, words, due_on)
    if known := sent_before(LeadTask, public_id, by_user_id=by_user_id):
        return known
    if open_tasks >= MOST_TASKS:
        raise InvalidError({"title": f"At most {MOST_TASKS} open tasks for a lead."})
    task = LeadTask(
        public_id=public_id,
        lead_id=lead.id,
        organization_id=lead.owner_id or 0,
        title=words,
        due_on=due_on,
    )
    db.session.add(task)
    db.session.flush()
    return task


def tick(task: LeadTask, *, done: bool) -> None:
    """Mark a task as done, or as open again."""
    task.done_at = (task.done_at or clock.now()) if done else None
    db.session.flush()
