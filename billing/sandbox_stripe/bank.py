"""The platform's bank account: what arrived of Stripe's payouts, as a statement to download.

A payout that is sent here arrives at once, since nobody at a demo waits a day.
"""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal

from flask import (
    Blueprint,
    Response,
    abort,
    current_app,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue
from markupsafe import escape

from billing.formatting import AmountError, parse_amount
from billing.money import CURRENCIES, decimals
from billing.sandbox_stripe import balance, payouts
from billing.sandbox_stripe.store import Store

IBAN = "IE29AIBK93115212345678"
bank = Blueprint("bank", __name__, url_prefix="/bank", template_folder="templates")


@dataclass(frozen=True)
class Booking:
    """One line of the statement; `amount` in minor units, below zero for money out."""

    booked_on: date
    amount: int
    currency: str
    reference: str
    text: str


def bookings(store: Store, currency: str) -> list[Booking]:
    """What was booked in one currency (upper case), oldest first."""
    return sorted(_bookings(store, currency), key=lambda each: (each.booked_on, each.reference))


def _bookings(store: Store, currency: str) -> Iterator[Booking]:
    for payout in store.all("payout", account=""):
        reference = payout["trace_id"]["value"]
        if payout["currency"] != currency.lower() or not reference:
            continue
        day = datetime.fromtimestamp(payout["arrival_date"], UTC).date()
        amount = int(payout["amount"])
        yield Booking(day, amount, currency, reference, "STRIPE PAYOUT")
        if payout["status"] == "failed":
            yield Booking(day, -amount, currency, reference, "STRIPE PAYOUT RETURNED")


def as_csv(rows: list[Booking]) -> bytes:
    """The statement as a bank's CSV."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["Account", "Booking date", "Amount", "Currency", "Reference", "Description"])
    for row in rows:
        writer.writerow(
            [IBAN, row.booked_on.isoformat(), _plain(row), row.currency, row.reference, row.text]
        )
    return out.getvalue().encode()


def as_camt053(rows: list[Booking], currency: str) -> bytes:
    """The statement as camt.053.001.08."""
    closing = sum(row.amount for row in rows)
    entries = "".join(
        f'<Ntry><Amt Ccy="{currency}">{_plain(row, unsigned=True)}</Amt>'
        f"<CdtDbtInd>{'CRDT' if row.amount >= 0 else 'DBIT'}</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>"
        f"<BookgDt><Dt>{row.booked_on.isoformat()}</Dt></BookgDt><NtryDtls><TxDtls><Refs>"
        f"<EndToEndId>{escape(row.reference)}</EndToEndId></Refs><RmtInf><Ustrd>{escape(row.text)}"
        "</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>"
        for row in rows
    )
    balances = "".join(
        f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp>"
        f'<Amt Ccy="{currency}">{_amount(abs(value), currency)}</Amt>'
        f"<CdtDbtInd>{'CRDT' if value >= 0 else 'DBIT'}</CdtDbtInd></Bal>"
        for code, value in (("OPBD", 0), ("CLBD", closing))
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt><Stmt>'
        f"<Acct><Id><IBAN>{IBAN}</IBAN></Id></Acct>{balances}{entries}"
        "</Stmt></BkToCstmrStmt></Document>"
    ).encode()


@bank.get("")
def account() -> ResponseReturnValue:
    """Balances at Stripe, a form that pays out, and the statements."""
    store = _store()
    with store.transaction():
        codes = sorted(
            {str(row[0]).upper() for row in store.execute("SELECT currency FROM balance")}
        )
        shown = [
            (code, balance.balances(store, "", code.lower()), bookings(store, code))
            for code in codes
        ]
    return render_template("sandbox/bank.html", shown=shown, problem=request.args.get("problem"))


@bank.post("/payouts")
def send() -> ResponseReturnValue:
    """Pay out a part of the balance; it arrives at once."""
    currency = request.form.get("currency", "").upper()
    store = _store()
    try:
        amount = parse_amount(
            request.form.get("amount", ""), currency if currency in CURRENCIES else "EUR"
        )
    except AmountError as error:
        return redirect(url_for("bank.account", problem=str(error)), code=303)
    with store.transaction():
        if not amount:
            problem = "Say how much."
        elif balance.balances(store, "", currency.lower())[1] < amount:
            problem = "That is more than is available."
        else:
            made = payouts.new_payout(store, amount, currency.lower(), automatic=False)
            payouts.arrive(store, made)
            problem = None
    return redirect(url_for("bank.account", problem=problem), code=303)


@bank.get("/<currency>.<any(csv, xml):form>")
def statement(currency: str, form: str) -> ResponseReturnValue:
    """Everything that was booked, as a file."""
    code = currency.upper()
    if code not in CURRENCIES:
        abort(404)
    store = _store()
    with store.transaction():
        rows = bookings(store, code)
    body = as_csv(rows) if form == "csv" else as_camt053(rows, code)
    kind = "text/csv" if form == "csv" else "application/xml"
    name = f"statement-{code.lower()}.{form}"
    return Response(
        body, mimetype=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )


def _store() -> Store:
    found: Store = current_app.extensions["sandbox_store"]
    return found


def _plain(row: Booking, *, unsigned: bool = False) -> str:
    return _amount(abs(row.amount) if unsigned else row.amount, row.currency)


def _amount(amount: int, currency: str) -> str:
    return f"{Decimal(amount).scaleb(-decimals(currency)):f}"
