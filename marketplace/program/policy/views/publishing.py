"""Publishing a draft: what changes, who would move, from when on."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from flask import flash, render_template, request
from flask.typing import ResponseReturnValue

from marketplace.core import clock
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.permissions import current_actor, needs
from marketplace.program.policy import queries
from marketplace.program.policy.difference import differences, grouped
from marketplace.program.policy.documents import DocumentError, read_policy
from marketplace.program.policy.forms import PublishForm
from marketplace.program.policy.models import PolicyState, PolicyVersion
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
from marketplace.program.scorecards.movers import movers

_PUBLISH = needs("policy.publish", load=queries.find_version, name="version")
MOST_SHOWN = 100


@policy_staff.get(f"{PATH}/publish")
@_PUBLISH
def publication(version: PolicyVersion) -> ResponseReturnValue:
    """The confirmation: the difference, who would move, and the moment in two zones."""
    if version.state is not PolicyState.DRAFT:
        return to_version(version)
    typed = request.args.get("at", "").strip()
    at, problem = _moment(typed)
    return _page(version, at, typed=typed, problem=problem)


@policy_staff.post(f"{PATH}/publish")
@_PUBLISH
def publish(version: PolicyVersion) -> ResponseReturnValue:
    """Publish what was seen."""
    form = PublishForm()
    at, problem = _stored_moment(form.effective_at.data or "")
    if problem:
        return _page(version, None, problem=problem), 422
    seen = Seen(form.digest.data or "", form.against.data or "")
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
    moment = at or clock.now()
    # What it replaces at its moment, which may be a version that is still to come.
    live = queries.version_in_force_at(moment)
    form = PublishForm(formdata=None)
    form.edition.data, form.digest.data = version.edition, version.digest
    form.against.data = live.public_id if live else ""
    form.effective_at.data = at.isoformat() if at else ""
    problems: list[str] = []
    changes, moves = [], []
    gone: list[Removal] = []
    try:
        policy = read_policy(version.document)
        before = policy_in(live) if live else None
        changes = differences(before, policy)
        gone = removals(before, policy)
        moves = movers(policy, moment, before)
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
        moves=moves[:MOST_SHOWN],
        moved=len(moves),
        upcoming=[
            each for each in queries.upcoming() if each.effective_at and each.effective_at > moment
        ],
        zone=zone_of(current_actor().timezone).key,
        utc=f"{at:%d %b %Y, %H:%M} UTC" if at else "",
    )
