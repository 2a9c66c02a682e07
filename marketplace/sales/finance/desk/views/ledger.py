"""The ledger: accounts, entries with running balances, transactions, CSV."""

from collections.abc import Iterator
from typing import Any

from flask import Response, render_template, request, stream_with_context, url_for
from flask.typing import ResponseReturnValue

from billing.accounts import CHART
from billing.desk import browsing, figures
from billing.desk.browsing import EntryRow
from billing.formatting import plain_amount
from billing.models import LedgerTransaction
from marketplace.catalogue.engagement.csv_export import csv_text
from marketplace.core.permissions import needs
from marketplace.sales.finance.desk import queries
from marketplace.sales.finance.desk.parameters import LedgerParameters, ledger_parameters
from marketplace.sales.finance.desk.views.blueprint import finance

CSV_COLUMNS = (
    "entry",
    "transaction",
    "kind",
    "effective_at",
    "posted_at",
    "period",
    "account",
    "account_name",
    "partner_id",
    "partner",
    "currency",
    "debit",
    "credit",
    "order",
    "source",
    "memo",
)
_CSV_LINES = 1_000


@finance.get("/ledger")
@needs("ledger.read")
def ledger() -> ResponseReturnValue:
    """The accounts of one currency with their balances, which sum to zero."""
    currencies = figures.currencies_in_use()
    asked = request.args.get("currency", "").upper()
    currency = asked if asked in currencies else (currencies[0] if currencies else "")
    rows = browsing.accounts(currency)
    groups: dict[str, list[browsing.AccountRow]] = {}
    for row in rows:
        groups.setdefault(row.account.kind.value, []).append(row)
    return render_template(
        "finance/ledger.html",
        currencies=currencies,
        currency=currency,
        groups=groups,
        debits=sum(row.debit for row in rows),
        credits=sum(row.credit for row in rows),
    )


@finance.get("/ledger/entries")
@needs("ledger.read")
def entries() -> ResponseReturnValue:
    """Entries by account, partner, order, date and kind, newest first."""
    asked = ledger_parameters(request.args)
    part = browsing.entries(asked.wanted, before=asked.before, after=asked.after)
    page = render_template(
        "finance/entries.html",
        part=part,
        partners=queries.organizations({row.owner for row in part.items}),
        **_filter(asked, "finance.entries", part),
    )
    return page, 422 if asked.errors else 200


@finance.get("/ledger/entries.csv")
@needs("ledger.read")
def entries_csv() -> ResponseReturnValue:
    """The same entries, all of them, the oldest first. Read and sent in parts."""
    asked = ledger_parameters(request.args)
    if asked.errors:
        told = "".join(f"{name}: {text}\n" for name, text in asked.errors.items())
        return Response(told, status=422, content_type="text/plain; charset=utf-8")
    response = Response(
        stream_with_context(_csv(asked)),
        content_type="text/csv; charset=utf-8",
    )
    response.headers["Content-Disposition"] = 'attachment; filename="ledger.csv"'
    return response


@finance.get("/ledger/transactions")
@needs("ledger.read")
def transactions() -> ResponseReturnValue:
    """Transactions with their entries, newest first."""
    asked = ledger_parameters(request.args)
    part = browsing.transactions(asked.wanted, before=asked.before, after=asked.after)
    page = render_template(
        "finance/transactions.html",
        part=part,
        partners=queries.organizations(
            {entry.account.owner for txn in part.items for entry in txn.entries}
        ),
        **_filter(asked, "finance.transactions", part),
    )
    return page, 422 if asked.errors else 200


@finance.get("/ledger/transactions/<int:txn_id>")
@needs("ledger.read", load=browsing.find_transaction, name="txn")
def transaction(txn: LedgerTransaction) -> ResponseReturnValue:
    """One transaction: what caused it, its entries, what reversed it."""
    return render_template(
        "finance/transaction.html",
        txn=txn,
        partners=queries.organizations({entry.account.owner for entry in txn.entries}),
        order=browsing.order_of(txn),
        reversed_by=browsing.reversal_of(txn),
        chart=CHART,
    )


def _filter(asked: LedgerParameters, endpoint: str, part: browsing.Slice) -> dict[str, object]:
    values: dict[str, Any] = dict(asked.values)
    return {
        "asked": asked,
        "endpoint": endpoint,
        "chart": CHART,
        "kinds": browsing.kinds(),
        "currencies": figures.currencies_in_use(),
        "newer": url_for(endpoint, **values, after=part.newer) if part.newer else None,
        "older": url_for(endpoint, **values, before=part.older) if part.older else None,
    }


def _csv(asked: LedgerParameters) -> Iterator[str]:
    # The mark at the start tells Excel that it is UTF-8.
    yield "\ufeff" + csv_text(CSV_COLUMNS, [])
    names: dict[int, str] = {}
    lines: list[EntryRow] = []
    for row in browsing.all_entries(asked.wanted):
        lines.append(row)
        if len(lines) == _CSV_LINES:
            yield _csv_part(lines, names)
            lines = []
    if lines:
        yield _csv_part(lines, names)


def _csv_part(lines: list[EntryRow], names: dict[int, str]) -> str:
    new = {line.owner for line in lines} - names.keys() - {0}
    if new:
        found = queries.organizations(new)
        names.update({each: found[each].name if each in found else "" for each in new})
    whole = csv_text(
        CSV_COLUMNS,
        (
            (
                row.id,
                row.txn_id,
                row.kind,
                row.effective_at,
                row.posted_at,
                row.period,
                row.account.number,
                row.account.title,
                row.owner or None,
                names.get(row.owner),
                row.currency,
                plain_amount(row.amount, row.currency) if row.debit is not None else None,
                plain_amount(row.amount, row.currency) if row.credit is not None else None,
                row.order_public_id,
                f"{row.source_type}:{row.source_id}",
                row.memo,
            )
            for row in lines
        ),
    )
    return whole.split("\r\n", 1)[1]
