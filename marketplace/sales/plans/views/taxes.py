"""Staff: which tax is due where."""

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from billing.seller import seller
from marketplace.core import clock
from marketplace.core.errors import InvalidError
from marketplace.core.permissions import current_actor, needs
from marketplace.identity.countries import COUNTRIES
from marketplace.sales.form_errors import fields_hold, show_errors
from marketplace.sales.plans import queries
from marketplace.sales.plans.forms import TaxForm, day_begins
from marketplace.sales.plans.services import taxes as services
from marketplace.sales.plans.views.blueprints import selling_staff


@selling_staff.get("/taxes")
@needs("taxes.manage")
def taxes() -> ResponseReturnValue:
    """All rates, and the form of another."""
    return _page(TaxForm(formdata=None, data={"name": "VAT", "has_reverse_charge": True}))


@selling_staff.post("/taxes")
@needs("taxes.manage")
def tax_add() -> ResponseReturnValue:
    """A rate from a day on."""
    form = TaxForm()
    is_readable = fields_hold(form)
    try:
        rate = services.add_rate(
            current_actor(),
            country=form.country.data or "",
            name=form.name.data or "",
            bps=form.bps.data,
            has_reverse_charge=bool(form.has_reverse_charge.data),
            effective_from=day_begins(form.effective_from.data),
        )
    except InvalidError as error:
        show_errors(form, error)
        return _page(form), 422
    if not is_readable:
        return _page(form), 422
    flash(f"Saved for {COUNTRIES[rate.country]}. Orders before keep their tax.", "success")
    return redirect(url_for("selling_staff.taxes"), code=303)


def _page(form: TaxForm) -> str:
    now = clock.now()
    rates = queries.tax_rates()
    current: dict[str, int] = {}
    for rate in rates:
        if rate.effective_from <= now:
            current.setdefault(rate.country, rate.id)
    return render_template(
        "selling/taxes.html",
        form=form,
        rates=rates,
        current=set(current.values()),
        countries=COUNTRIES,
        seller=seller(),
        at=now,
    )
