"""What a fee schedule would have taken of past sales: who pays more, who pays less.

Every sale of the window is divided anew by the schedule's rules, for partners as they are today.
Refunds are left out, and so is what a change of fees would have done to prices.

Two years of sales are too many for a request: jobs go from partner to partner, and a page shows
how far they are. Of each schedule and length of time the last simulation is kept.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import case, func, select

from billing.fee_schedules import RuleValue, forget_simulations, values_of
from billing.fees import choose_rule, fee_of
from billing.models import (
    FeeKind,
    FeeSchedule,
    FeeSimulation,
    FeeSimulationPartner,
    Order,
    OrderKind,
    OrderLine,
)
from billing.partner_facts import partner_facts
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError
from marketplace.core.jobs import Payload, enqueue, job_handler
from marketplace.core.locks import lock_row, take_turn
from marketplace.core.pagination import Page, paginate

GO_ON = "fee_simulations.go_on"
# Partners of one job, and lines that are in memory at once.
BATCH = 50
_CHUNK = 2_000
# One that has not ended by then has no worker any more, and may be begun again.
GIVEN_UP_AFTER = timedelta(hours=6)
MOST_RUNNING = 3
PER_PAGE = 15
_LOCKS = 0x66656573


@dataclass
class Sums:
    """Sales added up: fees as they were taken, and as the schedule would take them."""

    lines: int = 0
    base: int = 0
    before: int = 0
    after: int = 0

    @property
    def difference(self) -> int:
        """How much more partners would have paid; below zero for less."""
        return self.after - self.before

    def add(self, base: int, before: int, after: int, lines: int = 1) -> None:
        """Add one line, or the sums of some."""
        self.lines += lines
        self.base += base
        self.before += before
        self.after += after


@dataclass
class CurrencyEffect(Sums):
    """What the schedule means in one currency; `losing` and `winning` are how many partners would
    pay more and less."""

    currency: str = ""
    months: dict[str, Sums] = field(default_factory=dict)
    partners: int = 0
    losing: int = 0
    winning: int = 0


def start_simulation(
    schedule: FeeSchedule, months: int, *, since: datetime, until: datetime, by_user_id: int | None
) -> FeeSimulation:
    """Begin to divide the sales paid in [since, until) by the schedule's rules; jobs do the rest.

    The same that is running already is not begun again. Raises ConflictError when too many run.
    """
    take_turn(_LOCKS, schedule.id % 2**31, FeeSimulation)
    rules = _as_data(values_of(schedule))
    before = find_simulation(schedule.id, months)
    if before is not None:
        is_running = before.finished_at is None and before.created_at > until - GIVEN_UP_AFTER
        if is_running and before.rules == rules:
            return before
    running = db.session.scalar(
        select(func.count())
        .select_from(FeeSimulation)
        .where(
            FeeSimulation.finished_at.is_(None),
            FeeSimulation.created_at > until - GIVEN_UP_AFTER,
            FeeSimulation.schedule_id != schedule.id,
        )
    )
    if (running or 0) >= MOST_RUNNING:
        raise ConflictError("Three simulations are running already. Wait for one of them.")
    forget_simulations(schedule.id, months)
    made = FeeSimulation(
        schedule_id=schedule.id,
        months=months,
        rules=rules,
        since=since,
        until=until,
        total=db.session.scalar(select(func.count(OrderLine.publisher_id.distinct()))) or 0,
        figures={},
        created_by_id=by_user_id,
        created_at=clock.now(),
    )
    db.session.add(made)
    db.session.flush()
    _enqueue(made)
    return made


def find_simulation(schedule_id: int, months: int) -> FeeSimulation | None:
    """The last simulation of a schedule for so many months."""
    return db.session.scalar(
        select(FeeSimulation).where(
            FeeSimulation.schedule_id == schedule_id, FeeSimulation.months == months
        )
    )


def is_of(simulation: FeeSimulation, schedule: FeeSchedule) -> bool:
    """Whether the schedule has the rules that were simulated; a draft may have changed since."""
    return simulation.rules == _as_data(values_of(schedule))


@job_handler(GO_ON, lease=timedelta(minutes=15))
def go_on(payload: Payload) -> None:
    """The partners that come next; what is found and how far it came are one transaction."""
    simulation = lock_row(FeeSimulation, FeeSimulation.id == int(payload["simulation_id"]))
    if simulation is None or simulation.finished_at is not None:
        return
    if simulation.last_partner_id != int(payload["after"]):
        return
    ids = [
        each
        for each in db.session.scalars(
            select(OrderLine.publisher_id)
            .where(OrderLine.publisher_id > simulation.last_partner_id)
            .distinct()
            .order_by(OrderLine.publisher_id)
            .limit(BATCH)
        )
        if each is not None
    ]
    if ids:
        _simulate(simulation, ids)
        simulation.last_partner_id = ids[-1]
        simulation.done += len(ids)
    if len(ids) == BATCH:
        db.session.flush()
        _enqueue(simulation)
        return
    simulation.finished_at, simulation.total = clock.now(), simulation.done


def effects_of(simulation: FeeSimulation) -> list[CurrencyEffect]:
    """What was found, by currency, the most sales first. Amounts in minor units."""
    difference = FeeSimulationPartner.after - FeeSimulationPartner.before
    counts = {
        currency: (count, int(losing), int(winning))
        for currency, count, losing, winning in db.session.execute(
            select(
                FeeSimulationPartner.currency,
                func.count(),
                func.sum(case((difference > 0, 1), else_=0)),
                func.sum(case((difference < 0, 1), else_=0)),
            )
            .where(FeeSimulationPartner.simulation_id == simulation.id)
            .group_by(FeeSimulationPartner.currency)
        )
    }
    found = []
    for currency, months in simulation.figures.items():
        effect = CurrencyEffect(currency=currency)
        effect.months = {month: Sums(*sums) for month, sums in sorted(months.items())}
        for sums in effect.months.values():
            effect.add(sums.base, sums.before, sums.after, sums.lines)
        effect.partners, effect.losing, effect.winning = counts.get(currency, (0, 0, 0))
        found.append(effect)
    return sorted(found, key=lambda each: (-each.lines, each.currency))


def page_of_partners(
    simulation: FeeSimulation, currency: str, page: int
) -> Page[FeeSimulationPartner]:
    """What it means for partners in a currency, the greatest difference either way first."""
    return paginate(
        select(FeeSimulationPartner)
        .where(
            FeeSimulationPartner.simulation_id == simulation.id,
            FeeSimulationPartner.currency == currency,
        )
        .order_by(
            func.abs(FeeSimulationPartner.after - FeeSimulationPartner.before).desc(),
            FeeSimulationPartner.partner_id,
        ),
        page=page,
        per_page=PER_PAGE,
    )


def _enqueue(simulation: FeeSimulation) -> None:
    after = simulation.last_partner_id
    enqueue(
        GO_ON,
        {"simulation_id": simulation.id, "after": after},
        dedupe_key=f"{GO_ON}:{simulation.id}:{after}",
    )


def _simulate(simulation: FeeSimulation, partner_ids: Sequence[int]) -> None:
    rules = [RuleValue(**each | {"kind": FeeKind(each["kind"])}) for each in simulation.rules["of"]]
    facts = partner_facts(partner_ids)
    months = {
        currency: {month: Sums(*sums) for month, sums in found.items()}
        for currency, found in simulation.figures.items()
    }
    partners: dict[tuple[int, str], Sums] = {}
    chosen: dict[tuple[int, str], RuleValue | None] = {}
    for row in _lines(partner_ids, simulation.since, simulation.until):
        key = (row.publisher_id, row.currency)
        if key not in chosen:
            chosen[key] = choose_rule(rules, FeeKind.SALE, facts[row.publisher_id], row.currency)
        rule = chosen[key]
        base = row.net_amount + row.discount_platform_amount - row.margin_amount
        after = fee_of(base, rule.bps, rule.fixed) if rule else 0
        month = months.setdefault(row.currency, {}).setdefault(f"{row.paid_at:%Y-%m}", Sums())
        month.add(base, row.fee_amount, after)
        partners.setdefault(key, Sums()).add(base, row.fee_amount, after)
    db.session.add_all(
        FeeSimulationPartner(
            simulation_id=simulation.id,
            partner_id=partner_id,
            partner_type=facts[partner_id].partner_type,
            currency=currency,
            **asdict(sums),
        )
        for (partner_id, currency), sums in partners.items()
    )
    simulation.figures = {
        currency: {
            month: [sums.lines, sums.base, sums.before, sums.after] for month, sums in found.items()
        }
        for currency, found in months.items()
    }


def _as_data(rules: Sequence[RuleValue]) -> dict[str, Any]:
    return {"of": [asdict(each) | {"kind": each.kind.value} for each in rules]}


def _lines(partner_ids: Sequence[int], since: datetime, until: datetime) -> Iterator[Any]:
    """Sales of these partners, some in memory at once."""
    yield from db.session.execute(
        select(
            OrderLine.publisher_id,
            Order.currency,
            Order.paid_at,
            OrderLine.net_amount,
            OrderLine.discount_platform_amount,
            OrderLine.margin_amount,
            OrderLine.fee_amount,
        )
        .join(Order, Order.id == OrderLine.order_id)
        .where(
            OrderLine.publisher_id.in_(partner_ids),
            Order.paid_at >= since,
            Order.paid_at < until,
            Order.kind != OrderKind.PROGRAM_FEE,
        )
        .execution_options(yield_per=_CHUNK)
    )
