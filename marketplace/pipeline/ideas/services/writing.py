"""Proposing ideas, making them of customers' requests, voting, and what staff say of them."""

from collections.abc import Sequence

from sqlalchemy import delete, func, select

from marketplace.catalogue.models import IntegrationRequest, RequestState
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.facts import record_fact
from marketplace.core.locks import lock_row
from marketplace.core.once import id_of_form, insert_if_new
from marketplace.core.permissions import Actor
from marketplace.identity.sent_forms import sent_before
from marketplace.pipeline.ideas import mails
from marketplace.pipeline.ideas.models import (
    BUILDABLE,
    SHOWN,
    Idea,
    IdeaRequest,
    IdeaState,
    IdeaVote,
)
from marketplace.program.applications.words import line, paragraphs

MOST_OF_A_TEXT = 5_000
MOST_REQUESTS = 50


def propose(title: str, text: str, *, actor: Actor, form_key: str = "") -> Idea:
    """An idea that the staff looks at before others see it: of a form, one. Flushes. Raises
    InvalidError."""
    title, text = _checked(title, text)
    public_id = id_of_form("idea", form_key, actor.user_id, title, text)
    idea_id = insert_if_new(
        Idea,
        public_id=public_id,
        title=title,
        text=text,
        state=IdeaState.PROPOSED,
        created_by_id=actor.user_id,
        created_at=clock.now(),
    )
    idea = db.session.scalars(select(Idea).where(Idea.public_id == public_id)).one()
    if idea_id is not None:
        _fact("idea.proposed", idea, actor)
    return idea


def make_of_requests(
    title: str, text: str, request_ids: Sequence[int], *, actor: Actor, form_key: str = ""
) -> Idea:
    """An open idea that answers customers' requests (or none): of a form, one. Flushes.

    The requests become planned. Raises InvalidError at `title`, `text` or `requests`.
    """
    ids = list(dict.fromkeys(request_ids))
    found = db.session.scalars(
        select(IntegrationRequest).where(IntegrationRequest.id.in_(ids[:MOST_REQUESTS]))
    ).all()
    if len(found) != len(ids):
        raise InvalidError({"requests": "Choose requests of the list."})
    title, text = _checked(title, text)
    public_id = id_of_form("idea", form_key, actor.user_id, title, text, sorted(ids))
    if known := sent_before(Idea, public_id, by_user_id=actor.user_id):
        return known
    now = clock.now()
    idea = Idea(
        public_id=public_id,
        title=title,
        text=text,
        state=IdeaState.OPEN,
        created_by_id=actor.user_id,
        created_at=now,
        opened_at=now,
    )
    db.session.add(idea)
    db.session.flush()
    for request in found:
        add_request(idea, request, actor=actor)
    _fact("idea.opened", idea, actor, requests=len(found))
    db.session.flush()
    return idea


def add_request(idea: Idea, request: IntegrationRequest, *, actor: Actor) -> None:
    """Let an idea answer one request more. Raises InvalidError at `requests` when another idea
    does, or it is listed or declined."""
    if request.state in (RequestState.LISTED, RequestState.DECLINED):
        raise InvalidError({"requests": f"{request.name} is closed already."})
    made = insert_if_new(
        IdeaRequest, request_id=request.id, idea_id=idea.id, created_at=clock.now()
    )
    if made is None:
        raise InvalidError({"requests": f"{request.name} stands behind another idea already."})
    if request.state is RequestState.OPEN:
        request.state = RequestState.PLANNED
        request.state_note = "Partners can build this now."
    _fact("idea.request_added", idea, actor, request=request.id)
    db.session.flush()


def edit(idea: Idea, title: str, text: str, *, actor: Actor) -> None:
    """Change what an idea says. Raises InvalidError."""
    row = locked(idea)
    row.title, row.text = _checked(title, text)
    _fact("idea.changed", row, actor)
    db.session.flush()


def publish(idea: Idea, *, actor: Actor) -> None:
    """Show a proposed idea to everybody. Raises ConflictError when it is not proposed."""
    row = locked(idea)
    if row.state is not IdeaState.PROPOSED:
        raise ConflictError("Only a proposed idea can be shown.")
    row.state, row.opened_at = IdeaState.OPEN, clock.now()
    _fact("idea.opened", row, actor)
    db.session.flush()
    mails.tell_published(row, but=actor.user_id)


def decline(idea: Idea, note: str, *, actor: Actor) -> None:
    """Close an idea, with a reason that whoever proposed it is mailed. The requests behind it are
    open again: another idea can answer them. Raises ConflictError when somebody builds it or it is
    listed, InvalidError at `note`."""
    row = locked(idea)
    text = paragraphs(note)
    if not 3 <= len(text) <= 1_000:
        raise InvalidError({"note": "Say in 3 to 1,000 characters why."})
    if row.state not in (IdeaState.PROPOSED, IdeaState.OPEN):
        raise ConflictError("It is claimed, listed or closed already.")
    row.state, row.note = IdeaState.DECLINED, text
    for request in db.session.scalars(
        select(IntegrationRequest)
        .join(IdeaRequest, IdeaRequest.request_id == IntegrationRequest.id)
        .where(IdeaRequest.idea_id == row.id, IntegrationRequest.state == RequestState.PLANNED)
    ):
        request.state, request.state_note = RequestState.OPEN, ""
    db.session.flush()
    mails.tell_declined(row, but=actor.user_id)
    db.session.execute(delete(IdeaRequest).where(IdeaRequest.idea_id == row.id))
    _fact("idea.declined", row, actor)
    db.session.flush()


def vote(idea: Idea, *, actor: Actor) -> bool:
    """Vote for it, once a person; whether the vote is new. Raises ConflictError when it is over."""
    row = locked(idea)
    if row.state not in BUILDABLE:
        raise ConflictError("The voting on this idea is over.")
    made = insert_if_new(
        IdeaVote,
        idea_id=row.id,
        user_id=actor.user_id,
        organization_id=actor.organization_id,
        created_at=clock.now(),
    )
    if made is not None:
        _fact("idea.voted", row, actor)
        _recount(row)
    return made is not None


def unvote(idea: Idea, *, actor: Actor) -> bool:
    """Take the vote back; whether there was one."""
    row = locked(idea)
    gone = db.session.execute(
        delete(IdeaVote).where(IdeaVote.idea_id == row.id, IdeaVote.user_id == actor.user_id)
    )
    if getattr(gone, "rowcount", 0) == 0:
        return False
    _fact("idea.unvoted", row, actor)
    _recount(row)
    return True


def locked(idea: Idea) -> Idea:
    """The idea, held until this transaction ends. Raises ConflictError when it is gone."""
    row = lock_row(Idea, Idea.id == idea.id)
    if row is None:
        raise ConflictError("This idea is not there any more.")
    return row


def is_shown(idea: Idea) -> bool:
    """Whether everybody sees it."""
    return idea.state in SHOWN


def _checked(title: str, text: str) -> tuple[str, str]:
    title, text = line(title), paragraphs(text)
    wrong = {}
    if not 3 <= len(title) <= 120:
        wrong["title"] = "Use 3 to 120 characters."
    if len(text) > MOST_OF_A_TEXT:
        wrong["text"] = f"Use at most {MOST_OF_A_TEXT:,} characters."
    if wrong:
        raise InvalidError(wrong)
    return title, text


def _recount(idea: Idea) -> None:
    idea.vote_count = (
        db.session.scalar(
            select(func.count()).select_from(IdeaVote).where(IdeaVote.idea_id == idea.id)
        )
        or 0
    )
    db.session.flush()


def _fact(kind: str, idea: Idea, actor: Actor, **data: object) -> None:
    record_fact(
        kind,
        subject=("idea", idea.id),
        actor_user_id=actor.user_id,
        organization_id=actor.organization_id,
        data=data,
    )
