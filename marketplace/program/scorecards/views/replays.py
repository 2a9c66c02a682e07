"""The time machine: replays of the past months under another policy."""

from collections.abc import Iterator, Sequence

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Select, func, select

from marketplace.core.csv_export import csv_response
from marketplace.core.database import db
from marketplace.core.errors import ConflictError
from marketplace.core.limits import limiter
from marketplace.core.pagination import Page, page_number, paginate
from marketplace.core.permissions import current_actor, needs
from marketplace.identity.forms import choices_of
from marketplace.identity.models import Organization, User
from marketplace.program.policy import queries as policy_queries
from marketplace.program.policy.document import Policy
from marketplace.program.policy.documents import DocumentError, read_policy
from marketplace.program.policy.models import PolicyState, PolicyVersion
from marketplace.program.policy.yaml_text import policy_from_yaml
from marketplace.program.scorecards import texts
from marketplace.program.scorecards.forms import ReplayForm
from marketplace.program.scorecards.models import (
    Replay,
    ReplayDifference,
    ReplayMove,
    ReplayTrack,
)
from marketplace.program.scorecards.services.replays import (
    discard_replay,
    start_replay,
    stop_replay,
)
from marketplace.program.scorecards.views.blueprints import standings
from marketplace.program.standing.models import Standing

PER_PAGE = 20
ROWS_PER_PAGE = 50
MOST_CSV_ROWS = 100_000
MOVE_COLUMNS = ("When", "By", "Partner", "Address", "What", "From", "To")
DIFFERENCE_COLUMNS = ("Partner", "Address", "Live tier", "Replayed tier", "Replayed points")


def find_replay(replay_id: str, **_rest: object) -> Replay | None:
    """The replay of that public id."""
    return db.session.scalar(select(Replay).where(Replay.public_id == replay_id))


@standings.get("/staff/replays")
@needs("replays.use")
def replays() -> ResponseReturnValue:
    """All replays, and the form for a new one."""
    form = ReplayForm(formdata=None)
    asked = request.args.get("version", "")
    form.version.data = asked if asked.isascii() and len(asked) <= 40 else ""
    return _index(form)


@standings.post("/staff/replays")
@needs("replays.use")
@limiter.limit("30 per hour", key_func=lambda: f"replays:{current_actor().user_id}")
def replay_start() -> ResponseReturnValue:
    """Begin one."""
    form = ReplayForm()
    valid = form.validate_on_submit()
    found = _policy_of(form)
    if not valid or found is None:
        return _index(form), 422
    policy, name, version_id = found
    try:
        replay = start_replay(
            policy,
            name=name,
            version_id=version_id,
            months=form.months.data,
            whole_period=form.whole_period.data == "whole",
            by_user_id=current_actor().user_id,
        )
    except ConflictError as error:
        flash(error.detail, "warning")
        return redirect(url_for("standings.replays"), code=303)
    flash("The replay has begun. This page shows how far it is.", "success")
    return _to(replay)


@standings.get("/staff/replays/<replay_id>")
@needs("replays.use", load=find_replay, name="replay")
def replay(replay: Replay) -> ResponseReturnValue:
    """What one found."""
    policy = Policy.model_validate(replay.document)
    version = db.session.get(PolicyVersion, replay.version_id) if replay.version_id else None
    shown = request.args.get("show", "")
    shown = shown if shown in {"draft", "live"} else "differences"
    page = _page(replay, shown)
    return render_template(
        "standings/replay.html",
        replay=replay,
        policy=policy,
        version=version,
        is_changed=version is not None and version.digest != replay.digest,
        shown=shown,
        page=page,
        differences=_count(ReplayDifference, ReplayDifference.replay_id == replay.id),
        organizations=_organizations([row.organization_id for row in page.items]),
        tiers=_tiers(policy, replay.figures),
        texts=texts,
        by=db.session.get(User, replay.created_by_id) if replay.created_by_id else None,
    )


@standings.get("/staff/replays/<replay_id>/moves.csv")
@needs("replays.use", load=find_replay, name="replay")
def replay_moves_csv(replay: Replay) -> ResponseReturnValue:
    """Every move of both tracks as a file."""
    return csv_response(f"{replay.public_id}-moves.csv", MOVE_COLUMNS, _move_rows(replay))


@standings.get("/staff/replays/<replay_id>/differences.csv")
@needs("replays.use", load=find_replay, name="replay")
def replay_differences_csv(replay: Replay) -> ResponseReturnValue:
    """Who ends at another tier, as a file."""
    return csv_response(
        f"{replay.public_id}-differences.csv", DIFFERENCE_COLUMNS, _difference_rows(replay)
    )


@standings.post("/staff/replays/<replay_id>/stop")
@needs("replays.use", load=find_replay, name="replay")
def replay_stop(replay: Replay) -> ResponseReturnValue:
    """Stop one that runs."""
    if stop_replay(replay, by_user_id=current_actor().user_id):
        flash("Stopped.", "success")
    else:
        flash("It has ended already.", "info")
    return _to(replay)


@standings.get("/staff/replays/<replay_id>/discard")
@needs("replays.use", load=find_replay, name="replay")
def replay_discarding(replay: Replay) -> ResponseReturnValue:
    """Ask once more."""
    return render_template("standings/discard_replay.html", replay=replay)


@standings.post("/staff/replays/<replay_id>/discard")
@needs("replays.use", load=find_replay, name="replay")
def replay_discard(replay: Replay) -> ResponseReturnValue:
    """Delete one with what it found."""
    try:
        discard_replay(replay, by_user_id=current_actor().user_id)
    except ConflictError as error:
        flash(error.detail, "warning")
        return _to(replay)
    flash("Deleted.", "success")
    return redirect(url_for("standings.replays"), code=303)


def _index(form: ReplayForm) -> str:
    page = paginate(
        select(Replay).order_by(Replay.id.desc()),
        page=page_number(request.args.get("page")),
        per_page=PER_PAGE,
    )
    known = [
        (each.public_id, f"Version {each.number}: {each.name}")
        if each.state is PolicyState.PUBLISHED
        else (each.public_id, f"Draft: {each.name or 'without a name'}")
        for each in policy_queries.versions_to_compare()
    ]
    form.version.choices = choices_of([("", "None: the YAML below"), *known])
    return render_template(
        "standings/replays.html",
        form=form,
        page=page,
        partners=_count(Standing),
        texts=texts,
    )


def _policy_of(form: ReplayForm) -> tuple[Policy, str, int | None] | None:
    """What is to be replayed: the policy, its name, its version. None with errors in the form."""
    chosen, text = (form.version.data or "").strip(), (form.document.data or "").strip()
    if chosen and text:
        form.version.errors = ["Choose a version or paste a policy, not both."]
        return None
    if text:
        try:
            policy = policy_from_yaml(text)
        except DocumentError as error:
            form.document.errors = [str(each) for each in error.problems[:5]]
            return None
        return policy, f"{policy.name} (YAML)", None
    version = policy_queries.find_version(chosen[:40].replace("\x00", "")) if chosen else None
    if version is None or version.state is PolicyState.DISCARDED:
        form.version.errors = ["Choose a version, or paste a policy."]
        return None
    try:
        policy = read_policy(version.document)
    except DocumentError as error:
        form.version.errors = [f"This draft is no whole policy yet. {error.problems[0]}"]
        return None
    title = f"Version {version.number}" if version.number else (version.name or "A draft")
    return policy, title, version.id


def _page(replay: Replay, shown: str) -> Page[ReplayMove | ReplayDifference]:
    if shown == "differences":
        query = select(ReplayDifference).where(ReplayDifference.replay_id == replay.id)
        query = query.order_by(ReplayDifference.id)
        return paginate(query, page=page_number(request.args.get("page")), per_page=ROWS_PER_PAGE)
    return paginate(
        _moves(replay, ReplayTrack(shown)),
        page=page_number(request.args.get("page")),
        per_page=ROWS_PER_PAGE,
    )


def _moves(replay: Replay, track: ReplayTrack) -> Select[ReplayMove]:
    return (
        select(ReplayMove)
        .where(ReplayMove.replay_id == replay.id, ReplayMove.track == track)
        .order_by(ReplayMove.at, ReplayMove.id)
    )


def _move_rows(replay: Replay) -> Iterator[Sequence[object]]:
    rows = db.session.execute(
        select(ReplayMove, Organization.name, Organization.slug)
        .outerjoin(Organization, Organization.id == ReplayMove.organization_id)
        .where(ReplayMove.replay_id == replay.id)
        .order_by(ReplayMove.track, ReplayMove.at, ReplayMove.id)
        .limit(MOST_CSV_ROWS)
    )
    for move, name, slug in rows:
        by = "Replayed policy" if move.track is ReplayTrack.DRAFT else "Policies in force"
        yield (
            move.at,
            by,
            name,
            slug,
            texts.MOVES[move.kind],
            move.from_tier,
            move.to_tier,
        )


def _difference_rows(replay: Replay) -> Iterator[Sequence[object]]:
    rows = db.session.execute(
        select(ReplayDifference, Organization.name, Organization.slug)
        .outerjoin(Organization, Organization.id == ReplayDifference.organization_id)
        .where(ReplayDifference.replay_id == replay.id)
        .order_by(ReplayDifference.id)
        .limit(MOST_CSV_ROWS)
    )
    for row, name, slug in rows:
        yield (name, slug, row.live_tier, row.draft_tier, row.points)


def _tiers(policy: Policy, figures: dict[str, object]) -> list[tuple[str, str]]:
    """The tiers of both tracks with names, lowest first, then those that the policy has not."""
    own = [(tier.key, tier.name) for tier in policy.tiers]
    known = {key for key, _name in own}
    others: set[str] = set()
    for track in ("draft", "live"):
        counts = figures.get(track)
        if isinstance(counts, dict):
            others |= set(counts) - known
    return own + [(key, key) for key in sorted(others)]


def _organizations(ids: Sequence[int]) -> dict[int, Organization]:
    rows = db.session.scalars(select(Organization).where(Organization.id.in_(set(ids))))
    return {row.id: row for row in rows}


def _count(model: type[Standing] | type[ReplayDifference], *which: object) -> int:
    query = select(func.count()).select_from(model)
    for each in which:
        query = query.where(each)  # type: ignore[arg-type]  # conditions, whatever their type
    return db.session.scalar(query) or 0


def _to(replay: Replay) -> ResponseReturnValue:
    return redirect(url_for("standings.replay", replay_id=replay.public_id), code=303)
