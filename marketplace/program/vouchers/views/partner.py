"""The partner's credit: what there is, and entering a token."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from billing.formatting import format_money
from marketplace.core.database import db
from marketplace.core.errors import InvalidError
from marketplace.core.limits import limiter
from marketplace.core.pagination import page_number
from marketplace.core.permissions import current_actor, needs
from marketplace.identity.forms import show_errors
from marketplace.identity.models import Organization
from marketplace.program.vouchers import queries, services
from marketplace.program.vouchers.forms import RedeemForm
from marketplace.program.vouchers.views.blueprints import vouchers


@vouchers.get("/partner/credit")
@needs("vouchers.redeem")
def index() -> ResponseReturnValue:
    """What is left, and what moved it."""
    return _page(RedeemForm(formdata=None))


@vouchers.post("/partner/credit")
@needs("vouchers.redeem")
@limiter.limit("20 per hour", key_func=lambda: f"user:{current_actor().user_id}")
def redeem() -> ResponseReturnValue:
    """Enter a token; its credit posts at once."""
    form = RedeemForm()
    if not form.validate():
        return _page(form), 422
    actor = current_actor()
    organization = db.session.get_one(Organization, actor.organization_id)
    try:
        row = services.redeem(organization, form.token.data or "", user_id=actor.user_id)
    except InvalidError as error:
        return _page(form, show_errors(form, error)), 422
    flash(f"{format_money(row.amount, row.currency)} are credited.", "success")
    return redirect(url_for("vouchers.index"), code=303)


def _page(form: RedeemForm, extra: list[str] | None = None) -> str:
    own_id = current_actor().organization_id or 0
    page = queries.page_of_entries(own_id, page_number(request.args.get("page")))
    return render_template(
        "vouchers/index.html",
        form=form,
        extra=extra or [],
        balances=services.balances(own_id),
        page=page,
        currencies=queries.currencies_of(entry.account_id for entry in page.items),
    )
