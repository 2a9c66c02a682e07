"""What a partner has coming, and every line of it."""

from collections.abc import Iterator, Sequence
from typing import Any

from flask import render_template, request
from flask.typing import ResponseReturnValue

from billing.connect import account_of
from billing.formatting import plain_amount
from billing.models import Earning
from billing.payouts.settings import setting_of
from billing.statements import Balances, balances_by_currency
from marketplace.catalogue.engagement.csv_export import csv_response
from marketplace.core.database import db
from marketplace.core.pagination import page_number, paginate
from marketplace.core.permissions import needs
from marketplace.sales.earnings import queries
from marketplace.sales.earnings.queries import STATES, Filters
from marketplace.sales.earnings.texts import (
    ACCOUNT_STATES,
    KINDS,
    PAYOUT_STATES,
    earning_label,
    requirements_in_words,
)
from marketplace.sales.earnings.views.blueprint import (
    active_partner,
    asked_filters,
    blueprint,
    partner_id,
)

PER_PAGE, ON_HOME = 25, 6
# A file of more lines is a statement's, which is streamed.
MOST_LINES = 20_000
STATE_LABELS = {
    "held": "Held",
    "frozen": "Frozen",
    "payable": "Payable",
    "paid": "Paid or in a payout",
    "void": "Taken back",
}
_COLUMNS = (
    "date",
    "kind",
    "description",
    "order",
    "invoice",
    "state",
    "base",
    "rate in percent",
    "amount",
    "taken back",
    "net",
    "currency",
    "release",
    "payout",
    "line",
)


@blueprint.get("/earnings")
@needs("earnings.read")
def home() -> ResponseReturnValue:
    """Balances, what is released next, the last payouts and the newest lines."""
    partner = active_partner()
    balances = balances_by_currency(partner.id)
    paid = queries.paid_so_far(partner.id)
    lines = list(db.session.scalars(queries.lines_of(partner.id, Filters()).limit(ON_HOME)))
    account = account_of(partner.id)
    setting = setting_of(partner.id)
    currencies = sorted(balances.keys() | paid.keys())
    return render_template(
        "earnings/home.html",
        partner=partner,
        currencies=[
            (code, balances.get(code, Balances()), paid.get(code, 0)) for code in currencies
        ],
        account=account,
        account_label=ACCOUNT_STATES[account.state] if account else None,
        missing=requirements_in_words(account.requirements) if account else [],
        frozen_reason=setting.frozen_reason if setting else "",
        frozen_lines=queries.frozen_lines(partner.id),
        releases=queries.next_releases(partner.id),
        payouts=list(db.session.scalars(queries.payouts_of(partner.id).limit(4))),
        payout_states=PAYOUT_STATES,
        **_shown(lines),
    )


@blueprint.get("/earnings/lines")
@needs("earnings.read")
def lines() -> ResponseReturnValue:
    """All lines, with filters and search."""
    filters = asked_filters()
    page = paginate(
        queries.lines_of(partner_id(), filters),
        page=page_number(request.args.get("page")),
        per_page=PER_PAGE,
    )
    return render_template(
        "earnings/lines.html",
        page=page,
        filters=filters,
        state_choices=[("", "Any state"), *((state, STATE_LABELS[state]) for state in STATES)],
        kind_choices=[("", "Any kind"), *((kind.value, text) for kind, text in KINDS.items())],
        **_shown(page.items),
    )


@blueprint.get("/earnings/lines.csv")
@needs("earnings.read")
def lines_csv() -> ResponseReturnValue:
    """The same lines as a file, the newest 20,000."""
    partner = active_partner()
    return csv_response(f"{partner.slug}-earnings.csv", _COLUMNS, _csv_rows(asked_filters()))


def _shown(earnings: Sequence[Earning]) -> dict[str, Any]:
    ids = [row.id for row in earnings]
    payouts = queries.payouts_by_earning(ids)
    return {
        "lines": earnings,
        "kinds": KINDS,
        "labels": {row.id: earning_label(row, payouts.get(row.id)) for row in earnings},
        "asked": queries.open_questions(ids),
    }


def _csv_rows(filters: Filters) -> Iterator[Sequence[object]]:
    query = queries.lines_of(partner_id(), filters).limit(MOST_LINES)
    rows = db.session.scalars(query.execution_options(yield_per=500))
    for part in rows.partitions(500):
        payouts = queries.payouts_by_earning([row.id for row in part])
        for row in part:
            payout = payouts.get(row.id)
            order, currency = row.line.order, row.currency
            yield (
                row.created_at,
                KINDS[row.kind],
                row.line.description,
                order.public_id,
                order.invoice_number,
                earning_label(row, payout).text,
                plain_amount(row.base, currency),
                row.rate_bps / 100,
                plain_amount(row.amount, currency),
                plain_amount(row.reversed_amount, currency),
                plain_amount(row.net, currency),
                currency,
                row.release_at,
                payout.public_id if payout else None,
                row.public_id,
            )
