"""What partners owe, and giving it up: one person asks, another decides."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from billing.accounts import PARTNER_RECEIVABLE
from billing.formatting import format_money, plain_amount
from billing.ledger import balance
from billing.models import WriteOff
from billing.money import CURRENCIES
from billing.settlement.parts import SettlementError
from billing.settlement.receivables import decide_write_off as decide
from billing.settlement.receivables import page_of_debtors
from billing.settlement.receivables import request_write_off as ask
from marketplace.core.errors import NotFoundError
from marketplace.core.pagination import page_number
from marketplace.core.permissions import current_actor, needs
from marketplace.identity.models import Organization
from marketplace.sales.finance.desk import queries
from marketplace.sales.finance.desk.forms import WriteOffForm
from marketplace.sales.finance.desk.views.blueprint import finance


@finance.get("/receivables")
@needs("write_offs.handle")
def receivables() -> ResponseReturnValue:
    """Partners with a negative balance."""
    page = page_of_debtors(page_number(request.args.get("page")), queries.PER_PAGE)
    return render_template(
        "finance/receivables.html",
        page=page,
        organizations=queries.organizations({owner for owner, _, _ in page.items}),
        waiting=queries.write_offs(is_open=True, page=1).total,
    )


@finance.get("/write-offs")
@needs("write_offs.handle")
def write_offs() -> ResponseReturnValue:
    """Write-offs that wait for a second person, or that were decided."""
    is_open = request.args.get("show") != "decided"
    page = queries.write_offs(is_open=is_open, page=page_number(request.args.get("page")))
    return render_template(
        "finance/write_offs.html",
        is_open=is_open,
        page=page,
        organizations=queries.organizations({each.partner_id for each in page.items}),
        people=queries.people(
            {each.requested_by_id for each in page.items}
            | {each.decided_by_id for each in page.items}
        ),
        actor_id=current_actor().user_id,
    )


@finance.get("/write-offs/new")
@needs("write_offs.handle")
def new_write_off() -> ResponseReturnValue:
    """The form, for `?partner=` (its address) and `?currency=`."""
    partner, currency, owed = _debtor()
    form = WriteOffForm(formdata=None, data={"currency": currency, "amount": owed})
    return _page(partner, currency, owed, form)


@finance.post("/write-offs")
@needs("write_offs.handle")
def ask_write_off() -> ResponseReturnValue:
    """Ask for it."""
    partner, currency, owed = _debtor()
    form = WriteOffForm()
    form.currency.data = currency
    if not form.validate_on_submit() or form.amount.data is None:
        return _page(partner, currency, owed, form), 422
    try:
        ask(
            partner.id,
            currency,
            form.amount.data,
            form.reason.data or "",
            by_user_id=current_actor().user_id or 0,
        )
    except SettlementError as error:
        form.amount.errors = [*form.amount.errors, str(error)]
        return _page(partner, currency, owed, form), 422
    flash("Somebody else of finance has to approve it now.", "success")
    return redirect(url_for("finance.write_offs"), code=303)


@finance.get("/write-offs/<int:write_off_id>/approval")
@needs("write_off.decide", load=queries.find_write_off, name="write_off")
def write_off_approval(write_off: WriteOff) -> ResponseReturnValue:
    """Ask before money is given up."""
    return render_template(
        "finance/write_off_approval.html",
        write_off=write_off,
        organizations=queries.organizations({write_off.partner_id}),
        people=queries.people({write_off.requested_by_id}),
        is_own=write_off.requested_by_id == current_actor().user_id,
    )


@finance.post("/write-offs/<int:write_off_id>/approval")
@needs("write_off.decide", load=queries.find_write_off, name="write_off")
def approve_write_off(write_off: WriteOff) -> ResponseReturnValue:
    """The second person agrees."""
    return _decide(write_off, approve=True)


@finance.post("/write-offs/<int:write_off_id>/refusal")
@needs("write_off.decide", load=queries.find_write_off, name="write_off")
def refuse_write_off(write_off: WriteOff) -> ResponseReturnValue:
    """The second person does not agree."""
    return _decide(write_off, approve=False)


def _decide(write_off: WriteOff, *, approve: bool) -> ResponseReturnValue:
    try:
        decided = decide(write_off.id, approve=approve, by_user_id=current_actor().user_id or 0)
    except SettlementError as error:
        flash(str(error), "warning")
    else:
        amount = format_money(decided.amount, decided.currency)
        flash(f"{amount} is written off." if approve else "Refused. It stays owed.", "success")
    return redirect(url_for("finance.write_offs"), code=303)


def _debtor() -> tuple[Organization, str, int]:
    partner = queries.find_organization_by_slug(request.args.get("partner", "")[:80])
    currency = request.args.get("currency", "").upper()
    if partner is None or currency not in CURRENCIES:
        raise NotFoundError
    # Nobody asks for their own organization, as nobody decides about it.
    if not current_actor().can("write_offs.handle", partner):
        raise NotFoundError
    return partner, currency, balance(PARTNER_RECEIVABLE, currency, partner.id)


def _page(partner: Organization, currency: str, owed: int, form: WriteOffForm) -> str:
    return render_template(
        "finance/write_off_form.html",
        partner=partner,
        currency=currency,
        owed=owed,
        owed_text=plain_amount(owed, currency),
        form=form,
    )
