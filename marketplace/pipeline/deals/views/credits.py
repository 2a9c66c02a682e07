"""What partners are credited for won deals: their own page, and staff's totals."""

from flask import render_template, request
from flask.typing import ResponseReturnValue

from marketplace.core import clock
from marketplace.core.csv_export import csv_response
from marketplace.core.pagination import page_number
from marketplace.core.permissions import needs
from marketplace.pipeline.deals import queries, texts
from marketplace.pipeline.deals.queries import Period
from marketplace.pipeline.deals.views.blueprints import deals, deals_staff
from marketplace.pipeline.leads.views.own import own_id


@deals.get("/partner/deals/credits")
@needs("deals.use")
def own_credits() -> ResponseReturnValue:
    """What the partner was credited, in a period and deal by deal."""
    period = Period.parse(request.args.get("period", ""))
    own = own_id()
    page = queries.page_of_credits(own, page_number(request.args.get("page")))
    splits = queries.splits_by_id([row.split_id for row in page.items])
    found = queries.deals_by_id([split.deal_id for split in splits.values()])
    return render_template(
        "deals/credits.html",
        period=period,
        totals=queries.credit_totals(period, own),
        page=page,
        splits=splits,
        # The customer of a deal is for the partner whose deal it is.
        own_deals={each: row for each, row in found.items() if row.organization_id == own},
        years=_years(),
        texts=texts,
    )


@deals_staff.get("/staff/deals/credits")
@needs("credits.split")
def totals() -> ResponseReturnValue:
    """Sourced and assisted by partner, in a year or a month."""
    period = Period.parse(request.args.get("period", ""))
    rows = queries.credit_totals(period)
    return render_template(
        "deals/totals.html",
        period=period,
        rows=rows,
        sums=_sums(rows),
        names=queries.partner_names([row.organization_id for row in rows]),
        years=_years(),
    )


@deals_staff.get("/staff/deals/credits.csv")
@needs("credits.split")
def totals_file() -> ResponseReturnValue:
    """The same as a file."""
    period = Period.parse(request.args.get("period", ""))
    rows = queries.credit_totals(period)
    names = queries.partner_names([row.organization_id for row in rows])
    return csv_response(
        f"credits-{period.code}.csv",
        ("partner", "currency", "sourced", "assisted", "total", "credits"),
        (
            (
                names.get(row.organization_id, "Gone"),
                row.currency,
                row.sourced,
                row.assisted,
                row.total,
                row.deals,
            )
            for row in rows
        ),
    )


def _sums(rows: list[queries.CreditTotal]) -> dict[str, dict[str, int]]:
    """The sums of each currency."""
    found: dict[str, dict[str, int]] = {}
    for row in rows:
        sums = found.setdefault(row.currency, {"sourced": 0, "assisted": 0, "total": 0})
        sums["sourced"] += row.sourced
        sums["assisted"] += row.assisted
        sums["total"] += row.total
    return found


def _years() -> list[int]:
    now = clock.now().year
    return list(range(now, now - 5, -1))
