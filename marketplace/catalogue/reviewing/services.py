"""The verbs of reviewing. They flush and never commit."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import update

from marketplace.catalogue.content import ListingContent
from marketplace.catalogue.events import listing_decided
from marketplace.catalogue.models import Listing, ListingVersion, Revision, RevisionState
from marketplace.catalogue.publishing.problems import content_problems
from marketplace.catalogue.publishing.queries import next_number
from marketplace.catalogue.publishing.rebasing import rebase
from marketplace.catalogue.publishing.sections import FIELD_LABELS
from marketplace.catalogue.publishing.sensitivity import changed_fields
from marketplace.catalogue.publishing.services.drafts import add_event, advance
from marketplace.catalogue.publishing.services.life import delete_version
from marketplace.catalogue.publishing.services.submission import make_public, valid_content
from marketplace.catalogue.publishing.states import NAMES, Act, after
from marketplace.catalogue.reviewing import mails, queries
from marketplace.catalogue.reviewing.checklist import checks_for, unchecked
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, ForbiddenError, InvalidError
from marketplace.core.facts import record_fact
from marketplace.core.permissions import Actor

NOTE_LENGTH = 4_000
FIELD_NOTE_LENGTH = 1_000
_CORRECTED = "Its publisher corrected this version since you opened the page. Look once more."


@dataclass(frozen=True)
class Decision:
    """What an approval came to. `repeated`: it had been done before, nothing changed."""

    published: bool
    repeated: bool = False


def claim(revision: Revision, actor: Actor) -> bool:
    """Take the review on. False when this person has it already.

    Raises ConflictError when somebody else has it or nothing waits.
    """
    if revision.reviewer_id == actor.user_id and revision.state is RevisionState.IN_REVIEW:
        return False
    if revision.state is RevisionState.IN_REVIEW:
        name = revision.reviewer.name if revision.reviewer else "Somebody"
        raise ConflictError(f"{name} is reviewing this already.")
    advance(
        revision,
        revision.lock_version,
        state=after(revision.state, Act.START_REVIEW),
        reviewer_id=actor.user_id,
        review_started_at=clock.now(),
    )
    add_event(revision, "review_started", actor)
    _record("revision.review_started", revision, actor)
    return True


def assign(revision: Revision, user_id: int, actor: Actor) -> None:
    """Give the review to a colleague. Raises InvalidError (field reviewer), ConflictError."""
    chosen = {user.id: user for user in queries.reviewers()}.get(user_id)
    if chosen is None:
        raise InvalidError({"reviewer": "Choose one of the reviewers."})
    if queries.belongs_to(user_id, revision.listing.publisher_id):
        raise InvalidError({"reviewer": f"{chosen.name} belongs to the publisher."})
    if user_id == revision.submitted_by_id:
        raise InvalidError({"reviewer": f"{chosen.name} submitted it."})
    if revision.reviewer_id == user_id and revision.state is RevisionState.IN_REVIEW:
        return
    values: dict[str, Any] = {"reviewer_id": user_id}
    if revision.state is RevisionState.SUBMITTED:
        values |= {
            "state": after(revision.state, Act.START_REVIEW),
            "review_started_at": clock.now(),
        }
    elif revision.state is not RevisionState.IN_REVIEW:
        raise ConflictError(f"It is {NAMES[revision.state]}; there is nothing to assign.")
    advance(revision, revision.lock_version, **values)
    add_event(revision, "assigned", actor, f"Given to {chosen.name}.", for_partner=False)
    _record("revision.assigned", revision, actor, reviewer=user_id)


def release(revision: Revision, actor: Actor) -> None:
    """Put it back into the queue, at its old place; twice is harmless."""
    if revision.state is RevisionState.SUBMITTED:
        return
    advance(
        revision,
        revision.lock_version,
        state=after(revision.state, Act.RELEASE),
        reviewer_id=None,
        review_started_at=None,
    )
    add_event(revision, "released", actor, for_partner=False)
    _record("revision.released", revision, actor)


def add_note(revision: Revision, body: str, *, for_partner: bool, actor: Actor) -> None:
    """Add a note, for colleagues or for the partner too. Raises InvalidError (field body)."""
    text = _required(body, "body", "Write the note first.")
    add_event(revision, "note", actor, text, for_partner=for_partner)
    _record("revision.note_added", revision, actor, for_partner=for_partner)


def request_changes(
    revision: Revision,
    body: str,
    field_notes: Mapping[str, str],
    *,
    expected: int | None,
    actor: Actor,
) -> bool:
    """Send it back with what has to change. False when that was done already.

    Raises InvalidError (field body), ForbiddenError, ConflictError.
    """
    if revision.state is RevisionState.CHANGES_REQUESTED:
        return False
    _refuse_unless_decider(revision, actor)
    notes = {
        name: note.strip()[:FIELD_NOTE_LENGTH]
        for name, note in field_notes.items()
        if name in FIELD_LABELS and note.strip()
    }
    text = body.strip()
    if not notes or text:
        text = _required(body, "body", "Say what has to change, here or at the fields.")
    _begin_if_needed(revision, expected, actor)
    advance(
        revision,
        revision.lock_version,
        state=after(revision.state, Act.REQUEST_CHANGES),
        reviewer_id=actor.user_id,
        first_approval_by_id=None,
        decided_at=clock.now(),
    )
    add_event(revision, "changes_requested", actor, text, field_notes=notes)
    _record("revision.changes_requested", revision, actor, fields=sorted(notes))
    lines = [text, *(f"{FIELD_LABELS[name]}: {note}" for name, note in notes.items())]
    told = "\n\n".join(line for line in lines if line)
    mails.tell_changes_requested(revision.listing, revision, told)
    listing_decided(revision.listing, approved=False, note=told)
    return True


def approve(
    revision: Revision, ticked: Iterable[str], *, expected: int | None, actor: Actor
) -> Decision:
    """Approve: public at once, or handed to a second reviewer where scopes are new.

    `ticked` are the keys of the checklist, `expected` the lock_version of the page that the
    reviewer saw. Approving twice is harmless. Raises ForbiddenError for the publisher's own
    people, the submitter, and the same person's second approval; InvalidError (field checklist);
    ConflictError when it changed meanwhile or the public listing did.
    """
    if revision.state is RevisionState.PUBLISHED:
        return Decision(published=True, repeated=True)
    if revision.state is RevisionState.APPROVED and revision.first_approval_by_id == actor.user_id:
        return Decision(published=False, repeated=True)
    _refuse_unless_decider(revision, actor)
    missing = unchecked(revision.review_reasons, ticked)
    if missing:
        raise InvalidError(
            {"checklist": f"Look at everything on the list first; {len(missing)} left."}
        )
    _begin_if_needed(revision, expected, actor)
    done = {check.key: actor.user_id for check in checks_for(revision.review_reasons)}
    if revision.needs_second_approval and revision.state is RevisionState.IN_REVIEW:
        advance(
            revision,
            revision.lock_version,
            state=after(revision.state, Act.APPROVE),
            first_approval_by_id=actor.user_id,
            reviewer_id=actor.user_id,
            checklist={"first": done},
        )
        add_event(revision, "first_approval", actor)
        _record("revision.first_approved", revision, actor)
        return Decision(published=False)
    _publish(revision, done, actor)
    return Decision(published=True)


def check_sample(revision: Revision, actor: Actor) -> None:
    """Say that a publication without review was fine; twice is harmless."""
    _refuse_unless_sample(revision)
    if revision.sample_checked_at is not None:
        return
    advance(revision, revision.lock_version, sample_checked_at=clock.now())
    add_event(revision, "sample_checked", actor, for_partner=False)
    _record("revision.sample_checked", revision, actor)


def revert_sample(revision: Revision, body: str, actor: Actor) -> tuple[str, ...]:
    """Take back what an unreviewed publication changed, where it is still public.

    Fields that were changed again since keep their newer value. The fields that were reverted.
    Raises InvalidError (field body), ConflictError when nothing of it is public any more.
    """
    _refuse_unless_sample(revision)
    text = _required(body, "body", "Say why it is taken back; its publisher reads it.")
    listing = revision.listing
    public = listing.content or {}
    fields = tuple(
        name
        for name in revision.changed_fields
        if public.get(name) == revision.content.get(name)
        and name in changed_fields(revision.base_content, revision.content)
    )
    if not fields:
        raise ConflictError("Nothing of this change is public any more.")
    restored = {**public, **{name: revision.base_content.get(name) for name in fields}}
    restored = {name: value for name, value in restored.items() if value is not None}
    if content_problems(restored):
        raise ConflictError(
            "What was there before breaks today's rules. Ask the publisher to change it instead."
        )
    content = ListingContent.model_validate(restored)
    at = clock.now()
    advance(revision, revision.lock_version, sample_checked_at=at)
    reverting = Revision(
        listing_id=listing.id,
        number=next_number(listing.id),
        state=RevisionState.PUBLISHED,
        content=content.to_json(),
        base_content=public,
        created_by_id=actor.user_id,
        updated_by_id=actor.user_id,
        changed_fields=list(fields),
        published_at=at,
    )
    db.session.add(reverting)
    db.session.flush()
    add_event(revision, "reverted", actor, text)
    make_public(listing, reverting, content, actor)
    _record("revision.reverted", revision, actor, fields=list(fields))
    mails.tell_reverted(listing, revision, list(fields), text)
    return fields


def check_version(version: ListingVersion, *, seen: str, actor: Actor) -> bool:
    """Say that what a version tells is fine. False when somebody did already.

    `seen` is its `changed_at` on the page that the reviewer saw, in ISO 8601. Raises
    ForbiddenError, ConflictError when it was corrected since.
    """
    _refuse_unless_outsider(version, actor)
    if version.checked_at is not None:
        return False
    found = None
    if seen == version.changed_at.isoformat():
        found = db.session.scalar(
            update(ListingVersion)
            .where(ListingVersion.id == version.id, ListingVersion.changed_at == version.changed_at)
            .values(checked_at=clock.now(), checked_by_id=actor.user_id)
            .returning(ListingVersion.id)
        )
    if found is None:
        raise ConflictError(_CORRECTED)
    _record_version("listing.version_checked", version, actor, version=version.version)
    return True


def remove_version(version: ListingVersion, body: str, *, seen: str, actor: Actor) -> bool:
    """Take a version off its listing and tell its publisher why. False when it is gone.

    Raises InvalidError (field body; also when it was corrected since `seen`), ForbiddenError.
    """
    _refuse_unless_outsider(version, actor)
    text = _required(body, "body", "Say why it is removed; its publisher reads it.")
    if seen != version.changed_at.isoformat():
        raise InvalidError({"body": _CORRECTED})
    if not delete_version(version):
        return False
    _record_version(
        "listing.version_removed", version, actor, version=version.version, by="staff", reason=text
    )
    mails.tell_version_removed(version.listing, version, text)
    return True


def _publish(revision: Revision, done: dict[str, int | None], actor: Actor) -> None:
    listing = revision.listing
    first = listing.published_at is None
    _take_drift(listing, revision)
    content = valid_content(listing, revision)
    at = clock.now()
    state = revision.state
    if state is RevisionState.IN_REVIEW:
        state = after(state, Act.APPROVE)
    advance(
        revision,
        revision.lock_version,
        state=after(state, Act.PUBLISH),
        reviewer_id=actor.user_id,
        checklist={**revision.checklist, "last": done},
        decided_at=at,
        published_at=at,
    )
    add_event(revision, "approved", actor)
    add_event(revision, "published", actor)
    make_public(listing, revision, content, actor)
    _record("revision.approved", revision, actor)
    mails.tell_published(listing, revision, first=first)
    listing_decided(listing, approved=True)


def _take_drift(listing: Listing, revision: Revision) -> None:
    drift = rebase(revision.base_content or {}, listing.content or {}, revision.content)
    if drift.clashes:
        names = ", ".join(FIELD_LABELS.get(clash.field, clash.field) for clash in drift.clashes)
        raise ConflictError(
            f"The public listing was changed by another path since this draft began: {names}. "
            "Request changes, so that its publisher chooses which values to keep."
        )
    if drift.taken:
        advance(
            revision,
            revision.lock_version,
            content=drift.merged,
            base_content=dict(listing.content or {}),
        )


def _begin_if_needed(revision: Revision, expected: int | None, actor: Actor) -> None:
    if expected is not None and expected != revision.lock_version:
        raise ConflictError(
            "This revision changed since you opened the page. Load it again and look once more.",
            code="revision-changed",
        )
    if revision.state is RevisionState.SUBMITTED:
        claim(revision, actor)


def _refuse_unless_decider(revision: Revision, actor: Actor) -> None:
    # Policies refuse this at the edge; the rule holds for every caller of the service as well.
    if actor.role_in(revision.listing.publisher_id) is not None:
        raise ForbiddenError("You belong to the publisher: somebody else has to review this.")
    if revision.submitted_by_id == actor.user_id:
        raise ForbiddenError("You submitted this: somebody else has to review it.")


def _refuse_unless_outsider(version: ListingVersion, actor: Actor) -> None:
    if actor.role_in(version.listing.publisher_id) is not None:
        raise ForbiddenError("You belong to the publisher: somebody else has to check this.")
    if version.created_by_id == actor.user_id:
        raise ForbiddenError("You added this version: somebody else has to check it.")


def _refuse_unless_sample(revision: Revision) -> None:
    if not revision.sampled or revision.state is not RevisionState.PUBLISHED:
        raise ConflictError("This publication is not a sample.")


def _required(body: str, field: str, message: str) -> str:
    text = body.replace("\r\n", "\n").strip()
    if not text:
        raise InvalidError({field: message})
    if len(text) > NOTE_LENGTH:
        raise InvalidError(
            {field: f"Use at most {NOTE_LENGTH:,} characters; this has {len(text):,}."}
        )
    return text


def _record(kind: str, revision: Revision, actor: Actor, **data: Any) -> None:
    record_fact(
        kind,
        subject=("listing", revision.listing_id),
        actor_user_id=actor.user_id,
        organization_id=revision.listing.publisher_id,
        data={"revision": revision.id, **data},
    )


def _record_version(kind: str, row: ListingVersion, actor: Actor, **data: Any) -> None:
    record_fact(
        kind,
        subject=("listing", row.listing_id),
        actor_user_id=actor.user_id,
        organization_id=row.listing.publisher_id,
        data=data,
    )
