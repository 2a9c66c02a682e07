"""The overview, and finding what belongs to an id."""

from dataclasses import dataclass
from datetime import date, timedelta

from flask import current_app, render_template, request, url_for
from flask.typing import ResponseReturnValue

from billing.desk import alerts, figures
from billing.desk.figures import Figures, Step
from billing.desk.finding import MIN_LENGTH, find
from billing.reports import trial_balance
from marketplace.core import clock
from marketplace.core.permissions import needs
from marketplace.sales.finance.desk import queries, texts
from marketplace.sales.finance.desk.views.blueprint import finance

MONTHS = 12
DAYS = 31


@dataclass(frozen=True)
class Axis:
    """How buckets are named: short below a chart, whole in its table."""

    labels: list[str]
    captions: list[str]
    title: str


@finance.get("")
@needs("finance.read")
def home() -> ResponseReturnValue:
    """What needs a person, what was sold, and what lies where, in one currency at a time."""
    currencies = figures.currencies_in_use()
    asked = request.args.get("currency", "").upper()
    currency = asked if asked in currencies else (currencies[0] if currencies else "")
    step = Step.DAY if request.args.get("by") == Step.DAY else Step.MONTH
    found = _figures(currency, step) if currency else None
    waiting = [
        {
            "text": texts.alert_text(each),
            "href": _href(texts.alert_endpoint(each)),
            "since": each.since,
            "tone": "danger" if each.is_serious else "warning",
        }
        for each in alerts.alerts(clock.now())
    ]
    return render_template(
        "finance/home.html",
        currencies=currencies,
        currency=currency,
        step=step,
        found=found,
        axis=axis_of(found.buckets) if found else None,
        waiting=waiting,
        # From the last closed month on, not over all entries of all time.
        accounts={
            line.account.code: line
            for each in trial_balance()
            if each.currency == currency
            for line in each.lines
        },
    )


@finance.get("/search")
@needs("finance.read")
def search() -> ResponseReturnValue:
    """Orders, refunds, payouts, transactions and organizations by an id or a name."""
    text = request.args.get("q", "").strip()[:160]
    found = find(text)
    named = queries.organizations_like(text) if len(text) >= MIN_LENGTH else []
    ids = {each.organization_id for each in found.orders}
    ids |= {each.partner_id for each in found.payouts}
    known = queries.organizations([*ids, *found.organization_ids])
    by_stripe = [known[each] for each in found.organization_ids if each in known]
    return render_template(
        "finance/search.html",
        q=text,
        found=found,
        organizations=known,
        named=[*by_stripe, *(each for each in named if each not in by_stripe)],
        shortest=MIN_LENGTH,
    )


def axis_of(buckets: tuple[str, ...]) -> Axis:
    """How months or days are named."""
    if buckets and len(buckets[0]) == len("2026-10"):
        starts = [date.fromisoformat(f"{each}-01") for each in buckets]
        return Axis(
            [f"{each:%b}" for each in starts], [f"{each:%B %Y}" for each in starts], "Month"
        )
    days = [date.fromisoformat(each) for each in buckets]
    return Axis(
        [f"{each.day} {each:%b}" for each in days],
        [f"{each.day} {each:%B %Y}" for each in days],
        "Day",
    )


def months_back(today: date, count: int) -> str:
    """The month `count` - 1 months before this one, like 2026-10."""
    number = today.year * 12 + today.month - count
    return f"{number // 12:04d}-{number % 12 + 1:02d}"


def _figures(currency: str, step: Step) -> Figures:
    today = clock.now().date()
    if step is Step.DAY:
        return figures.figures_of_days(currency, today - timedelta(days=DAYS - 1), today)
    return figures.figures_of_months(currency, months_back(today, MONTHS), f"{today:%Y-%m}")


def _href(endpoint: str) -> str | None:
    return url_for(endpoint) if endpoint in current_app.view_functions else None
