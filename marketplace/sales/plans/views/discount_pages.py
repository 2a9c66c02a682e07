"""What the discounts of a partner and those of the platform have in common: the same pages, on
two blueprints, each with its own permissions."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import SelectChoice

from billing.models import Discount, DiscountKind, PromotionCode
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.pagination import page_number
from marketplace.core.permissions import current_actor
from marketplace.identity.forms import choices_of
from marketplace.sales.form_errors import fields_hold, show_errors
from marketplace.sales.plans import queries, texts
from marketplace.sales.plans.forms import CodeForm, DiscountForm, day_begins
from marketplace.sales.plans.services import discounts as services
from marketplace.sales.tiers import tier_choices, tier_names


@dataclass(frozen=True)
class Desk:
    """Whose discounts a set of pages is about: `publisher_id` of now (None: the platform's), the
    blueprint's name and the layout of its pages."""

    blueprint: str
    layout: str
    publisher_id: Callable[[], int | None]

    def url(self, name: str, **values: Any) -> str:
        """The address of one of the pages."""
        return url_for(f"{self.blueprint}.{name}", **values)

    def plans(self) -> list[tuple[int, str]]:
        """The plans that a discount may be limited to."""
        publisher_id = self.publisher_id()
        return queries.plan_choices(publisher_id) if publisher_id is not None else []


def index(desk: Desk) -> ResponseReturnValue:
    """The list."""
    archived = request.args.get("show") == "archived"
    text = " ".join(request.args.get("q", "").replace("\x00", "").split())[:60]
    page = queries.page_of_discounts(
        desk.publisher_id(),
        archived=archived,
        text=text,
        page=page_number(request.args.get("page")),
    )
    return render_template(
        "selling/discounts.html", desk=desk, page=page, archived=archived, q=text, texts=texts
    )


def new(desk: Desk) -> ResponseReturnValue:
    """The form of a new one."""
    form = DiscountForm(formdata=None, data={"kind": DiscountKind.PERCENT.value, "lasts": "once"})
    _offer(form, desk)
    return _form_page(desk, form, None)


def create(desk: Desk) -> ResponseReturnValue:
    """Make it."""
    form = DiscountForm()
    _offer(form, desk)
    is_readable = fields_hold(form)
    try:
        discount = services.create_discount(
            current_actor(), desk.publisher_id(), _values(form), **_allowed(form)
        )
    except InvalidError as error:
        show_errors(form, error)
        return _form_page(desk, form, None), 422
    if not is_readable:
        return _form_page(desk, form, None), 422
    flash("The discount counts from now on.", "success")
    return redirect(desk.url("discount", discount_id=discount.public_id), code=303)


def show(desk: Desk, discount: Discount, code_form: CodeForm | None = None) -> str:
    """One discount with its codes."""
    return render_template(
        "selling/discount.html",
        desk=desk,
        discount=discount,
        uses=queries.uses_of([discount.id]).get(discount.id, 0),
        code_uses=queries.code_uses(discount.id),
        plan_names=dict(desk.plans()),
        tier_names=tier_names(),
        listings=queries.listings_by_ids(discount.listing_ids),
        code_form=code_form or CodeForm(formdata=None),
        texts=texts,
    )


def edit(desk: Desk, discount: Discount) -> ResponseReturnValue:
    """The form with what counts now."""
    form = DiscountForm(formdata=None, obj=discount)
    form.kind.data = discount.kind.value
    form.lasts.data = {1: "once", None: "always"}.get(discount.months, "some")
    form.listings.data = "\n".join(
        listing.slug for listing in queries.listings_by_ids(discount.listing_ids)
    )
    form.starts_at.data = discount.starts_at.date()
    form.ends_at.data = discount.ends_at.date() if discount.ends_at else None
    _show_amounts(form, discount)
    _offer(form, desk, discount)
    return _form_page(desk, form, discount)


def save(desk: Desk, discount: Discount) -> ResponseReturnValue:
    """Change it for orders to come."""
    form = DiscountForm()
    form.kind.data = discount.kind.value
    form.is_automatic.data = discount.is_automatic
    _offer(form, desk, discount)
    is_readable = fields_hold(form)
    try:
        services.change_discount(current_actor(), discount, _values(form), **_allowed(form))
    except InvalidError as error:
        show_errors(form, error)
        is_readable = False
    except ConflictError as error:
        flash(error.detail, "warning")
        return redirect(desk.url("discount", discount_id=discount.public_id), code=303)
    if not is_readable:
        return _form_page(desk, form, discount), 422
    flash("Saved. Orders from now on have it so.", "success")
    return redirect(desk.url("discount", discount_id=discount.public_id), code=303)


def archiving(desk: Desk, discount: Discount) -> ResponseReturnValue:
    """Ask before it counts no more."""
    return render_template("selling/discount_archiving.html", desk=desk, discount=discount)


def archive(desk: Desk, discount: Discount) -> ResponseReturnValue:
    """It counts no more."""
    if services.archive(current_actor(), discount):
        flash("It is archived. Subscriptions that have it keep it.", "success")
    return redirect(desk.url("discounts"), code=303)


def add_code(desk: Desk, discount: Discount) -> ResponseReturnValue:
    """Another code."""
    form = CodeForm()
    if fields_hold(form):
        try:
            code = services.add_code(
                current_actor(),
                discount,
                form.code.data or "",
                max_uses=form.max_uses.data,
                expires_at=day_begins(form.expires_at.data),
            )
            flash(f"{code.code} can be used.", "success")
            return redirect(desk.url("discount", discount_id=discount.public_id), code=303)
        except InvalidError as error:
            show_errors(form, error)
        except ConflictError as error:
            form.form_errors.append(error.detail)
    return show(desk, discount, form), 422


def switch_code(desk: Desk, code: PromotionCode, *, is_on: bool) -> ResponseReturnValue:
    """Take a code out of use, or let it be used again."""
    if services.switch_code(current_actor(), code, is_on=is_on):
        flash(f"{code.code} can {'be used again' if is_on else 'not be used any more'}.", "success")
    return redirect(desk.url("discount", discount_id=code.discount.public_id), code=303)


def _values(form: DiscountForm) -> services.DiscountValues:
    return services.DiscountValues(
        name=form.name.data or "",
        kind=form.kind.data or "",
        bps=form.bps.data,
        amount=form.amount.data,
        currency=form.currency.data or "",
        lasts=form.lasts.data or "",
        months=form.months.data,
        is_automatic=bool(form.is_automatic.data),
        is_stackable=bool(form.is_stackable.data),
        plan_ids=tuple(form.plan_ids.data or ()),
        listings=tuple(dict.fromkeys((form.listings.data or "").replace(",", " ").split())),
        tiers=tuple(form.tiers.data or ()),
        minimum=form.minimum.data,
        max_uses=form.max_uses.data,
        max_uses_each=form.max_uses_each.data,
        starts_at=day_begins(form.starts_at.data),
        ends_at=day_begins(form.ends_at.data),
        code=form.code.data or "",
    )


def _offer(form: DiscountForm, desk: Desk, discount: Discount | None = None) -> None:
    form.plan_ids.choices = [SelectChoice(plan_id, name) for plan_id, name in desk.plans()]
    form.tiers.choices = choices_of(tier_choices(discount.tiers if discount else ()))


def _allowed(form: DiscountForm) -> dict[str, Any]:
    """What may be chosen, as the services take it."""
    return {
        "allowed_plans": {int(choice.value) for choice in form.plan_ids.choices},
        "allowed_tiers": {str(choice.value) for choice in form.tiers.choices},
    }


def _show_amounts(form: DiscountForm, discount: Discount) -> None:
    currency = discount.currency or "EUR"
    for field in (form.amount, form.minimum):
        field.show_in(currency)
    form.currency.data = currency


def _form_page(desk: Desk, form: DiscountForm, discount: Discount | None) -> str:
    return render_template(
        "selling/discount_form.html", desk=desk, form=form, discount=discount, limits=services
    )
