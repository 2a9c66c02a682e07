"""Publishing a draft: what changes, who would move, from when on."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from marketplace.core import clock
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.limits import limiter
from marketplace.core.pagination import Page, page_number
from marketplace.core.permissions import current_actor, needs
from marketplace.program.policy import queries
from marketplace.program.policy.difference import Change, differences, grouped
from marketplace.program.policy.documents import DocumentError, read_policy
from marketplace.program.policy.forms import PreviewForm, PublishForm
from marketplace.program.policy.models import PolicyState, PolicyVersion
from marketplace.program.policy.references import Reference, references
from marketplace.program.policy.removals import Removal, removals
from marketplace.program.policy.services.publishing import (
    LeavesOutError,
    Seen,
    SeenOtherwiseError,
)
from marketplace.program.policy.services.publishing import publish as publish_version
from marketplace.program.policy.views.blueprints import policy_staff
from marketplace.program.policy.views.drafts import to_version
from marketplace.program.policy.views.versions import PATH, policy_in
from marketplace.program.scorecards.models import MoversPreview
from marketplace.program.scorecards.movers import Mover, movers
from marketplace.program.scorecards.services import previews

_PUBLISH = needs("policy.publish", load=queries.find_version, name="version")


@policy_staff.get(f"{PATH}/publish")
@_PUBLISH
def publication(version: PolicyVersion) -> ResponseReturnValue:
    """The confirmation: the difference, who would move, and the moment in two zones."""
    if version.state is not PolicyState.DRAFT:
        return to_version(version)
    typed = request.args.get("at", "").strip()
    at, problem = _moment(typed)
    return _page(version, at, typed=typed, problem=problem)


@policy_staff.post(f"{PATH}/preview")
@_PUBLISH
@limiter.limit("60 per hour", key_func=lambda: f"previews:{current_actor().user_id}")
def preview(version: PolicyVersion) -> ResponseReturnValue:
    """Begin to work out who would move; the page follows it."""
    form = PreviewForm()
    typed = (form.at.data or "").strip()
    at, problem = _moment(typed)
    if version.state is not PolicyState.DRAFT:
        return to_version(version)
    if problem or not form.validate():
        return _page(version, None, typed=typed, problem=problem), 422
    try:
        read_policy(version.document)
    except DocumentError:
        return _page(version, at, typed=typed), 422
    live = queries.version_in_force_at(at or clock.now())
    previews.start_preview(
        version, live.public_id if live else "", at, by_user_id=current_actor().user_id
    )
    return redirect(
        url_for("policy_staff.publication", policy_id=version.public_id, at=typed or None), 303
    )


@policy_staff.post(f"{PATH}/publish")
@_PUBLISH
def publish(version: PolicyVersion) -> ResponseReturnValue:
    """Publish what was seen."""
    form = PublishForm()
    at, problem = _stored_moment(form.effective_at.data or "")
    if problem:
        return _page(version, None, problem=problem), 422
    seen = Seen(form.digest.data or "", form.against.data or "")
    if not _movers_were_shown(version, seen, at):
        return _page(version, at, problem="Look at who would move first."), 409
    try:
        publish_version(
            version,
            by_user_id=current_actor().user_id,
            effective_at=at,
            seen=seen,
            drop=bool(form.drop.data),
        )
    except LeavesOutError:
        return _page(version, at, unconfirmed=True), 422
    except SeenOtherwiseError as error:
        return _page(version, at, problem=error.detail), 409
    except InvalidError as error:
        return _page(version, None, problem="; ".join(error.fields.values())), 422
    except ConflictError as error:
        flash(error.detail, "warning")
        return to_version(version)
    flash(
        f"Version {version.number} is published."
        if at is None
        else f"Version {version.number} is published. It counts from its day on.",
        "success",
    )
    return to_version(version)


def _movers_were_shown(version: PolicyVersion, seen: Seen, at: datetime | None) -> bool:
    """Whether it was worked out who moves. What was not looked at as it is, publishing refuses."""
    if version.state is not PolicyState.DRAFT or version.digest != seen.digest:
        return True
    if previews.partners_in_force() <= previews.AT_ONCE:
        return True
    found = previews.find_preview(version, seen.against, at)
    return found is not None and found.finished_at is not None


def zone_of(name: str) -> ZoneInfo:
    """A person's zone; UTC for one that there is not."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def _moment(typed: str) -> tuple[datetime | None, str]:
    """What a person typed in their own zone; None for now, with what is wrong."""
    if not typed:
        return None, ""
    try:
        local = datetime.fromisoformat(typed)
        if local.tzinfo is None:
            local = local.replace(tzinfo=zone_of(current_actor().timezone))
        at = local.astimezone(UTC)
    except (ValueError, OverflowError):
        return None, "Type a day and a time."
    if at <= clock.now():
        return None, "Choose a moment that is still to come, or publish now."
    return at, ""


def _stored_moment(text: str) -> tuple[datetime | None, str]:
    """The moment that was confirmed, as the page wrote it: in UTC; empty for now."""
    if not text:
        return None, ""
    try:
        at = datetime.fromisoformat(text)
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC), ""
    except (ValueError, OverflowError):
        return None, "Choose the moment anew."


def _page(
    version: PolicyVersion,
    at: datetime | None,
    *,
    typed: str = "",
    problem: str = "",
    unconfirmed: bool = False,
) -> str:
    zone = zone_of(current_actor().timezone)
    if at is not None and not typed:
        # Confirmed before: the field says it again.
        typed = f"{at.astimezone(zone):%Y-%m-%dT%H:%M}"
    moment = at or clock.now()
    # What it replaces at its moment, which may be a version that is still to come.
    live = queries.version_in_force_at(moment)
    form = PublishForm(formdata=None)
    form.edition.data, form.digest.data = version.edition, version.digest
    form.against.data = live.public_id if live else ""
    form.effective_at.data = at.isoformat() if at else ""
    problems: list[str] = []
    changes: list[Change] = []
    gone: list[Removal] = []
    spoken_of: list[Reference] = []
    preview: MoversPreview | None = None
    moves: Page[Mover] | None = None
    try:
        policy = read_policy(version.document)
        before = policy_in(live) if live else None
        changes = differences(before, policy)
        gone = removals(before, policy)
        spoken_of = references(before, policy)
        if previews.partners_in_force() <= previews.AT_ONCE:
            found = movers(policy, moment, before)
            moves = Page(found, len(found), 1, max(1, len(found)))
        else:
            preview = previews.find_preview(version, form.against.data, at)
            if preview is not None and preview.finished_at is not None:
                moves = previews.page_of_movers(preview, page_number(request.args.get("page")))
    except DocumentError as error:
        problems = [str(each) for each in error.problems]
    if unconfirmed:
        form.drop.errors = ["Tick this if that is meant."]
    return render_template(
        "program_policy/publish.html",
        version=version,
        live=live,
        policy=policy_in(version),
        live_policy=policy_in(live) if live else None,
        form=form,
        at=at,
        typed=typed,
        problem=problem,
        problems=problems,
        changes=changes,
        groups=grouped(changes),
        gone=gone,
        spoken_of=spoken_of,
        moves=moves,
        preview=preview,
        upcoming=[
            each for each in queries.upcoming() if each.effective_at and each.effective_at > moment
        ],
        zone=zone.key,
        utc=f"{at:%d %b %Y, %H:%M} UTC" if at else "",
    )
