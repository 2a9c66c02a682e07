"""Partners as staff see them: the list, one partner's standing, holding a tier."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, time, timedelta

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from marketplace.core import clock
from marketplace.core.csv_export import csv_response
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError, NotFoundError
from marketplace.core.limits import limiter
from marketplace.core.pagination import page_number
from marketplace.core.permissions import current_actor, needs
from marketplace.identity.forms import choices_of
from marketplace.identity.models import Organization, User
from marketplace.program.onboarding.services.retyping import change_type
from marketplace.program.policy.live import current_policy
from marketplace.program.scorecards import directory, queries, texts
from marketplace.program.scorecards.card import history_of, scorecard_of
from marketplace.program.scorecards.forms import ConfirmForm, OverrideForm, TypeForm
from marketplace.program.scorecards.jobs import evaluate_all
from marketplace.program.scorecards.obligations import obligations_of
from marketplace.program.scorecards.services.confirming import confirm_partner
from marketplace.program.scorecards.services.evaluation import evaluate
from marketplace.program.scorecards.services.overriding import end_override, hold_tier
from marketplace.program.scorecards.views.blueprints import standings
from marketplace.program.scorecards.views.partner import (
    find_metric,
    measurements_csv,
    metric_page,
)
from marketplace.program.standing.models import TierOverride

CSV_COLUMNS = (
    "Partner",
    "Address",
    "Type",
    "State",
    "Tier",
    "Points",
    "In grace until",
    "Tier by then",
    "Held by a person",
    "Joined",
    "Evaluated",
)


def find_partner(standing_slug: str, **_rest: object) -> Organization | None:
    """The partner of an address, if it has a standing."""
    return queries.partner_by_slug(standing_slug)


@standings.get("/staff/standings")
@needs("standings.read")
def partners() -> ResponseReturnValue:
    """All partners of the program."""
    filters = directory.read_filters(request.args)
    rows, total, page = directory.page_of_partners(filters, page_number(request.args.get("page")))
    live = current_policy()
    return render_template(
        "standings/partners.html",
        rows=rows,
        total=total,
        page=page,
        pages=max(1, -(-total // directory.PER_PAGE)),
        filters=filters,
        live=live,
        tiers=directory.counts_by_tier(),
        in_grace=directory.in_grace(),
        other_types=directory.types_without(live.policy) if live else [],
        texts=texts,
    )


@standings.get("/staff/standings.csv")
@needs("standings.read")
def partners_csv() -> ResponseReturnValue:
    """The same as a file."""
    return csv_response("partners.csv", CSV_COLUMNS, _csv(directory.read_filters(request.args)))


@standings.post("/staff/standings/evaluate")
@needs("standings.evaluate")
@limiter.limit("6 per hour", key_func=lambda: f"evaluate_all:{current_actor().user_id}")
def evaluate_everybody() -> ResponseReturnValue:
    """Begin a run over everybody."""
    evaluate_all()
    flash("All partners are being evaluated. It goes on in the background.", "success")
    return redirect(url_for("standings.partners"), code=303)


@standings.get("/staff/standings/<standing_slug>")
@needs("standings.read", load=find_partner, name="organization")
def partner(organization: Organization) -> ResponseReturnValue:
    """One partner's standing."""
    return _page(organization, _override_form())


@standings.get("/staff/standings/<standing_slug>/progress")
@needs("standings.read", load=find_partner, name="organization")
def progress(organization: Organization) -> ResponseReturnValue:
    """What both sides owe each other, as the partner sees it."""
    return render_template(
        "scorecards/progress.html",
        organization=organization,
        obligations=obligations_of(organization.id),
        moment=clock.now(),
        is_staff_page=True,
    )


@standings.get("/staff/standings/<standing_slug>/metrics/<metric_key>")
@needs("standings.read")
def metric(standing_slug: str, metric_key: str) -> ResponseReturnValue:
    """What counted for one metric of a partner."""
    organization = _found(standing_slug)
    policy, found = find_metric(metric_key)
    return render_template(
        "standings/metric.html",
        organization=organization,
        **metric_page(organization, policy, found),
    )


@standings.get("/staff/standings/<standing_slug>/metrics/<metric_key>/measurements.csv")
@needs("standings.read")
def metric_csv(standing_slug: str, metric_key: str) -> ResponseReturnValue:
    """The same as a file."""
    _policy, found = find_metric(metric_key)
    return measurements_csv(_found(standing_slug), found)


@standings.post("/staff/standings/<standing_slug>/evaluate")
@needs("standings.evaluate", load=find_partner, name="organization")
@limiter.limit("120 per hour", key_func=lambda: f"evaluate:{current_actor().user_id}")
def evaluate_now(organization: Organization) -> ResponseReturnValue:
    """Evaluate a partner now."""
    try:
        evaluate(organization.id, by_user_id=current_actor().user_id)
    except NotFoundError:
        flash("This partner is not in the program any more.", "warning")
    except ConflictError as error:
        flash(error.detail, "warning")
    else:
        flash("Evaluated.", "success")
    return _to(organization)


@standings.post("/staff/standings/<standing_slug>/hold")
@needs("standings.override", load=find_partner, name="organization")
def hold(organization: Organization) -> ResponseReturnValue:
    """Hold a partner at a tier for a while."""
    form = _override_form()
    if not form.validate_on_submit():
        return _page(organization, form), 422
    last = form.expires_on.data
    try:
        hold_tier(
            organization.id,
            form.tier.data,
            reason=form.reason.data,
            expires_at=datetime.combine(last + timedelta(days=1), time(0), UTC)
            if last.year < 9999
            else datetime.max.replace(tzinfo=UTC),
            by_user_id=current_actor().user_id,
        )
    except InvalidError as error:
        for name, message in error.fields.items():
            getattr(form, name).errors = [message]
        return _page(organization, form), 422
    except ConflictError as error:
        flash(error.detail, "warning")
        return _to(organization)
    flash("The tier is set. The partner's owners and admins are told by mail.", "success")
    return _to(organization)


@standings.post("/staff/standings/<standing_slug>/confirm")
@needs("standings.override", load=find_partner, name="organization")
def confirm(organization: Organization) -> ResponseReturnValue:
    """Confirm a partner that is provisional, or take back one that has lapsed."""
    form = ConfirmForm(prefix="confirm")
    if not form.validate_on_submit():
        return _page(organization, _override_form(fresh=True), form), 422
    try:
        confirm_partner(
            organization.id, reason=form.reason.data, by_user_id=current_actor().user_id
        )
    except InvalidError as error:
        form.reason.errors = list(error.fields.values())
        return _page(organization, _override_form(fresh=True), form), 422
    except ConflictError as error:
        flash(error.detail, "warning")
        return _to(organization)
    flash("Confirmed. The partner's owners and admins are told by mail.", "success")
    return _to(organization)


@standings.post("/staff/standings/<standing_slug>/type")
@needs("standings.override", load=find_partner, name="organization")
def retype(organization: Organization) -> ResponseReturnValue:
    """Change a partner's type."""
    form = _type_form(organization)
    fresh = _override_form(fresh=True)
    if not form.validate_on_submit():
        return _page(organization, fresh, retyping=form), 422
    try:
        change_type(
            organization,
            form.partner_type.data,
            reason=form.reason.data,
            by_user_id=current_actor().user_id,
        )
    except InvalidError as error:
        for name, message in error.fields.items():
            getattr(form, name).errors = [message]
        return _page(organization, fresh, retyping=form), 422
    except ConflictError as error:
        flash(error.detail, "warning")
        return _to(organization)
    flash("The type is changed, and the partner is evaluated by it.", "success")
    return _to(organization)


def find_override(override_id: str, **_rest: object) -> TierOverride | None:
    """The override of that public id."""
    return db.session.scalar(select(TierOverride).where(TierOverride.public_id == override_id))


@standings.get("/staff/overrides/<override_id>/end")
@needs("standings.override", load=find_override, name="override")
def hold_ending(override: TierOverride) -> ResponseReturnValue:
    """Ask once more."""
    return render_template(
        "standings/end_hold.html",
        override=override,
        organization=_of(override),
        card=scorecard_of(_of(override)),
    )


@standings.post("/staff/overrides/<override_id>/end")
@needs("standings.override", load=find_override, name="override")
def hold_end(override: TierOverride) -> ResponseReturnValue:
    """End it."""
    if end_override(override, by_user_id=current_actor().user_id):
        flash("Ended. The partner has the tier that it has earned.", "success")
    else:
        flash("It has ended already.", "info")
    return _to(_of(override))


def _page(
    organization: Organization,
    form: OverrideForm,
    confirming: ConfirmForm | None = None,
    *,
    retyping: TypeForm | None = None,
) -> str:
    card = scorecard_of(organization)
    overrides = queries.overrides_of(organization.id)
    people = {each.by_user_id for each in overrides} | {each.ended_by_id for each in overrides}
    return render_template(
        "standings/partner.html",
        organization=organization,
        standing=queries.standing_of(organization.id),
        card=card,
        history=history_of(organization.id) if card else None,
        overrides=overrides,
        people=_names(people),
        form=form,
        confirming=confirming or ConfirmForm(formdata=None, prefix="confirm"),
        retyping=retyping or _type_form(organization, fresh=True),
        moment=clock.now(),
        is_in_force=queries.is_in_force,
        texts=texts,
    )


def _names(ids: set[int | None]) -> dict[int, str]:
    rows = db.session.execute(
        select(User.id, User.name).where(User.id.in_([each for each in ids if each is not None]))
    )
    return {row[0]: row[1] for row in rows}


def _override_form(*, fresh: bool = False) -> OverrideForm:
    form = OverrideForm(formdata=None) if fresh else OverrideForm()
    live = current_policy()
    tiers = live.policy.tiers if live else ()
    form.tier.choices = choices_of([(each.key, each.name) for each in tiers])
    return form


def _type_form(organization: Organization, *, fresh: bool = False) -> TypeForm:
    form = TypeForm(formdata=None, prefix="type") if fresh else TypeForm(prefix="type")
    live = current_policy()
    types = live.policy.types if live else ()
    others = [(each.key, each.name) for each in types if each.key != organization.partner_type]
    form.partner_type.choices = choices_of([("", "–"), *others])
    return form


def _csv(filters: directory.Filters) -> Iterator[Sequence[object]]:
    for row in directory.all_partners(filters):
        standing = row.standing
        yield (
            row.organization.name,
            row.organization.slug,
            row.organization.partner_type,
            standing.state.value,
            standing.tier,
            standing.points,
            standing.grace_until,
            standing.grace_tier,
            "yes" if row.is_held else "no",
            standing.joined_at,
            standing.evaluated_at,
        )


def _found(standing_slug: str) -> Organization:
    found = find_partner(standing_slug)
    if found is None:
        raise NotFoundError
    return found


def _of(override: TierOverride) -> Organization:
    found = db.session.get(Organization, override.organization_id)
    if found is None:
        raise NotFoundError
    return found


def _to(organization: Organization) -> ResponseReturnValue:
    return redirect(url_for("standings.partner", standing_slug=organization.slug), code=303)
