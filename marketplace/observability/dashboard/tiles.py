"""The tiles: which figures there are, for whom, and what they are made of."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import accumulate
from typing import Any

from sqlalchemy import case, func, literal, select, union_all

from billing.formatting import format_money
from marketplace.core.database import db
from marketplace.observability.dashboard import rows
from marketplace.observability.moments import as_moments, ten_minutes
from marketplace.observability.periods import Period, series
from marketplace.program.measures import Measure


@dataclass(frozen=True)
class Tile:
    """A figure. `module`: the part of the portal that it belongs to; `is_level`: what stands at
    the end of the time, instead of what came in it; `is_money`: for people who deal with it."""

    key: str
    label: str
    hint: str
    icon: str
    rows: Callable[[int | None], Any]
    module: str | None = None
    is_level: bool = False
    is_money: bool = False
    is_rating: bool = False


TILES: tuple[Tile, ...] = (
    Tile("views", "Views", "Visitors of listings’ pages", "eye", rows.views, "catalogue"),
    Tile("installs", "Installs", "New installations", "download", rows.installs, "catalogue"),
    Tile("removals", "Removals", "Installations removed", "undo-2", rows.removals, "catalogue"),
    Tile(
        "rating", "Rating", "Mean of new ratings", "star", rows.reviews, "catalogue", is_rating=True
    ),
    Tile(
        "leads",
        "Leads accepted",
        "Leads that you took",
        "inbox",
        rows.measured(Measure.LEADS_ACCEPTED),
        "leads",
    ),
    Tile(
        "leads_qualified",
        "Leads qualified",
        "Leads that count",
        "circle-check",
        rows.measured(Measure.LEADS_QUALIFIED),
        "leads",
    ),
    Tile(
        "deals_won",
        "Deals won",
        "Registered deals that closed",
        "handshake",
        rows.measured(Measure.DEALS_WON),
        "deals",
    ),
    Tile(
        "deals_sourced",
        "Deals sourced",
        "Your share of deals that you brought",
        "target",
        rows.measured(Measure.DEALS_SOURCED),
        "deals",
        is_money=True,
    ),
    Tile(
        "deals_assisted",
        "Deals assisted",
        "Your share of deals that you helped with",
        "users",
        rows.measured(Measure.DEALS_ASSISTED),
        "deals",
        is_money=True,
    ),
    Tile(
        "net_revenue",
        "Net revenue",
        "Paid by customers, less refunds and tax",
        "chart-line",
        rows.measured(Measure.NET_REVENUE),
        is_money=True,
    ),
    Tile(
        "commissions",
        "Commissions and margins",
        "Earned, less what was taken back",
        "percent",
        rows.commissions,
        is_money=True,
    ),
    Tile(
        "payouts", "Paid out", "Transferred to your account", "banknote", rows.payouts,
        is_money=True,
    ),
    Tile(
        "payable",
        "Payouts due",
        "Waits for the next run",
        "wallet",
        rows.payable,
        is_level=True,
        is_money=True,
    ),
    Tile(
        "certified_people",
        "Certified people",
        "With a certificate in force",
        "graduation-cap",
        rows.measured(Measure.CERTIFIED_PEOPLE),
        "certification",
        is_level=True,
    ),
    Tile(
        "training",
        "Training sessions",
        "Sessions that were logged",
        "book-open",
        rows.measured(Measure.TRAINING_SESSIONS),
        "courses",
    ),
)  # fmt: skip
BY_KEY = {tile.key: tile for tile in TILES}


@dataclass
class Figure:
    """A tile's figure in one currency (or none), in a period and in the one before it.

    Of a rating, `value` is the mean in hundredths, half up, and `count` the ratings.
    """

    tile: Tile
    currency: str = ""
    value: int = 0
    before: int = 0
    count: int = 0
    by_day: list[int] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The figure for people."""
        return figure_text(self.tile, self.value, self.currency)

    @property
    def change(self) -> int | None:
        """By how many percent it changed, None where there was nothing before."""
        if not self.before or (self.tile.is_rating and not self.count):
            return None
        return round(100 * (self.value - self.before) / abs(self.before))


def figure_text(tile: Tile, value: int, currency: str) -> str:
    """An amount of a tile for people."""
    if tile.is_rating:
        return f"{value / 100:.2f}" if value else "–"
    return format_money(value, currency) if currency else f"{value:,}"


def mean(total: int, count: int) -> int:
    """The mean of whole numbers, half up; 0 of none."""
    return (2 * total + count) // (2 * count) if count else 0


def figures(tiles: Sequence[Tile], organization_id: int | None, period: Period) -> list[Figure]:
    """The figures of tiles in their order, a money tile once for each currency: one query."""
    if not tiles:
        return []
    parts = [_sums(tile, organization_id, period) for tile in tiles]
    found: dict[tuple[str, str], list[_Sum]] = {}
    for key, currency, is_now, slot, amount, count in db.session.execute(union_all(*parts)):
        at = as_moments([(slot, 0)])[0][0] if slot else None
        found.setdefault((key, currency), []).append(
            _Sum(bool(is_now), at, int(amount), int(count))
        )
    result = []
    for tile in tiles:
        currencies = sorted(c for key, c in found if key == tile.key) or [""]
        result += [
            _figure(tile, currency, found.get((tile.key, currency), []), period)
            for currency in currencies
        ]
    return result


@dataclass(frozen=True)
class _Sum:
    """Rows of some ten minutes; of all time before, where there is no moment."""

    is_now: bool
    at: datetime | None
    amount: int
    count: int


def _sums(tile: Tile, organization_id: int | None, period: Period) -> Any:
    """A tile's sums by currency and ten minutes; what was before the time as one."""
    behind = tile.rows(organization_id).subquery()
    is_now = case((behind.c.at >= period.begin, 1), else_=0)
    where = [behind.c.at < period.end]
    if not tile.is_level:
        where.append(behind.c.at >= period.before().begin)
    part = (
        select(
            behind.c.currency.label("currency"),
            is_now.label("is_now"),
            case((behind.c.at >= period.begin, ten_minutes(behind.c.at)), else_="").label("slot"),
            behind.c.amount.label("amount"),
        )
        .where(*where)
        .subquery()
    )
    return select(
        literal(tile.key).label("tile"),
        part.c.currency,
        part.c.is_now,
        part.c.slot,
        func.sum(part.c.amount).label("amount"),
        func.count().label("count"),
    ).group_by(part.c.currency, part.c.is_now, part.c.slot)


def _figure(tile: Tile, currency: str, sums: Iterable[_Sum], period: Period) -> Figure:
    now = [each for each in sums if each.is_now]
    past = [each for each in sums if not each.is_now]
    value, before = (sum(each.amount for each in part) for part in (now, past))
    count, count_before = (sum(each.count for each in part) for part in (now, past))
    weight = "count" if tile.is_rating else "amount"
    by_day = series(period, ((s.at, getattr(s, weight)) for s in now if s.at is not None))
    if tile.is_rating:
        value, before = mean(value, count), mean(before, count_before)
    elif tile.is_level:
        value += before
        by_day = list(accumulate(by_day, initial=before))[1:]
    return Figure(tile, currency, value, before, count, by_day)
