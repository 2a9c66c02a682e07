"""The tiles, and the rows behind each."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from flask import render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select

from billing.formatting import plain_amount
from billing.money import CURRENCIES
from marketplace.core import clock
from marketplace.core.csv_export import csv_response
from marketplace.core.database import db
from marketplace.core.errors import NotFoundError
from marketplace.core.pagination import Page, page_number
from marketplace.core.permissions import current_actor, needs
from marketplace.observability.access import active_partner
from marketplace.observability.dashboard.choosing import tiles_for
from marketplace.observability.dashboard.texts import ref_text, what_text
from marketplace.observability.dashboard.tiles import BY_KEY, Tile, figure_text, figures, mean
from marketplace.observability.dashboard.views.blueprints import dashboard
from marketplace.observability.periods import PRESETS, Period, read_period, zone_of

PER_PAGE = 50
MOST_ROWS = 50_000


@dashboard.get("/partner/dashboard")
@needs("dashboard.read")
def index() -> ResponseReturnValue:
    """All figures of a time, with the time before it."""
    partner = active_partner()
    period = _period()
    return render_template(
        "dashboard/index.html",
        partner=partner,
        figures=figures(tiles_for(current_actor()), partner.organization_id, period),
        period=period,
        presets=list(PRESETS.items()),
    )


@dashboard.get("/partner/dashboard/<tile_key>")
@needs("dashboard.read")
def rows(tile_key: str) -> ResponseReturnValue:
    """The rows that make a tile's figure."""
    partner, tile, period = active_partner(), _tile(tile_key), _period()
    currency, text = _currency(), _text()
    behind = _behind(tile, partner.organization_id, period, currency, text)
    sums = db.session.execute(
        select(behind.c.currency, func.sum(behind.c.amount), func.count())
        .group_by(behind.c.currency)
        .order_by(behind.c.currency)
    ).all()
    count = sum(each[2] for each in sums)
    number = max(1, min(page_number(request.args.get("page")), -(-count // PER_PAGE)))
    found = db.session.execute(
        select(behind)
        .order_by(behind.c.at.desc(), behind.c.ref.desc())
        .limit(PER_PAGE)
        .offset((number - 1) * PER_PAGE)
    ).all()
    # One total for each currency: cents and yen are no sum.
    totals = [
        figure_text(tile, mean(int(total), times) if tile.is_rating else int(total), code)
        for code, total, times in sums
    ]
    return render_template(
        "dashboard/rows.html",
        tile=tile,
        page=Page(items=found, total=count, page=number, per_page=PER_PAGE),
        totals=totals or [figure_text(tile, 0, currency)],
        amount_text=lambda row: figure_text(tile, row.amount, row.currency),
        what_text=what_text,
        ref_text=ref_text,
        period=period,
        presets=list(PRESETS.items()),
        currency=currency,
        text=text,
        args={**period.args(), "currency": currency or None, "q": text or None},
    )


@dashboard.get("/partner/dashboard/<tile_key>.csv")
@needs("dashboard.read")
def export(tile_key: str) -> ResponseReturnValue:
    """The same rows as a file, the newest 50,000."""
    partner, tile, period = active_partner(), _tile(tile_key), _period()
    behind = _behind(tile, partner.organization_id, period, _currency(), _text())
    found = db.session.execute(
        select(behind).order_by(behind.c.at.desc(), behind.c.ref.desc()).limit(MOST_ROWS)
    ).all()

    def lines() -> Iterator[list[object]]:
        for row in found:
            amount: object = row.amount
            if row.currency:
                amount = Decimal(plain_amount(row.amount, row.currency))
            elif tile.is_rating:
                amount = row.amount / 100
            yield [row.at, what_text(row.what), ref_text(row.ref), amount, row.currency]

    name = f"{partner.organization_slug}-{tile.key}-{period.first}-{period.last}.csv"
    return csv_response(name, ("at", "what", "reference", "amount", "currency"), lines())


def _behind(tile: Tile, organization_id: int, period: Period, currency: str, text: str) -> Any:
    """The rows of a tile in a time, as a subquery; of a level, all until its end."""
    every = tile.rows(organization_id).subquery()
    query = select(every).where(every.c.at < period.end)
    if not tile.is_level:
        query = query.where(every.c.at >= period.begin)
    if currency:
        query = query.where(every.c.currency == currency)
    if text:
        query = query.where(
            every.c.what.icontains(text, autoescape=True)
            | every.c.ref.icontains(text, autoescape=True)
        )
    return query.subquery()


def _tile(key: str) -> Tile:
    """A tile that the person sees. Raises NotFoundError for others."""
    tile = BY_KEY.get(key)
    if tile is None or tile not in tiles_for(current_actor()):
        raise NotFoundError
    return tile


def _period() -> Period:
    zone = zone_of(current_actor().timezone)
    return read_period(request.args, now=clock.now(), zone=zone)


def _currency() -> str:
    code = request.args.get("currency", "").upper()
    return code if code in CURRENCIES else ""


def _text() -> str:
    return " ".join(request.args.get("q", "").replace("\0", "").split())[:80]
