"""The reviewers' pages: the queue, a review, what was decided."""

import csv
import io
from collections.abc import Iterator
from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from marketplace.catalogue.models import ListingVersion, Revision, RevisionState
from marketplace.catalogue.pages.listing_page import preview_context
from marketplace.catalogue.publishing.differences import content_differences
from marketplace.catalogue.publishing.forms.acts import show_errors
from marketplace.catalogue.publishing.history import EVENT_TEXTS
from marketplace.catalogue.publishing.queries import decided_since
from marketplace.catalogue.publishing.rebasing import rebase
from marketplace.catalogue.publishing.sections import FIELD_LABELS
from marketplace.catalogue.publishing.sensitivity import REASONS, new_links, new_scopes
from marketplace.catalogue.publishing.states import WAITING
from marketplace.catalogue.publishing.waiting import WINDOW, median_wait, wait_text
from marketplace.catalogue.reviewing import policies, queries, services
from marketplace.catalogue.reviewing.checklist import checks_for
from marketplace.catalogue.reviewing.forms import (
    ApprovalForm,
    AssignmentForm,
    ChangesForm,
    NoteForm,
    ReversionForm,
    VersionRemovalForm,
)
from marketplace.core import clock
from marketplace.core.errors import ForbiddenError, InvalidError, SignInRequiredError
from marketplace.core.pagination import page_number, paginate
from marketplace.core.permissions import authorize, current_actor, needs
from marketplace.identity.forms import choices_of

blueprint = Blueprint("reviewing", __name__, url_prefix="/staff/reviews")
PER_PAGE = 25
SHOW_LABELS = {
    "waiting": "Waiting",
    "new": "New listings",
    "changes": "Changes",
    "held": "Held for the name",
    "second": "Second approval",
    "mine": "Mine",
    "samples": "Samples",
}


def handed_in(revision_id: int) -> Revision | None:
    """The revision of a URL, for staff; others are not told whether it exists."""
    actor = current_actor()
    if not actor.is_authenticated:
        raise SignInRequiredError("Sign in to go on.")
    authorize(actor, "reviews.queue", hidden=True)
    revision = queries.revision_by_id(revision_id)
    if revision is not None and policies.is_own(actor, revision):
        raise ForbiddenError(
            "You belong to this publisher. Nobody reviews their own organization's listings."
        )
    return revision


@blueprint.get("")
@needs("reviews.queue")
def queue() -> ResponseReturnValue:
    """What waits, oldest first."""
    actor = current_actor()
    show = request.args.get("show", "waiting")
    if show not in queries.SHOWS:
        show = "waiting"
    page = paginate(
        queries.queue(show, actor.user_id),
        page=page_number(request.args.get("page")),
        per_page=PER_PAGE,
    )
    at = clock.now()
    return render_template(
        "reviewing/queue.html",
        page=page,
        show=show,
        labels=SHOW_LABELS,
        counts=queries.queue_counts(actor.user_id),
        version_count=queries.new_version_count(),
        places=queries.places(),
        oldest=queries.oldest_waiting(),
        median=wait_text(median_wait(decided_since(at - WINDOW), at=at)),
        reason_texts=REASONS,
        is_own=lambda revision: policies.is_own(actor, revision),
    )


@blueprint.get("/decided")
@needs("reviews.queue")
def decided() -> ResponseReturnValue:
    """What was decided, newest first."""
    page = paginate(
        queries.decided(), page=page_number(request.args.get("page")), per_page=PER_PAGE
    )
    at = clock.now()
    return render_template(
        "reviewing/decided.html",
        page=page,
        wait_text=wait_text,
        median=wait_text(median_wait(decided_since(at - WINDOW), at=at)),
    )


@blueprint.get("/history.csv")
@needs("reviews.queue")
def history_csv() -> ResponseReturnValue:
    """Every submission with its times and outcome, as CSV."""
    rows = list(_csv_lines())
    response = Response("".join(rows), mimetype="text/csv")
    response.headers["Content-Disposition"] = 'attachment; filename="review-history.csv"'
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.get("/<int:revision_id>")
@needs("reviews.open", load=handed_in, name="revision", hidden=False)
def review(revision: Revision) -> ResponseReturnValue:
    """One revision: what it changes, why it is here, and the decision."""
    return _page(revision)


@blueprint.get("/<int:revision_id>/preview")
@needs("reviews.open", load=handed_in, name="revision", hidden=False)
def preview(revision: Revision) -> ResponseReturnValue:
    """The public page with the proposed content."""
    return render_template(
        "reviewing/preview.html",
        revision=revision,
        **preview_context(revision.listing, revision.content),
    )


@blueprint.post("/<int:revision_id>/claim")
@needs("reviews.decide", load=handed_in, name="revision", hidden=False)
def claim(revision: Revision) -> ResponseReturnValue:
    """Take the review on."""
    if services.claim(revision, current_actor()):
        flash("The review is yours.", "success")
    return _back(revision)


@blueprint.post("/<int:revision_id>/release")
@needs("reviews.decide", load=handed_in, name="revision", hidden=False)
def release(revision: Revision) -> ResponseReturnValue:
    """Put it back into the queue."""
    services.release(revision, current_actor())
    flash("It is back in the queue, at its old place.", "success")
    return _back(revision)


@blueprint.post("/<int:revision_id>/assignment")
@needs("reviews.decide", load=handed_in, name="revision", hidden=False)
def assign(revision: Revision) -> ResponseReturnValue:
    """Give it to a colleague."""
    form = AssignmentForm()
    chosen = str(form.reviewer.data or "")
    number = int(chosen) if chosen.isascii() and chosen.isdigit() and len(chosen) < 18 else 0
    try:
        services.assign(revision, number, current_actor())
    except InvalidError as error:
        show_errors(form, error.fields)
        return _page(revision, assignment=form), 422
    flash("The review is assigned.", "success")
    return _back(revision)


@blueprint.post("/<int:revision_id>/notes")
@needs("reviews.decide", load=handed_in, name="revision", hidden=False)
def add_note(revision: Revision) -> ResponseReturnValue:
    """Add a note."""
    form = NoteForm()
    try:
        services.add_note(
            revision,
            form.body.data or "",
            for_partner=bool(form.for_partner.data),
            actor=current_actor(),
        )
    except InvalidError as error:
        show_errors(form, error.fields)
        return _page(revision, note=form), 422
    flash("The note is added.", "success")
    return _back(revision)


@blueprint.post("/<int:revision_id>/changes-request")
@needs("reviews.decide", load=handed_in, name="revision", hidden=False)
def request_changes(revision: Revision) -> ResponseReturnValue:
    """Send it back to its publisher."""
    form = ChangesForm()
    notes = {
        name.removeprefix("note-"): value
        for name, value in request.form.items()
        if name.startswith("note-")
    }
    try:
        sent = services.request_changes(
            revision,
            form.body.data or "",
            notes,
            expected=_version(form.version.data),
            actor=current_actor(),
        )
    except InvalidError as error:
        show_errors(form, error.fields)
        return _page(revision, changes=form, field_notes=notes), 422
    flash("Sent back with your notes." if sent else "It was sent back already.", "success")
    return redirect(url_for("reviewing.queue"), 303)


@blueprint.post("/<int:revision_id>/approval")
@needs("reviews.decide", load=handed_in, name="revision", hidden=False)
def approve(revision: Revision) -> ResponseReturnValue:
    """Approve; public at once, or on to the second reviewer."""
    form = ApprovalForm().offer(checks_for(revision.review_reasons))
    try:
        decision = services.approve(
            revision,
            form.checklist.data or (),
            expected=_version(form.version.data),
            actor=current_actor(),
        )
    except InvalidError as error:
        rest = show_errors(form, {k: v for k, v in error.fields.items() if k == "checklist"})
        rest += [
            f"{FIELD_LABELS.get(path.partition('.')[0], path)}: {message}"
            for path, message in error.fields.items()
            if path != "checklist"
        ]
        return _page(revision, approval=form, told=rest), 422
    if decision.repeated and decision.published:
        flash("It was approved and published already.", "info")
    elif decision.repeated:
        flash("You approved it already. Another reviewer has to approve it as well.", "info")
    elif decision.published:
        flash(f"{revision.listing.name} is approved and public.", "success")
    else:
        flash("Approved. New scopes need a second reviewer before it is public.", "success")
    return redirect(url_for("reviewing.queue"), 303)


@blueprint.post("/<int:revision_id>/sample-check")
@needs("reviews.decide", load=handed_in, name="revision", hidden=False)
def check_sample(revision: Revision) -> ResponseReturnValue:
    """A publication without review was fine."""
    services.check_sample(revision, current_actor())
    flash("Checked off.", "success")
    return redirect(url_for("reviewing.queue", show="samples"), 303)


@blueprint.post("/<int:revision_id>/reversion")
@needs("reviews.decide", load=handed_in, name="revision", hidden=False)
def revert_sample(revision: Revision) -> ResponseReturnValue:
    """Take back what a publication without review changed."""
    form = ReversionForm()
    try:
        fields = services.revert_sample(revision, form.body.data or "", current_actor())
    except InvalidError as error:
        show_errors(form, error.fields)
        return _page(revision, reversion=form), 422
    names = ", ".join(FIELD_LABELS[name].lower() for name in fields)
    flash(f"Taken back: {names}. Its publisher is told.", "success")
    return redirect(url_for("reviewing.queue", show="samples"), 303)


@blueprint.get("/versions")
@needs("reviews.queue")
def new_versions() -> ResponseReturnValue:
    """The versions that partners added of late and nobody looked at, oldest first."""
    return _versions_page()


@blueprint.post("/versions/<int:version_id>/check")
@needs("version.decide")
def check_version(version_id: int) -> ResponseReturnValue:
    """What a version tells is fine."""
    version = _version_to_decide(version_id)
    if version is None:
        return _version_gone()
    if services.check_version(version, seen=request.form.get("seen", ""), actor=current_actor()):
        flash(f"Version {version.version} of {version.listing.name} is checked.", "success")
    else:
        flash("It was checked already.", "info")
    return redirect(url_for("reviewing.new_versions"), 303)


@blueprint.post("/versions/<int:version_id>/removal")
@needs("version.decide")
def remove_version(version_id: int) -> ResponseReturnValue:
    """Take a version off its listing."""
    version = _version_to_decide(version_id)
    if version is None:
        return _version_gone()
    form = VersionRemovalForm(prefix=_prefix(version))
    try:
        removed = services.remove_version(
            version, form.body.data or "", seen=form.seen.data or "", actor=current_actor()
        )
    except InvalidError as error:
        show_errors(form, error.fields)
        return _versions_page(version, form), 422
    if not removed:
        return _version_gone()
    flash("The version is removed. Its publisher is told.", "success")
    return redirect(url_for("reviewing.new_versions"), 303)


def _version_to_decide(version_id: int) -> ListingVersion | None:
    version = queries.version_by_id(version_id)
    if version is not None:
        authorize(current_actor(), "version.decide", version, hidden=False)
    return version


def _version_gone() -> ResponseReturnValue:
    # A second click, a colleague or the publisher was faster.
    flash("That version was removed already.", "info")
    return redirect(url_for("reviewing.new_versions"), 303)


def _prefix(version: ListingVersion) -> str:
    # Many of these forms share a page; each field needs an id of its own.
    return f"version-{version.id}"


def _versions_page(
    refused: ListingVersion | None = None, refused_form: VersionRemovalForm | None = None
) -> str:
    actor = current_actor()
    page = paginate(
        queries.new_versions(), page=page_number(request.args.get("page")), per_page=PER_PAGE
    )
    # The refused one is shown even when it is on another page, so that the reason is not lost.
    others = [row for row in page.items if refused is None or row.id != refused.id]
    shown = [refused, *others] if refused is not None else others
    forms = {row.id: VersionRemovalForm(formdata=None, prefix=_prefix(row)) for row in shown}
    if refused is not None and refused_form is not None:
        forms[refused.id] = refused_form
    for row in shown:
        # What the next answer is about is what this page shows, also after a correction.
        forms[row.id].seen.data = row.changed_at.isoformat()
    return render_template(
        "reviewing/versions.html",
        page=page,
        versions=shown,
        forms=forms,
        labels=SHOW_LABELS,
        counts=queries.queue_counts(actor.user_id),
        version_count=queries.new_version_count(),
        show="versions",
        may_decide=lambda version: actor.can("version.decide", version),
    )


def _page(revision: Revision, **forms: Any) -> str:
    actor = current_actor()
    listing = revision.listing
    waiting = revision.state in WAITING
    # What waits is compared with what is public now; what is done, with what it replaced.
    before = (listing.content or {}) if waiting else (revision.base_content or {})
    drift = rebase(revision.base_content or {}, listing.content or {}, revision.content)
    checks = checks_for(revision.review_reasons)
    assignment = forms.pop("assignment", None) or AssignmentForm(formdata=None)
    people = [(str(user.id), user.name) for user in queries.reviewers()]
    assignment.reviewer.choices = choices_of([("", "Choose a reviewer"), *people])
    at = clock.now()
    context: dict[str, Any] = {
        "approval": ApprovalForm(formdata=None, data={"version": revision.lock_version}).offer(
            checks
        ),
        "changes": ChangesForm(formdata=None, data={"version": revision.lock_version}),
        "note": NoteForm(formdata=None),
        "reversion": ReversionForm(formdata=None),
        "field_notes": {},
        "told": [],
        **forms,
    }
    return render_template(
        "reviewing/review.html",
        revision=revision,
        listing=listing,
        waiting=waiting,
        differences=content_differences(before, revision.content),
        drift=drift if waiting and drift.is_needed else None,
        new_scopes=new_scopes(before, revision.content),
        new_links=new_links(before, revision.content),
        reason_texts=REASONS,
        checks=checks,
        place=queries.places().get(revision.id) if waiting else None,
        median=wait_text(median_wait(decided_since(at - WINDOW), at=at)),
        history=[_history_item(event) for event in queries.events(revision.id)],
        assignment=assignment,
        may_decide=actor.can("reviews.decide", revision),
        approved_by_me=revision.first_approval_by_id == actor.user_id,
        is_open_sample=revision.sampled
        and revision.state is RevisionState.PUBLISHED
        and revision.sample_checked_at is None,
        field_labels=FIELD_LABELS,
        **context,
    )


def _history_item(event: Any) -> dict[str, Any]:
    title, icon, tone = EVENT_TEXTS.get(event.kind, (event.kind, "circle-dot", "neutral"))
    who = f" by {event.author.name}" if event.author is not None else ""
    inside = " (internal)" if not event.for_partner else ""
    return {
        "title": f"{title}{who}{inside}",
        "at": event.created_at,
        "body": event.body,
        "fields": event.field_notes,
        "icon": icon,
        "tone": tone,
    }


def _version(value: object) -> int | None:
    text = str(value or "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 12 else None


def _csv_lines() -> Iterator[str]:
    out = io.StringIO()
    writer = csv.writer(out)

    def line(*cells: object) -> str:
        out.seek(0)
        out.truncate()
        writer.writerow([_safe_cell(cell) for cell in cells])
        return out.getvalue()

    yield line(
        "revision",
        "listing",
        "publisher",
        "number",
        "state",
        "reasons",
        "changed fields",
        "submitted at",
        "review started at",
        "decided at",
        "reviewer",
        "hours waited",
    )
    for row in queries.history():
        waited = ""
        if row.submitted_at and row.decided_at and row.decided_at >= row.submitted_at:
            waited = f"{(row.decided_at - row.submitted_at).total_seconds() / 3600:.1f}"
        yield line(
            row.id,
            row.listing.slug,
            row.listing.publisher.name,
            row.number,
            row.state.value,
            " ".join(row.review_reasons),
            " ".join(row.changed_fields),
            _moment(row.submitted_at),
            _moment(row.review_started_at),
            _moment(row.decided_at),
            row.reviewer.name if row.reviewer else "",
            waited,
        )


def _moment(value: Any) -> str:
    return value.isoformat(timespec="seconds") if value is not None else ""


def _safe_cell(value: object) -> str:
    # A spreadsheet runs a cell that begins like this as a formula.
    text = str(value)
    return f"'{text}" if text[:1] in {"=", "+", "-", "@", "\t", "\r"} else text


def _back(revision: Revision) -> ResponseReturnValue:
    return redirect(url_for("reviewing.review", revision_id=revision.id), 303)
