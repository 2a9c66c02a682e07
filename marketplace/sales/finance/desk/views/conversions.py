"""Balances in currencies that were replaced: one person asks to convert one, another decides."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from billing.accounts import CHART
from billing.formatting import format_money
from billing.models import BalanceConversion, ConvertedSide
from billing.payouts.eligibility import RETIRED
from billing.settlement import conversions as services
from billing.settlement.conversions import FIXED_RATES, Preview
from billing.settlement.parts import SettlementError
from marketplace.core.errors import NotFoundError
from marketplace.core.pagination import page_number
from marketplace.core.permissions import current_actor, needs
from marketplace.identity.models import Organization
from marketplace.sales.finance.desk import queries
from marketplace.sales.finance.desk.forms import ConversionForm
from marketplace.sales.finance.desk.parameters import row_id
from marketplace.sales.finance.desk.views.blueprint import finance


@finance.get("/conversions")
@needs("conversions.handle")
def conversions() -> ResponseReturnValue:
    """Balances that can be converted, conversions that wait, and those that were decided."""
    asked = request.args.get("show", "")
    shown = asked if asked in {"waiting", "decided"} else "balances"
    number = page_number(request.args.get("page"))
    waiting = queries.conversions(is_open=True, page=number if shown == "waiting" else 1)
    if shown == "balances":
        balances = services.page_of_retired_balances(number, queries.PER_PAGE)
        partners = {partner for partner, _, _, _ in balances.items}
        page, rows = None, []
    else:
        balances = None
        page = waiting if shown == "waiting" else queries.conversions(is_open=False, page=number)
        rows = list(page.items)
        partners = {each.partner_id for each in rows}
    return render_template(
        "finance/conversions.html",
        shown=shown,
        balances=balances,
        page=page,
        waiting=waiting.total,
        organizations=queries.organizations(partners),
        people=queries.people(
            {each.requested_by_id for each in rows} | {each.decided_by_id for each in rows}
        ),
        rate_text=services.rate_text,
        actor_id=current_actor().user_id,
    )


@finance.get("/conversions/new")
@needs("conversions.handle")
def new_conversion() -> ResponseReturnValue:
    """What it would come to, for `?partner=` (its address), `?currency=`, `?side=`, `?rate=`."""
    partner, currency, side = _balance()
    fixed = FIXED_RATES.get(currency, ("", ""))
    form = ConversionForm(
        formdata=None,
        data={
            "rate": request.args.get("rate", fixed[0])[: services.MOST_DIGITS],
            "rate_source": request.args.get("rate_source", fixed[1])[:200],
        },
    )
    found = _preview(partner, currency, side, form) if form.rate.data else None
    page = _page(partner, currency, side, form, found)
    return page, 422 if form.rate.errors else 200


@finance.post("/conversions")
@needs("conversions.handle")
def ask_conversion() -> ResponseReturnValue:
    """Ask for it, as it was shown."""
    partner, currency, side = _balance()
    form = ConversionForm()
    valid = form.validate_on_submit()
    found = _preview(partner, currency, side, form) if form.rate.data else None
    if not valid or found is None:
        return _page(partner, currency, side, form, found), 422
    try:
        services.request_conversion(
            partner.id,
            currency,
            side,
            form.rate.data,
            form.rate_source.data,
            seen=row_id(form.seen.data) or -1,
            by_user_id=current_actor().user_id or 0,
        )
    except SettlementError as error:
        form.rate.errors = [*form.rate.errors, str(error)]
        return _page(partner, currency, side, form, found), 422
    flash("Somebody else of finance has to approve it now.", "success")
    return redirect(url_for("finance.conversions", show="waiting"), code=303)


@finance.get("/conversions/<int:conversion_id>/approval")
@needs("conversion.decide", load=queries.find_conversion, name="conversion")
def conversion_approval(conversion: BalanceConversion) -> ResponseReturnValue:
    """Ask before it is posted."""
    return render_template(
        "finance/conversion_approval.html",
        conversion=conversion,
        gain=services.gain_of(conversion),
        rate=services.rate_text(conversion),
        organizations=queries.organizations({conversion.partner_id}),
        people=queries.people({conversion.requested_by_id}),
        is_own=conversion.requested_by_id == current_actor().user_id,
    )


@finance.post("/conversions/<int:conversion_id>/approval")
@needs("conversion.decide", load=queries.find_conversion, name="conversion")
def approve_conversion(conversion: BalanceConversion) -> ResponseReturnValue:
    """The second person agrees."""
    return _decide(conversion, approve=True)


@finance.post("/conversions/<int:conversion_id>/refusal")
@needs("conversion.decide", load=queries.find_conversion, name="conversion")
def refuse_conversion(conversion: BalanceConversion) -> ResponseReturnValue:
    """The second person does not agree."""
    return _decide(conversion, approve=False)


def _decide(conversion: BalanceConversion, *, approve: bool) -> ResponseReturnValue:
    try:
        decided = services.decide_conversion(
            conversion.id, approve=approve, by_user_id=current_actor().user_id or 0
        )
    except SettlementError as error:
        flash(str(error), "warning")
    else:
        into = format_money(decided.to_amount, decided.to_currency)
        flash(f"Converted to {into}." if approve else "Refused. It stays as it is.", "success")
    return redirect(url_for("finance.conversions", show="waiting"), code=303)


def _balance() -> tuple[Organization, str, ConvertedSide]:
    partner = queries.find_organization_by_slug(request.args.get("partner", "")[:80])
    currency = request.args.get("currency", "").upper()
    side = request.args.get("side", "")
    if partner is None or currency not in RETIRED or side not in set(ConvertedSide):
        raise NotFoundError
    # Nobody asks for their own organization, as nobody decides about it.
    if not current_actor().can("conversions.handle", partner):
        raise NotFoundError
    return partner, currency, ConvertedSide(side)


def _preview(
    partner: Organization, currency: str, side: ConvertedSide, form: ConversionForm
) -> Preview | None:
    try:
        return services.preview(partner.id, currency, side, form.rate.data)
    except SettlementError as error:
        form.rate.errors = [*form.rate.errors, str(error)]
        return None


def _page(
    partner: Organization,
    currency: str,
    side: ConvertedSide,
    form: ConversionForm,
    found: Preview | None,
) -> str:
    return render_template(
        "finance/conversion_form.html",
        partner=partner,
        currency=currency,
        into=RETIRED[currency],
        side=side,
        amount=services.balance_to_convert(partner.id, currency, side),
        account=CHART[services.ACCOUNTS[side]],
        form=form,
        found=found,
        rate=services.rate_text(found) if found else "",
    )
