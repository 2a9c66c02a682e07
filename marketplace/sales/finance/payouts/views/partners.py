"""Limits of a partner: freezing its payouts, and a cap on one payout."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from billing.connect import account_of
from billing.formatting import format_money
from billing.payouts.settings import freeze, minimum_of, set_cap, setting_of, unfreeze
from billing.statements import balances_by_currency
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.pagination import page_number, paginate
from marketplace.core.permissions import current_actor, needs
from marketplace.identity.forms import choices_of
from marketplace.identity.models import Organization
from marketplace.sales.earnings.queries import payouts_of
from marketplace.sales.earnings.texts import ACCOUNT_STATES, PAYOUT_STATES, requirements_in_words
from marketplace.sales.finance.payouts import queries
from marketplace.sales.finance.payouts.forms import CapForm, FreezeForm
from marketplace.sales.finance.payouts.views.blueprint import asked_partner, blueprint, user_id

PER_PAGE = 30


@blueprint.get("/partners")
@needs("payouts.read")
def partners() -> ResponseReturnValue:
    """Find a partner."""
    text = " ".join(request.args.get("q", "").replace("\x00", "").split())[:80]
    page = paginate(
        queries.partners_by_name(text),
        page=page_number(request.args.get("page")),
        per_page=PER_PAGE,
    )
    return render_template("finance_payouts/partners.html", page=page, q=text)


@blueprint.get("/partners/<int:partner_id>")
@needs("payouts.read", load=asked_partner, name="partner")
def partner(partner: Organization) -> ResponseReturnValue:
    """A partner's account, balances and limits."""
    return _page(partner, FreezeForm(formdata=None), _cap_form(partner.id))


@blueprint.post("/partners/<int:partner_id>/freeze")
@needs("payout_limits.manage", load=asked_partner, name="partner")
def freeze_partner(partner: Organization) -> ResponseReturnValue:
    """Pay nothing to it until somebody unfreezes it."""
    form = FreezeForm()
    if not form.validate():
        return _page(partner, form, _cap_form(partner.id)), 422
    try:
        freeze(partner.id, reason=form.reason.data or "", by_user_id=user_id())
    except InvalidError as error:
        form.reason.errors = list(error.fields.values())
        return _page(partner, form, _cap_form(partner.id)), 422
    flash(f"Payouts to {partner.name} are frozen.", "success")
    return redirect(_address(partner), 303)


@blueprint.post("/partners/<int:partner_id>/unfreeze")
@needs("payout_limits.manage", load=asked_partner, name="partner")
def unfreeze_partner(partner: Organization) -> ResponseReturnValue:
    """Pay it again."""
    try:
        unfreeze(partner.id, by_user_id=user_id())
        flash(f"{partner.name} is paid again by the next run.", "success")
    except ConflictError as error:
        flash(error.detail, "warning")
    return redirect(_address(partner), 303)


@blueprint.post("/partners/<int:partner_id>/cap")
@needs("payout_limits.manage", load=asked_partner, name="partner")
def cap_partner(partner: Organization) -> ResponseReturnValue:
    """Set or take away the cap of one payout."""
    form = _cap_form(partner.id, posted=True)
    if not form.validate():
        return _page(partner, FreezeForm(formdata=None), form), 422
    currency, cap = form.currency.data, form.cap.data
    set_cap(partner.id, currency, cap, by_user_id=user_id())
    flash(
        f"A payout of more than {format_money(cap, currency)} is held."
        if cap is not None
        else f"There is no cap in {currency} any more.",
        "success",
    )
    return redirect(_address(partner), 303)


def _address(partner: Organization) -> str:
    return url_for("finance_payouts.partner", partner_id=partner.id)


def _cap_form(partner_id: int, *, posted: bool = False) -> CapForm:
    setting = setting_of(partner_id)
    known = {"EUR", *balances_by_currency(partner_id), *(setting.caps if setting else {})}
    form = CapForm() if posted else CapForm(formdata=None)
    form.currency.choices = choices_of((code, code) for code in sorted(known))
    return form


def _page(partner: Organization, freeze_form: FreezeForm, cap_form: CapForm) -> str:
    setting = setting_of(partner.id)
    account = account_of(partner.id)
    balances = balances_by_currency(partner.id)
    return render_template(
        "finance_payouts/partner.html",
        partner=partner,
        setting=setting,
        account=account,
        account_label=ACCOUNT_STATES[account.state] if account else None,
        missing=requirements_in_words(account.requirements) if account else [],
        balances=balances,
        minimums={code: minimum_of(partner.id, code) for code in balances},
        payouts=list(db.session.scalars(payouts_of(partner.id).limit(6))),
        payout_states=PAYOUT_STATES,
        freeze_form=freeze_form,
        cap_form=cap_form,
        may_manage=current_actor().can("payout_limits.manage", partner),
    )
