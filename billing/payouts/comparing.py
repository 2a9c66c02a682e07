"""What is different from the run before: the first thing that an approver looks at."""

from dataclasses import dataclass

from sqlalchemy import case, func, literal, select, union_all

from billing.models import Payout, PayoutRun, PayoutState, RunState
from marketplace.core.database import db

# Runs that paid, or are about to.
_PAID_RUNS = (
    RunState.APPROVED,
    RunState.EXECUTING,
    RunState.COMPLETED,
    RunState.COMPLETED_WITH_ERRORS,
)
_NOT_PAID = (PayoutState.HELD, PayoutState.CANCELED)


@dataclass(frozen=True)
class Change:
    """One partner and currency, in minor units; 0 where a run does not pay it."""

    partner_id: int
    currency: str
    before: int
    now: int

    @property
    def delta(self) -> int:
        """More (or, below zero, less) than before."""
        return self.now - self.before


@dataclass(frozen=True)
class CurrencyChange:
    """A currency's sums, and how many partners come and go."""

    currency: str
    before: int
    now: int
    new: int
    gone: int


@dataclass(frozen=True)
class Comparison:
    """`largest` are the greatest changes, one way or the other."""

    run: PayoutRun
    currencies: list[CurrencyChange]
    largest: list[Change]


def run_before(run: PayoutRun) -> PayoutRun | None:
    """The run that was approved last before this one was computed."""
    return db.session.scalar(
        select(PayoutRun)
        .where(PayoutRun.id < run.id, PayoutRun.state.in_(_PAID_RUNS))
        .order_by(PayoutRun.id.desc())
        .limit(1)
    )


def compare(run: PayoutRun, *, limit: int = 8) -> Comparison | None:
    """How a run differs from the one before it; None for the first. Two statements."""
    before = run_before(run)
    if before is None:
        return None
    sides = union_all(
        *(
            select(
                Payout.partner_id,
                Payout.currency,
                (Payout.amount if which == "now" else literal(0)).label("now"),
                (Payout.amount if which == "before" else literal(0)).label("before"),
            ).where(Payout.run_id == each.id, Payout.state.not_in(_NOT_PAID))
            for which, each in (("now", run), ("before", before))
        )
    ).subquery()
    now, was = func.sum(sides.c.now), func.sum(sides.c.before)
    each = (
        select(
            sides.c.partner_id,
            sides.c.currency,
            was.label("before"),
            now.label("now"),
        )
        .group_by(sides.c.partner_id, sides.c.currency)
        .subquery()
    )
    largest = db.session.execute(
        select(each)
        .where(each.c.now != each.c.before)
        .order_by(func.abs(each.c.now - each.c.before).desc(), each.c.partner_id)
        .limit(limit)
    ).all()
    sums = db.session.execute(
        select(
            each.c.currency,
            func.sum(each.c.before),
            func.sum(each.c.now),
            func.sum(case((each.c.before == 0, 1), else_=0)),
            func.sum(case((each.c.now == 0, 1), else_=0)),
        )
        .group_by(each.c.currency)
        .order_by(each.c.currency)
    ).all()
    return Comparison(
        before,
        [CurrencyChange(row[0], *(int(value) for value in row[1:])) for row in sums],
        [Change(row[0], row[1], int(row[2]), int(row[3])) for row in largest],
    )
