"""Handing a revision in, taking it back, and what is published without a review."""

from dataclasses import dataclass
from typing import Any

from marketplace.catalogue.accreditations import keep_in_step
from marketplace.catalogue.assets import owned_keys
from marketplace.catalogue.content import ListingContent
from marketplace.catalogue.events import listing_decided
from marketplace.catalogue.models import Listing, Revision, RevisionState
from marketplace.catalogue.publication import apply_content, categories_by_slug
from marketplace.catalogue.publishing import queries
from marketplace.catalogue.publishing.names import NamedThing, close_names
from marketplace.catalogue.publishing.problems import content_problems
from marketplace.catalogue.publishing.rebasing import Rebase, rebase
from marketplace.catalogue.publishing.sensitivity import ReviewPlan, is_sampled, review_plan
from marketplace.catalogue.publishing.services.drafts import add_event, advance, refuse_in_review
from marketplace.catalogue.publishing.states import WAITING, Act, after
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.facts import record_fact
from marketplace.core.permissions import ANONYMOUS, Actor

NOTE_LENGTH = 2_000


class DriftError(ConflictError):
    """The public listing changed in fields that the draft changed as well."""

    title = "The public listing has changed"


@dataclass(frozen=True)
class Submission:
    """What became of a submission: published at once, or waiting for review."""

    published: bool
    repeated: bool = False
    sampled: bool = False


@dataclass(frozen=True)
class Plan:
    """What a submission would lead to, and the names it is close to."""

    review: ReviewPlan
    close: tuple[NamedThing, ...] = ()


def drift_of(listing: Listing, revision: Revision) -> Rebase:
    """How the public listing moved on since the draft began."""
    return rebase(revision.base_content or {}, listing.content or {}, revision.content or {})


def plan_submission(listing: Listing, revision: Revision) -> Plan:
    """Decide whether the revision needs a review, and why."""
    published, proposed = listing.content or {}, revision.content
    close = _close_names(listing, published, proposed)
    return Plan(
        review_plan(
            published,
            proposed,
            is_new=listing.published_at is None,
            sent_back=queries.was_sent_back(revision.id),
            close_names=[other.name for other in close],
        ),
        tuple(close),
    )


def apply_drift(listing: Listing, revision: Revision, actor: Actor) -> tuple[str, ...]:
    """Take over what changed in public meanwhile; the names of the fields taken.

    Raises DriftError when the draft changed one of those fields as well.
    """
    drift = drift_of(listing, revision)
    if drift.clashes:
        names = ", ".join(clash.field for clash in drift.clashes)
        raise DriftError(
            f"Since this draft began, the public listing was changed in: {names}. Choose which "
            "values to keep, then submit again."
        )
    if (revision.base_content or {}) != (listing.content or {}):
        _rebased(listing, revision, drift.merged, actor, drift.taken, {})
    return drift.taken


def settle_drift(
    listing: Listing, revision: Revision, keep_public: set[str], actor: Actor
) -> tuple[str, ...]:
    """Put the draft on top of what is public now; of the fields that both sides changed, those
    in `keep_public` take the public value, the others keep the draft's."""
    refuse_in_review(revision)
    drift = drift_of(listing, revision)
    merged = dict(drift.merged)
    for clash in drift.clashes:
        if clash.field in keep_public:
            merged[clash.field] = clash.published
    kept = {clash.field: clash.field not in keep_public for clash in drift.clashes}
    _rebased(listing, revision, merged, actor, drift.taken, kept)
    return drift.taken


def submit(
    listing: Listing,
    revision: Revision,
    actor: Actor,
    *,
    note: str = "",
    expected: int | None = None,
) -> Submission:
    """Hand the revision in: published at once when nothing in it needs review, else queued.

    `expected` is the lock_version of the page that the person saw. Submitting twice is
    harmless. Raises InvalidError with every problem by path, DriftError, ConflictError.
    """
    if revision.state in WAITING:
        return Submission(published=False, repeated=True)
    if revision.state is RevisionState.PUBLISHED:
        return Submission(published=True, repeated=True)
    next_state = after(revision.state, Act.SUBMIT)
    if expected is not None and expected != revision.lock_version:
        raise ConflictError(
            "The draft was changed since you opened this page. Look at it again, then submit.",
            code="revision-changed",
        )
    apply_drift(listing, revision, actor)
    content = valid_content(listing, revision)
    plan = plan_submission(listing, revision)
    if not plan.review.changed:
        raise InvalidError({}, "Nothing has changed against the public listing.")
    if not plan.review.needs_review and revision.state is RevisionState.DRAFT:
        return _publish_unreviewed(listing, revision, content, plan.review, actor)
    at = clock.now()
    advance(
        revision,
        revision.lock_version,
        state=next_state,
        submitted_at=at,
        submitted_by_id=actor.user_id,
        decided_at=None,
        review_started_at=None,
        first_approval_by_id=None,
        changed_fields=list(plan.review.changed),
        review_reasons=list(plan.review.reasons),
        needs_second_approval=plan.review.needs_second,
        checklist={},
        note_to_reviewer=note.strip()[:NOTE_LENGTH],
    )
    add_event(revision, "submitted", actor, note.strip()[:NOTE_LENGTH])
    if plan.close:
        names = "; ".join(f"“{other.name}” ({other.owner})" for other in plan.close)
        # The rule holds it, not the person who submits.
        add_event(revision, "held", ANONYMOUS, f"The name is close to {names}.")
    _record("revision.submitted", listing, revision, actor, reasons=list(plan.review.reasons))
    return Submission(published=False)


def withdraw_submission(listing: Listing, revision: Revision, actor: Actor) -> None:
    """Take a submission back to a draft. Doing it twice is harmless."""
    if revision.state is RevisionState.DRAFT:
        return
    state = after(revision.state, Act.WITHDRAW_SUBMISSION)
    advance(
        revision,
        revision.lock_version,
        state=state,
        submitted_at=None,
        reviewer_id=None,
        review_started_at=None,
        first_approval_by_id=None,
    )
    add_event(revision, "withdrawn", actor)
    _record("revision.submission_withdrawn", listing, revision, actor)


def valid_content(listing: Listing, revision: Revision) -> ListingContent:
    """The revision's content once it keeps every rule. Raises InvalidError by path."""
    problems = content_problems(revision.content)
    problems |= _image_problems(listing, revision.content)
    if problems:
        raise InvalidError(problems)
    content = ListingContent.model_validate(revision.content)
    categories_by_slug(content.categories)
    return content


def make_public(
    listing: Listing, revision: Revision, content: ListingContent, actor: Actor
) -> None:
    """What every publication shares: the public content, the link to its revision, the facts."""
    first = listing.published_at is None
    apply_content(listing, content)
    keep_in_step(listing)
    listing.published_revision_id = revision.id
    db.session.flush()
    _record(
        "listing.published" if first else "listing.updated",
        listing,
        revision,
        actor,
        fields=list(revision.changed_fields),
    )


def _publish_unreviewed(
    listing: Listing, revision: Revision, content: ListingContent, plan: ReviewPlan, actor: Actor
) -> Submission:
    at = clock.now()
    sampled = is_sampled(listing.id, revision.number)
    advance(
        revision,
        revision.lock_version,
        state=after(revision.state, Act.PUBLISH_UNREVIEWED),
        submitted_by_id=actor.user_id,
        changed_fields=list(plan.changed),
        review_reasons=[],
        sampled=sampled,
        published_at=at,
    )
    add_event(revision, "published", actor, "Published without a review.")
    make_public(listing, revision, content, actor)
    listing_decided(listing, approved=True)
    return Submission(published=True, sampled=sampled)


def _rebased(
    listing: Listing,
    revision: Revision,
    merged: dict[str, Any],
    actor: Actor,
    taken: tuple[str, ...],
    kept: dict[str, bool],
) -> None:
    advance(
        revision,
        revision.lock_version,
        content=merged,
        base_content=dict(listing.content or {}),
        updated_by_id=actor.user_id,
    )
    _record("revision.rebased", listing, revision, actor, taken=list(taken), draft_kept=kept)


def _close_names(
    listing: Listing, published: dict[str, Any], proposed: dict[str, Any]
) -> list[NamedThing]:
    known = {str(published.get("name") or ""), *map(str, published.get("aliases") or ())}
    wanted = [str(proposed.get("name") or ""), *map(str, proposed.get("aliases") or ())]
    fresh = [name for name in wanted if name and name not in known]
    if not fresh:
        return []
    others = queries.names_of_others(listing.publisher_id)
    found = [other for name in fresh for other in close_names(name, others)]
    return list(dict.fromkeys(found))[:5]


def _image_problems(listing: Listing, content: dict[str, Any]) -> dict[str, str]:
    images = {
        f"screenshots.{number}": row
        for number, row in enumerate(content.get("screenshots") or ())
        if isinstance(row, dict)
    }
    if isinstance(content.get("logo"), dict):
        images["logo"] = content["logo"]
    public = listing.content or {}
    known = {row.get("key") for row in [public.get("logo") or {}, *public.get("screenshots", ())]}
    keys = {str(row.get("key")) for row in images.values()}
    owned = owned_keys(listing.publisher_id, keys - known) | known
    return {
        (path if path == "logo" else f"{path}.alt"): "Upload this image again."
        for path, row in images.items()
        if str(row.get("key")) not in owned
    }


def _record(kind: str, listing: Listing, revision: Revision, actor: Actor, **data: Any) -> None:
    record_fact(
        kind,
        subject=("listing", listing.id),
        actor_user_id=actor.user_id,
        organization_id=listing.publisher_id,
        data={"revision": revision.id, **data},
    )
