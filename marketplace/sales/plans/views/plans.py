"""A partner's plans and their prices."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from billing.models import Plan, PlanBilling
from marketplace.catalogue.models import Listing
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.pagination import page_number
from marketplace.core.permissions import current_actor, needs
from marketplace.sales.form_errors import fields_hold, show_errors
from marketplace.sales.plans import queries, texts
from marketplace.sales.plans.forms import NewPlanForm, PlanForm, PriceForm, day_begins
from marketplace.sales.plans.services import plans as services
from marketplace.sales.plans.views.blueprints import selling

_PATH = "/plans/<plan_id>"


@selling.get("/plans")
@needs("plans.read")
def plans() -> ResponseReturnValue:
    """All listings of the publisher with their plans."""
    organization = current_actor().organization
    page = queries.page_of_listing_plans(
        organization.organization_id if organization else 0, page_number(request.args.get("page"))
    )
    return render_template("selling/plans.html", page=page, texts=texts, organization=organization)


@selling.get("/listings/<slug>/plans/new")
@needs("listing.sell", load=queries.find_listing, name="listing")
def plan_new(listing: Listing) -> ResponseReturnValue:
    """The form of a new plan."""
    form = NewPlanForm(formdata=None, data={"billing": PlanBilling.MONTHLY.value})
    return _new_page(listing, form)


@selling.post("/listings/<slug>/plans/new")
@needs("listing.sell", load=queries.find_listing, name="listing")
def plan_create(listing: Listing) -> ResponseReturnValue:
    """Make a draft of it."""
    form = NewPlanForm()
    is_readable = fields_hold(form)
    try:
        plan = services.create_plan(
            current_actor(),
            listing,
            services.PlanValues(
                name=form.name.data or "",
                description=form.description.data or "",
                billing=form.billing.data or "",
                is_per_seat=bool(form.is_per_seat.data),
                trial_days=form.trial_days.data,
                currency=form.currency.data or "",
                price=form.price.data,
            ),
        )
    except InvalidError as error:
        show_errors(form, error)
        return _new_page(listing, form), 422
    except ConflictError as error:
        form.form_errors.append(error.detail)
        return _new_page(listing, form), 422
    if not is_readable:
        return _new_page(listing, form), 422
    flash("The plan is a draft. Put it on sale when it is ready.", "success")
    return _to(plan)


@selling.get(_PATH)
@needs("plan.manage", load=queries.find_plan, name="plan")
def plan_edit(plan: Plan) -> ResponseReturnValue:
    """Its words, its prices, and whether it is sold."""
    return _plan_page(plan, PlanForm(formdata=None, obj=plan), PriceForm(formdata=None))


@selling.post(_PATH)
@needs("plan.manage", load=queries.find_plan, name="plan")
def plan_save(plan: Plan) -> ResponseReturnValue:
    """Save other words."""
    form = PlanForm()
    is_readable = fields_hold(form)
    try:
        services.change_plan(
            current_actor(),
            plan,
            name=form.name.data or "",
            description=form.description.data or "",
            trial_days=form.trial_days.data,
        )
    except InvalidError as error:
        show_errors(form, error)
        is_readable = False
    except ConflictError as error:
        flash(error.detail, "warning")
        return _to(plan)
    if not is_readable:
        return _plan_page(plan, form, PriceForm(formdata=None)), 422
    flash("Saved.", "success")
    return _to(plan)


@selling.post(f"{_PATH}/prices")
@needs("plan.manage", load=queries.find_plan, name="plan")
def plan_price(plan: Plan) -> ResponseReturnValue:
    """A new price."""
    form = PriceForm()
    is_readable = fields_hold(form)
    if is_readable:
        try:
            price = services.set_price(
                current_actor(),
                plan,
                form.currency.data or "",
                form.price.data,
                day_begins(form.effective_from.data),
            )
            said = texts.price_words(plan, price.amount, price.currency)
            flash(f"New customers pay {said}. Whoever has the plan keeps their price.", "success")
            return _to(plan)
        except InvalidError as error:
            show_errors(form, error)
        except ConflictError as error:
            flash(error.detail, "warning")
            return _to(plan)
    return _plan_page(plan, PlanForm(formdata=None, obj=plan), form), 422


@selling.post(f"{_PATH}/activation")
@needs("plan.manage", load=queries.find_plan, name="plan")
def plan_activate(plan: Plan) -> ResponseReturnValue:
    """Sell it."""
    try:
        if services.activate(current_actor(), plan):
            flash("It is for sale now.", "success")
    except ConflictError as error:
        flash(error.detail, "warning")
    return _to(plan)


@selling.post(f"{_PATH}/position")
@needs("plan.manage", load=queries.find_plan, name="plan")
def plan_move(plan: Plan) -> ResponseReturnValue:
    """Up or down among the listing's plans."""
    services.move(current_actor(), plan, up=request.form.get("to") != "down")
    return redirect(url_for("selling.plans", _anchor=f"plan-{plan.public_id}"), code=303)


@selling.get(f"{_PATH}/archiving")
@needs("plan.manage", load=queries.find_plan, name="plan")
def plan_archiving(plan: Plan) -> ResponseReturnValue:
    """Ask before it is sold no more."""
    return render_template(
        "selling/plan_archiving.html", plan=plan, holders=queries.holders_of(plan)
    )


@selling.post(f"{_PATH}/archiving")
@needs("plan.manage", load=queries.find_plan, name="plan")
def plan_archive(plan: Plan) -> ResponseReturnValue:
    """Sell it no more."""
    if services.archive(current_actor(), plan):
        flash("It is archived. Whoever has it keeps it.", "success")
    return redirect(url_for("selling.plans"), code=303)


def _to(plan: Plan) -> ResponseReturnValue:
    return redirect(url_for("selling.plan_edit", plan_id=plan.public_id), code=303)


def _new_page(listing: Listing, form: NewPlanForm) -> str:
    return render_template("selling/plan_new.html", listing=listing, form=form, limits=services)


def _plan_page(plan: Plan, form: PlanForm, price_form: PriceForm) -> str:
    return render_template(
        "selling/plan.html",
        plan=plan,
        row=queries.row_of(plan, queries.holders_of(plan)),
        listing=queries.listing_of(plan),
        form=form,
        price_form=price_form,
        texts=texts,
        limits=services,
    )
