"""Where a partner's money goes: its account at Stripe, and from which amount on."""

from flask import current_app, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from billing.connect import (
    account_of,
    dashboard_link,
    disconnect,
    onboarding_link,
    open_account,
    refresh_account,
)
from billing.formatting import format_money, plain_amount
from billing.gateway import StripeError, has_stripe
from billing.models import AccountState, ConnectedAccount
from billing.payouts.eligibility import default_minimum
from billing.payouts.settings import minimum_of, set_minimums, setting_of
from billing.statements import balances_by_currency
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.limits import limiter
from marketplace.core.permissions import current_actor, needs
from marketplace.identity.countries import COUNTRIES
from marketplace.identity.forms import choices_of
from marketplace.identity.second_factor import second_factor
from marketplace.sales.earnings.forms import AccountForm, MinimumForm
from marketplace.sales.earnings.texts import ACCOUNT_STATES, requirements_in_words
from marketplace.sales.earnings.views.blueprint import active_partner, blueprint, partner_id


@blueprint.get("/payout-account")
@needs("payout_account.manage")
def account() -> ResponseReturnValue:
    """The account and what is missing; or the way to open one."""
    form = AccountForm(formdata=None)
    form.offer(active_partner().country)
    return _page(form, _minimum_form())


@blueprint.post("/payout-account")
@needs("payout_account.manage")
@second_factor
@limiter.limit("10 per hour")
def account_open() -> ResponseReturnValue:
    """Open an account at Stripe; its set-up is finished on Stripe's own pages."""
    partner, actor = active_partner(), current_actor()
    form = AccountForm()
    form.offer(None)
    if not form.validate():
        return _page(form, _minimum_form()), 422
    try:
        open_account(
            partner.id,
            name=partner.name,
            email=actor.email,
            country=form.country.data,
            by_user_id=actor.user_id or 0,
        )
    except ConflictError as error:
        form.country.errors = [*form.country.errors, error.detail]
        return _page(form, _minimum_form()), 422
    flash("Your account is opened. Stripe now needs to know a few things from you.", "success")
    return redirect(url_for("earnings.account"), 303)


@blueprint.get("/payout-account/onboarding")
@needs("payout_account.manage")
@second_factor
@limiter.limit("30 per hour")
def onboarding() -> ResponseReturnValue:
    """Go on at Stripe. Its links work once, so each visit makes a new one; Stripe sends people
    whose link has run out back to this very address."""
    found = account_of(partner_id())
    if found is None:
        return redirect(url_for("earnings.account"), 303)
    link = onboarding_link(
        found,
        return_url=_absolute("earnings.onboarded"),
        refresh_url=_absolute("earnings.onboarding"),
    )
    return redirect(link, 303)


@blueprint.get("/payout-account/return")
@needs("payout_account.manage")
def onboarded() -> ResponseReturnValue:
    """Back from Stripe, finished or not: ask what the account can do now."""
    found = account_of(partner_id())
    if found is not None:
        try:
            found = refresh_account(found.stripe_id) or found
        except StripeError:
            flash("Stripe does not answer just now. The state shown may be old.", "warning")
        else:
            _say(found)
    return redirect(url_for("earnings.account"), 303)


@blueprint.get("/payout-account/dashboard")
@needs("payout_account.manage")
@second_factor
@limiter.limit("30 per hour")
def dashboard() -> ResponseReturnValue:
    """Go to the partner's own dashboard at Stripe, where its bank details are."""
    found = account_of(partner_id())
    if found is None or found.state is AccountState.ONBOARDING:
        return redirect(url_for("earnings.account"), 303)
    return redirect(dashboard_link(found), 303)


@blueprint.post("/payout-account/refresh")
@needs("payout_account.manage")
@limiter.limit("30 per hour")
def account_refresh() -> ResponseReturnValue:
    """Ask Stripe again."""
    return onboarded()


@blueprint.post("/payout-account/minimum")
@needs("payout_account.manage")
def minimum_save() -> ResponseReturnValue:
    """Choose from which amount on to be paid."""
    form = _minimum_form(posted=True)
    account_form = AccountForm(formdata=None)
    account_form.offer(active_partner().country)
    if not form.validate() or form.amount.data is None:
        if not form.amount.errors and not form.currency.errors:
            form.amount.errors = ["Type an amount like 50.00."]
        return _page(account_form, form), 422
    currency = form.currency.data
    try:
        set_minimums(
            partner_id(), {currency: form.amount.data}, by_user_id=current_actor().user_id or 0
        )
    except InvalidError:
        least = format_money(default_minimum(currency), currency)
        form.amount.errors = [f"At least {least}: we pay nothing smaller."]
        return _page(account_form, form), 422
    flash(
        f"You are paid in {currency} from {format_money(form.amount.data, currency)} on.", "success"
    )
    return redirect(url_for("earnings.account", _anchor="minimum"), 303)


@blueprint.get("/payout-account/disconnection")
@needs("payout_account.manage")
def confirm_disconnection() -> ResponseReturnValue:
    """The question before an account is disconnected."""
    found = account_of(partner_id())
    if found is None:
        return redirect(url_for("earnings.account"), 303)
    return render_template("earnings/disconnection.html", account=found)


@blueprint.post("/payout-account/disconnection")
@needs("payout_account.manage")
@second_factor
def account_disconnect() -> ResponseReturnValue:
    """Pay nothing to the account any more."""
    found = account_of(partner_id())
    if found is not None:
        disconnect(found, by_user_id=current_actor().user_id)
        flash(
            "The account is disconnected. What you earn is kept until you connect one.", "success"
        )
    return redirect(url_for("earnings.account"), 303)


def _absolute(endpoint: str) -> str:
    return str(current_app.config["PUBLIC_URL"]) + url_for(endpoint)


def _say(found: ConnectedAccount) -> None:
    if found.state is AccountState.READY:
        flash("Stripe can pay you now.", "success")
    elif found.state is AccountState.ONBOARDING:
        flash("Stripe still needs something from you.", "warning")
    elif found.state is AccountState.RESTRICTED:
        flash("Stripe has restricted the account.", "warning")


def _minimum_form(*, posted: bool = False) -> MinimumForm:
    currencies = sorted({"EUR", *balances_by_currency(partner_id())})
    form = MinimumForm() if posted else MinimumForm(formdata=None)
    form.currency.choices = choices_of((code, code) for code in currencies)
    if not posted:
        form.currency.data = currencies[0]
    return form


def _page(form: AccountForm, minimum_form: MinimumForm) -> str:
    found = account_of(partner_id())
    setting = setting_of(partner_id())
    currencies = [str(value) for value, _ in _pairs(minimum_form)]
    return render_template(
        "earnings/account.html",
        account=found,
        label=ACCOUNT_STATES[found.state] if found else None,
        country=COUNTRIES.get(found.country or "") if found else None,
        missing=requirements_in_words(found.requirements) if found else [],
        frozen_reason=setting.frozen_reason if setting else "",
        form=form,
        minimum_form=minimum_form,
        minimums=[(code, minimum_of(partner_id(), code)) for code in currencies],
        plain_amount=plain_amount,
        is_possible=has_stripe(),
    )


def _pairs(form: MinimumForm) -> list[tuple[str, str]]:
    return [(str(choice.value), str(choice.label)) for choice in form.currency.choices]
