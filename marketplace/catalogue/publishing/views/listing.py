"""One listing in the portal: where it stands, its changes, and the page as the public sees it."""

from typing import Any

from flask import render_template
from flask.typing import ResponseReturnValue

from marketplace.catalogue.models import Listing, Revision, RevisionEvent, RevisionState
from marketplace.catalogue.pages.listing_page import preview_context
from marketplace.catalogue.publishing import queries
from marketplace.catalogue.publishing.differences import content_differences, segments_of
from marketplace.catalogue.publishing.forms.acts import SubmissionForm
from marketplace.catalogue.publishing.history import EVENT_TEXTS
from marketplace.catalogue.publishing.problems import checklist
from marketplace.catalogue.publishing.sections import FIELD_LABELS, readable
from marketplace.catalogue.publishing.sensitivity import REASONS, new_scopes
from marketplace.catalogue.publishing.services import drafts, submission
from marketplace.catalogue.publishing.states import WAITING
from marketplace.catalogue.publishing.views.portal import blueprint, listing_tabs, own_listing
from marketplace.catalogue.publishing.waiting import WINDOW, median_wait, wait_text
from marketplace.core import clock
from marketplace.core.permissions import current_actor, needs


@blueprint.get("/listings/<slug>")
@needs("listing.view_draft", load=own_listing, name="listing")
def listing(listing: Listing) -> ResponseReturnValue:
    """Where the listing and its draft stand, and what to do next."""
    return listing_page(listing)


@blueprint.get("/listings/<slug>/preview")
@needs("listing.view_draft", load=own_listing, name="listing")
def preview(listing: Listing) -> ResponseReturnValue:
    """The public page with the draft's content."""
    revision = queries.open_revision(listing.id)
    content = drafts.working_content(listing, revision)
    return render_template("portal/preview.html", **preview_context(listing, content))


@blueprint.get("/listings/<slug>/changes")
@needs("listing.view_draft", load=own_listing, name="listing")
def changes(listing: Listing) -> ResponseReturnValue:
    """What the draft changes, and what changed in public since it began."""
    revision = queries.open_revision(listing.id)
    drift = submission.drift_of(listing, revision) if revision is not None else None
    return render_template(
        "portal/changes.html",
        listing=listing,
        revision=revision,
        differences=content_differences(listing.content or {}, revision.content)
        if revision is not None
        else [],
        drift=drift if drift is not None and drift.is_needed else None,
        clashes=[
            {
                "name": clash.field,
                "label": FIELD_LABELS.get(clash.field, clash.field),
                "segments": segments_of(
                    readable(clash.field, clash.published), readable(clash.field, clash.draft)
                ),
                "published": readable(clash.field, clash.published),
                "draft": readable(clash.field, clash.draft),
            }
            for clash in (drift.clashes if drift is not None else ())
        ],
        field_labels=FIELD_LABELS,
        may_edit=current_actor().can("listing.edit", listing),
        tabs=listing_tabs(listing, "portal.changes"),
    )


def listing_page(
    listing: Listing, *, problems: dict[str, str] | None = None, told: str = ""
) -> str:
    """The page of `portal.listing`; `problems` of a refused submission by path."""
    actor = current_actor()
    revision = queries.open_revision(listing.id)
    content = drafts.working_content(listing, revision)
    at = clock.now()
    plan = None
    editable = revision is not None and revision.is_editable
    if revision is not None and editable:
        plan = submission.plan_submission(listing, revision)
    position = None
    if revision is not None and revision.state in WAITING:
        position = queries.queue_positions(listing.publisher_id).get(revision.id)
    items = checklist(content) if editable or revision is None else []
    drift = submission.drift_of(listing, revision) if revision is not None else None
    form = SubmissionForm(data={"version": revision.lock_version if revision else 0})
    return render_template(
        "portal/listing.html",
        listing=listing,
        revision=revision,
        content=content,
        editable=editable,
        discarded=queries.last_discarded(listing.id) if revision is None else None,
        missing=[item for item in items if item.required and not item.done],
        done=[item for item in items if item.required and item.done],
        advice=[item for item in items if not item.required and not item.done],
        plan=plan,
        reason_texts=REASONS,
        new_scopes=new_scopes(listing.content or {}, content) if editable else (),
        differences=content_differences(listing.content or {}, revision.content)
        if revision is not None
        else [],
        drift=drift if drift is not None and drift.is_needed else None,
        position=position,
        median=wait_text(median_wait(queries.decided_since(at - WINDOW), at=at)),
        steps=_steps(revision) if revision is not None else [],
        history=[_history_item(event) for event in queries.partner_events(listing.id)],
        feedback=_feedback(revision),
        field_labels=FIELD_LABELS,
        form=form,
        problems=problems or {},
        told=told,
        may_edit=actor.can("listing.edit", listing),
        may_release=actor.can("listing.add_version", listing),
        tabs=listing_tabs(listing, "portal.listing"),
    )


def _steps(revision: Revision) -> list[dict[str, Any]]:
    order = [
        (RevisionState.DRAFT, "Draft"),
        (RevisionState.SUBMITTED, "Submitted"),
        (RevisionState.IN_REVIEW, "In review"),
        (RevisionState.APPROVED, "Second approval"),
        (RevisionState.PUBLISHED, "Published"),
    ]
    if not revision.needs_second_approval:
        order.pop(3)
    states = [state for state, _label in order]
    sent_back = revision.state is RevisionState.CHANGES_REQUESTED
    at = states.index(RevisionState.IN_REVIEW if sent_back else revision.state)
    return [
        {
            "label": "Changes requested" if sent_back and number == at else label,
            "state": "done"
            if number < at
            else ("problem" if sent_back else "current")
            if number == at
            else "upcoming",
        }
        for number, (_state, label) in enumerate(order)
    ]


def _feedback(revision: Revision | None) -> dict[str, Any] | None:
    if revision is None or revision.state is not RevisionState.CHANGES_REQUESTED:
        return None
    asked = [event for event in revision.events if event.kind == "changes_requested"]
    if not asked:
        return None
    return {"body": asked[-1].body, "fields": asked[-1].field_notes, "at": asked[-1].created_at}


def _history_item(event: RevisionEvent) -> dict[str, Any]:
    title, icon, tone = EVENT_TEXTS.get(event.kind, (event.kind, "circle-dot", "neutral"))
    # Reviewers speak for the platform: partners are not told their names.
    by_us = event.kind in {"submitted", "withdrawn", "discarded"} and event.author is not None
    who = f" by {event.author.name}" if by_us and event.author is not None else ""
    return {
        "title": f"{title}{who} (revision {event.revision.number})",
        "at": event.created_at,
        "body": event.body,
        "icon": icon,
        "tone": tone,
        "fields": event.field_notes,
    }
