"""Fee schedules: in force, to come, drafts, what they would change, and publishing."""

from datetime import timedelta

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from billing import fee_schedules as services
from billing import fee_simulation as simulations
from billing.fee_schedules import RuleValue
from billing.models import FeeKind, FeeRule, FeeSchedule, ScheduleState
from marketplace.core import clock
from marketplace.core.errors import ConflictError, InvalidError, NotFoundError
from marketplace.core.limits import limiter
from marketplace.core.pagination import page_number
from marketplace.core.permissions import current_actor, needs
from marketplace.identity.forms import choices_of
from marketplace.identity.partner_types import PARTNER_TYPES
from marketplace.sales.finance.desk import queries
from marketplace.sales.finance.desk.forms import (
    DraftForm,
    PublicationForm,
    RuleForm,
    show_errors,
)
from marketplace.sales.finance.desk.parameters import midnight, row_id
from marketplace.sales.finance.desk.views.blueprint import finance
from marketplace.sales.finance.desk.views.overview import axis_of, months_back
from marketplace.sales.tiers import tier_choices

WINDOWS = {3: "3 months", 12: "12 months", 24: "2 years"}
_PATH = "/fees/<int:schedule_id>"


@finance.get("/fees")
@needs("fees.read")
def fees() -> ResponseReturnValue:
    """The schedule in force, and all others."""
    now = clock.now()
    current = services.schedule_in_force(now)
    upcoming = queries.next_schedule(now)
    everything = queries.schedules()
    return render_template(
        "finance/fees.html",
        current=current,
        rules=services.sorted_rules(current.rules) if current else [],
        upcoming=upcoming,
        changes=services.difference(services.values_of(current), services.values_of(upcoming))
        if upcoming
        else [],
        drafts=[each for each in everything if each.state is ScheduleState.DRAFT],
        published=[each for each in everything if each.state is ScheduleState.PUBLISHED],
        types=PARTNER_TYPES,
        moment=now,
        may_manage=current_actor().can("fees.manage"),
    )


@finance.get("/fees/new")
@needs("fees.manage")
def new_draft() -> ResponseReturnValue:
    """Name a draft."""
    return render_template("finance/fee_draft_form.html", form=DraftForm(formdata=None), draft=None)


@finance.post("/fees")
@needs("fees.manage")
def start_draft() -> ResponseReturnValue:
    """Start a draft from what is in force."""
    form = DraftForm()
    actor = current_actor()
    try:
        if not form.validate_on_submit():
            raise InvalidError({})
        draft = services.start_draft(
            form.name.data or "",
            copy_of=services.schedule_in_force(clock.now()),
            by_user_id=actor.user_id,
        )
        services.describe_draft(draft, name=draft.name, note=form.note.data or "")
    except InvalidError as error:
        show_errors(form, error)
        return render_template("finance/fee_draft_form.html", form=form, draft=None), 422
    flash("Change its fees, try it on past sales, then publish it.", "success")
    return _to(draft)


@finance.get(_PATH)
@needs("fees.read", load=queries.find_schedule, name="schedule")
def schedule(schedule: FeeSchedule) -> ResponseReturnValue:
    """One schedule, with what differs from the one before it."""
    before = services.schedule_before(schedule)
    return render_template(
        "finance/fee_schedule.html",
        schedule=schedule,
        before=before,
        rules=services.sorted_rules(schedule.rules),
        changes=services.difference(services.values_of(before), services.values_of(schedule)),
        problems=services.problems_of(schedule),
        types=PARTNER_TYPES,
        people=queries.people({schedule.created_by_id, schedule.published_by_id}),
        moment=clock.now(),
        may_manage=current_actor().can("fees.manage"),
    )


@finance.get(f"{_PATH}/name")
@needs("fees.manage", load=queries.find_schedule, name="schedule")
def edit_draft(schedule: FeeSchedule) -> ResponseReturnValue:
    """The form with the draft's name."""
    return render_template(
        "finance/fee_draft_form.html", form=DraftForm(formdata=None, obj=schedule), draft=schedule
    )


@finance.post(f"{_PATH}/name")
@needs("fees.manage", load=queries.find_schedule, name="schedule")
def rename_draft(schedule: FeeSchedule) -> ResponseReturnValue:
    """Save another name."""
    form = DraftForm()
    try:
        if not form.validate_on_submit():
            raise InvalidError({})
        services.describe_draft(schedule, name=form.name.data or "", note=form.note.data or "")
    except InvalidError as error:
        show_errors(form, error)
        return render_template("finance/fee_draft_form.html", form=form, draft=schedule), 422
    except ConflictError as error:
        flash(error.detail, "warning")
    return _to(schedule)


@finance.get(f"{_PATH}/rule")
@needs("fees.manage", load=queries.find_schedule, name="schedule")
def rule(schedule: FeeSchedule) -> ResponseReturnValue:
    """The form for a fee: a new one, or the one of `?rule=`."""
    found = _rule(schedule)
    form = RuleForm(formdata=None)
    _keep_tier(form, found)
    if found is not None:
        form.kind.data, form.partner_type.data = found.kind.value, found.partner_type
        form.tier.data, form.currency.data = found.tier, found.currency
        form.share.data, form.hold_days.data = found.bps, found.hold_days
        form.fixed.data = found.fixed or None
    elif request.args.get("kind") in {kind.value for kind in FeeKind}:
        form.kind.data = request.args["kind"]
    return _rule_page(schedule, found, form)


@finance.post(f"{_PATH}/rule")
@needs("fees.manage", load=queries.find_schedule, name="schedule")
def put_rule(schedule: FeeSchedule) -> ResponseReturnValue:
    """Add a fee, or change the one of `?rule=`."""
    found = _rule(schedule)
    form = RuleForm()
    _keep_tier(form, found)
    try:
        if not form.validate_on_submit():
            raise InvalidError({})
        kind = FeeKind(form.kind.data)
        services.put_rule(
            schedule,
            RuleValue(
                kind=kind,
                partner_type=form.partner_type.data or "",
                tier=form.tier.data or "",
                currency=form.currency.data or "",
                bps=form.share.data or 0,
                fixed=form.fixed.data or 0,
                hold_days=(form.hold_days.data or 0) if kind is FeeKind.SALE else 0,
            ),
            rule=found,
        )
    except InvalidError as error:
        show_errors(form, InvalidError(
            {"share" if name == "bps" else name: text for name, text in error.fields.items()}
        ))  # fmt: skip
        return _rule_page(schedule, found, form), 422
    except ConflictError as error:
        flash(error.detail, "warning")
        return _to(schedule)
    flash("Saved.", "success")
    return _to(schedule)


@finance.post(f"{_PATH}/rule/removal")
@needs("fees.manage", load=queries.find_schedule, name="schedule")
def remove_rule(schedule: FeeSchedule) -> ResponseReturnValue:
    """Take the fee of `?rule=` out of a draft."""
    found = _rule(schedule)
    if found is None:
        raise NotFoundError
    try:
        services.remove_rule(schedule, found)
        flash("Removed from the draft.", "success")
    except ConflictError as error:
        flash(error.detail, "warning")
    return _to(schedule)


@finance.get(f"{_PATH}/discarding")
@needs("fees.manage", load=queries.find_schedule, name="schedule")
def discarding(schedule: FeeSchedule) -> ResponseReturnValue:
    """Ask before a draft is deleted."""
    return render_template("finance/fee_discarding.html", schedule=schedule)


@finance.post(f"{_PATH}/discarding")
@needs("fees.manage", load=queries.find_schedule, name="schedule")
def discard_draft(schedule: FeeSchedule) -> ResponseReturnValue:
    """Delete a draft."""
    try:
        services.discard_draft(schedule, by_user_id=current_actor().user_id)
        flash("The draft is deleted.", "success")
    except ConflictError as error:
        flash(error.detail, "warning")
        return _to(schedule)
    return redirect(url_for("finance.fees"), code=303)


@finance.get(f"{_PATH}/simulation")
@needs("fees.read", load=queries.find_schedule, name="schedule")
def simulation(schedule: FeeSchedule) -> ResponseReturnValue:
    """The schedule on past sales: who would pay more, who less; or how far that is."""
    months = _window()
    found = simulations.find_simulation(schedule.id, months)
    is_running = found is not None and found.finished_at is None
    effects = simulations.effects_of(found) if found is not None and not is_running else []
    currency = request.args.get("currency", "").upper()
    effect = next((each for each in effects if each.currency == currency), None)
    effect = effect or (effects[0] if effects else None)
    buckets = tuple(effect.months) if effect else ()
    page = (
        simulations.page_of_partners(found, effect.currency, page_number(request.args.get("page")))
        if found is not None and effect is not None
        else None
    )
    return render_template(
        "finance/fee_simulation.html",
        schedule=schedule,
        simulation=found,
        is_running=is_running,
        is_changed=found is not None and not simulations.is_of(found, schedule),
        effects=effects,
        effect=effect,
        page=page,
        before_values=[effect.months[each].before for each in buckets] if effect else [],
        after_values=[effect.months[each].after for each in buckets] if effect else [],
        axis=axis_of(buckets),
        months=months,
        windows=WINDOWS,
        types=PARTNER_TYPES,
        organizations=queries.organizations({each.partner_id for each in page.items})
        if page
        else {},
    )


@finance.post(f"{_PATH}/simulation")
@needs("fees.read", load=queries.find_schedule, name="schedule")
@limiter.limit("60 per hour", key_func=lambda: f"simulations:{current_actor().user_id}")
def simulate(schedule: FeeSchedule) -> ResponseReturnValue:
    """Try it on the sales of `?months=`; a job does it."""
    months = _window()
    now = clock.now()
    first = months_back(now.date(), months)
    since = midnight(now.date().replace(year=int(first[:4]), month=int(first[5:]), day=1))
    try:
        simulations.start_simulation(
            schedule, months, since=since, until=now, by_user_id=current_actor().user_id
        )
    except ConflictError as error:
        flash(error.detail, "warning")
    return redirect(url_for("finance.simulation", schedule_id=schedule.id, months=months), code=303)


@finance.get(f"{_PATH}/publication")
@needs("fees.manage", load=queries.find_schedule, name="schedule")
def publication(schedule: FeeSchedule) -> ResponseReturnValue:
    """Choose the day, with the difference before one's eyes."""
    if schedule.state is not ScheduleState.DRAFT:
        return _to(schedule)
    return _publication_page(schedule, PublicationForm(formdata=None))


@finance.post(f"{_PATH}/publication")
@needs("fees.manage", load=queries.find_schedule, name="schedule")
def publish(schedule: FeeSchedule) -> ResponseReturnValue:
    """Publish. It never changes after."""
    form = PublicationForm()
    try:
        if not form.validate_on_submit() or form.effective_from.data is None:
            raise InvalidError({})
        services.publish_draft(
            schedule,
            effective_from=midnight(form.effective_from.data),
            by_user_id=current_actor().user_id,
        )
    except InvalidError as error:
        show_errors(form, error)
        return _publication_page(schedule, form), 422
    except ConflictError as error:
        flash(error.detail, "warning")
        return _to(schedule)
    flash("Published. Orders from that day on follow it.", "success")
    return redirect(url_for("finance.fees"), code=303)


def _window() -> int:
    """How many months the address asks for."""
    asked = request.args.get("months", "")
    return next((each for each in WINDOWS if str(each) == asked), 12)


def _rule(schedule: FeeSchedule) -> FeeRule | None:
    asked = row_id(request.args.get("rule"))
    if asked is None:
        return None
    found = next((each for each in schedule.rules if each.id == asked), None)
    if found is None:
        raise NotFoundError
    return found


def _keep_tier(form: RuleForm, rule: FeeRule | None) -> None:
    """Let a fee keep the tier that it has, also where the program has it no more."""
    if rule is not None:
        form.tier.choices = choices_of([("", "Any"), *tier_choices([rule.tier])])


def _to(schedule: FeeSchedule) -> ResponseReturnValue:
    return redirect(url_for("finance.schedule", schedule_id=schedule.id), code=303)


def _rule_page(schedule: FeeSchedule, found: FeeRule | None, form: RuleForm) -> str:
    return render_template(
        "finance/fee_rule_form.html",
        schedule=schedule,
        rule=found,
        form=form,
        fixed_text=form.fixed.value_for(form.currency.data) if form.currency.data else None,
    )


def _publication_page(schedule: FeeSchedule, form: PublicationForm) -> str:
    before = services.schedule_before(schedule)
    return render_template(
        "finance/fee_publication.html",
        schedule=schedule,
        before=before,
        form=form,
        changes=services.difference(services.values_of(before), services.values_of(schedule)),
        problems=services.problems_of(schedule),
        types=PARTNER_TYPES,
        tomorrow=(clock.now() + timedelta(days=1)).date(),
    )
