"""Which schedule is in force, how the next one is drafted and published, what it would change."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask

from billing import fee_schedules
from billing.fee_schedules import RuleValue
from billing.fee_simulation import (
    effects_of,
    find_simulation,
    go_on,
    is_of,
    page_of_partners,
    start_simulation,
)
from billing.models import FeeKind, FeeRule, FeeSchedule, FeeSimulation, ScheduleState
from billing.partner_facts import PartnerFacts
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError
from tests.factories.desk import make_sale, make_schedule
from tests.factories.people import make_customer, make_organization

ANYBODY = PartnerFacts()
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def sale_fee(at: datetime, facts: PartnerFacts = ANYBODY, currency: str = "EUR") -> int | None:
    rule = fee_schedules.fee_rule_for(FeeKind.SALE, facts, currency, at)
    return rule.bps if rule else None


def of_sales(bps: int) -> FeeRule:
    return FeeRule(kind=FeeKind.SALE, bps=bps)


def test_without_any_schedule_there_is_no_fee(app: Flask) -> None:
    assert sale_fee(NOON) is None


def test_a_schedule_counts_from_its_day_until_the_next_ones(app: Flask) -> None:
    make_schedule(of_sales(2_000), effective_from=NOON)
    make_schedule(of_sales(1_500), effective_from=NOON + timedelta(days=10))
    second = timedelta(microseconds=1)
    assert sale_fee(NOON - second) is None
    assert sale_fee(NOON) == 2_000
    assert sale_fee(NOON + timedelta(days=10) - second) == 2_000
    assert sale_fee(NOON + timedelta(days=10)) == 1_500


def test_of_two_schedules_with_the_same_day_the_later_version_counts(app: Flask) -> None:
    make_schedule(of_sales(2_000), effective_from=NOON, version=8)
    make_schedule(of_sales(1_000), effective_from=NOON, version=7)
    assert sale_fee(NOON) == 2_000


def test_a_schedule_with_an_earlier_day_that_is_published_later_does_not_win(app: Flask) -> None:
    make_schedule(of_sales(2_000), effective_from=NOON, version=1)
    make_schedule(of_sales(1_000), effective_from=NOON - timedelta(days=5), version=2)
    assert sale_fee(NOON) == 2_000


def test_a_draft_takes_nothing(app: Flask) -> None:
    draft = fee_schedules.start_draft("Next", copy_of=None, by_user_id=None)
    fee_schedules.put_rule(draft, RuleValue(FeeKind.SALE, bps=9_000))
    assert sale_fee(clock.now() + timedelta(days=400)) is None


def test_a_draft_begins_as_a_copy_and_leaves_the_original_alone(app: Flask) -> None:
    original = make_schedule(of_sales(2_000))
    draft = fee_schedules.start_draft(" Next year ", copy_of=original, by_user_id=None)
    fee_schedules.put_rule(draft, RuleValue(FeeKind.SALE, bps=1_800), rule=draft.rules[0])
    assert draft.name == "Next year"
    assert draft.version == original.version + 1
    assert [rule.bps for rule in original.rules] == [2_000]
    assert fee_schedules.difference(
        fee_schedules.values_of(original), fee_schedules.values_of(draft)
    ) == [
        fee_schedules.RuleChange(
            RuleValue(FeeKind.SALE, bps=2_000), RuleValue(FeeKind.SALE, bps=1_800)
        )
    ]


def test_two_rules_for_the_same_are_refused(app: Flask) -> None:
    draft = fee_schedules.start_draft("Next", copy_of=None, by_user_id=None)
    fee_schedules.put_rule(draft, RuleValue(FeeKind.SALE, tier="gold", bps=1_000))
    with pytest.raises(InvalidError) as refused:
        fee_schedules.put_rule(draft, RuleValue(FeeKind.SALE, tier="gold", bps=900))
    assert "kind" in refused.value.fields


@pytest.mark.parametrize(
    ("value", "field"),
    [
        (RuleValue(FeeKind.SALE, bps=10_001), "bps"),
        (RuleValue(FeeKind.SALE, currency="XYZ"), "currency"),
        (RuleValue(FeeKind.SALE, fixed=30), "currency"),
        (RuleValue(FeeKind.LISTING, fixed=-5, currency="EUR"), "fixed"),
        (RuleValue(FeeKind.SALE, hold_days=999), "hold_days"),
    ],
)
def test_a_wrong_rule_is_refused_at_its_field(app: Flask, value: RuleValue, field: str) -> None:
    draft = fee_schedules.start_draft("Next", copy_of=None, by_user_id=None)
    with pytest.raises(InvalidError) as refused:
        fee_schedules.put_rule(draft, value)
    assert list(refused.value.fields) == [field]


def test_a_schedule_is_published_for_a_day_to_come_and_never_changes_after(app: Flask) -> None:
    draft = fee_schedules.start_draft("Next", copy_of=None, by_user_id=None)
    rule = fee_schedules.put_rule(draft, RuleValue(FeeKind.SALE, bps=1_500))
    day = clock.now() + timedelta(days=30)
    fee_schedules.publish_draft(draft, effective_from=day, by_user_id=7)
    assert draft.state is ScheduleState.PUBLISHED
    assert (sale_fee(clock.now()), sale_fee(day)) == (None, 1_500)
    for change in (
        lambda: fee_schedules.put_rule(draft, RuleValue(FeeKind.SALE, bps=1), rule=rule),
        lambda: fee_schedules.remove_rule(draft, rule),
        lambda: fee_schedules.describe_draft(draft, name="Other", note=""),
        lambda: fee_schedules.discard_draft(draft, by_user_id=None),
        lambda: fee_schedules.publish_draft(draft, effective_from=day, by_user_id=None),
    ):
        with pytest.raises(ConflictError):
            change()


def test_a_schedule_is_not_published_for_the_past(app: Flask) -> None:
    draft = fee_schedules.start_draft("Next", copy_of=None, by_user_id=None)
    fee_schedules.put_rule(draft, RuleValue(FeeKind.SALE, bps=1_500))
    with pytest.raises(InvalidError):
        fee_schedules.publish_draft(
            draft, effective_from=clock.now() - timedelta(seconds=1), by_user_id=None
        )


def test_a_schedule_that_forgets_somebodys_sales_is_not_published(app: Flask) -> None:
    draft = fee_schedules.start_draft("Next", copy_of=None, by_user_id=None)
    fee_schedules.put_rule(draft, RuleValue(FeeKind.SALE, tier="gold", bps=1_500))
    fee_schedules.put_rule(draft, RuleValue(FeeKind.SALE, currency="EUR", bps=1_500))
    with pytest.raises(InvalidError) as refused:
        fee_schedules.publish_draft(
            draft, effective_from=clock.now() + timedelta(days=1), by_user_id=None
        )
    assert "all partners" in refused.value.fields["effective_from"]


def test_a_draft_is_discarded_with_its_rules(app: Flask) -> None:
    draft = fee_schedules.start_draft("Next", copy_of=make_schedule(), by_user_id=None)
    fee_schedules.discard_draft(draft, by_user_id=None)
    assert db.session.query(FeeSchedule).count() == 1
    assert db.session.query(FeeRule).count() == 1


def simulated(
    rules: list[RuleValue], run_jobs: Callable[[], object], *, since: datetime, until: datetime
) -> FeeSimulation:
    draft = fee_schedules.start_draft("Tried", copy_of=None, by_user_id=None)
    for rule in rules:
        fee_schedules.put_rule(draft, rule)
    started = start_simulation(draft, 12, since=since, until=until, by_user_id=None)
    assert started.finished_at is None
    db.session.commit()
    run_jobs()
    found = find_simulation(draft.id, 12)
    assert found is not None
    assert found.finished_at is not None
    return found


def test_a_draft_is_simulated_on_past_sales(app: Flask, run_jobs: Callable[[], object]) -> None:
    customer = make_customer().id
    maker = make_organization("Quayside", partner_type="technology").id
    agency = make_organization("Tidal", partner_type="agency").id
    october, november = datetime(2026, 10, 3, tzinfo=UTC), datetime(2026, 11, 3, tzinfo=UTC)
    make_sale(maker, customer, amount=10_000, paid_at=october)
    make_sale(maker, customer, amount=333, paid_at=november)
    make_sale(agency, customer, amount=5_000, paid_at=november)
    make_sale(agency, customer, amount=1_000, currency="JPY", paid_at=november)
    make_sale(agency, customer, amount=70_000, paid_at=datetime(2026, 9, 30, tzinfo=UTC))
    found = simulated(
        [
            RuleValue(FeeKind.SALE, bps=2_500),
            RuleValue(FeeKind.SALE, partner_type="agency", bps=1_000),
        ],
        run_jobs,
        since=datetime(2026, 10, 1, tzinfo=UTC),
        until=datetime(2026, 12, 1, tzinfo=UTC),
    )
    euro, yen = effects_of(found)
    assert (euro.currency, euro.lines, euro.base) == ("EUR", 3, 15_333)
    # 20% of 10,000, 333 and 5,000; then 25% of the first two and 10% of the third.
    assert (euro.before, euro.after) == (2_000 + 67 + 1_000, 2_500 + 83 + 500)
    assert {month: (sums.before, sums.after) for month, sums in euro.months.items()} == {
        "2026-10": (2_000, 2_500),
        "2026-11": (1_067, 583),
    }
    page = page_of_partners(found, "EUR", 1)
    assert [(each.partner_id, each.difference) for each in page.items] == [
        (maker, 516),
        (agency, -500),
    ]
    assert (euro.partners, euro.losing, euro.winning) == (2, 1, 1)
    assert page.items[1].partner_type == "agency"
    assert (yen.currency, yen.before, yen.after) == ("JPY", 200, 100)


def test_a_simulation_goes_from_job_to_job_and_counts_every_line_once(
    app: Flask, run_jobs: Callable[[], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("billing.fee_simulation._CHUNK", 3)
    monkeypatch.setattr("billing.fee_simulation.BATCH", 2)
    customer = make_customer().id
    makers = [make_organization(f"Maker {number}").id for number in range(5)]
    for maker in makers:
        for _ in range(4):
            make_sale(maker, customer, paid_at=NOON)
    found = simulated(
        [RuleValue(FeeKind.SALE, bps=1_000)],
        run_jobs,
        since=NOON,
        until=NOON + timedelta(days=1),
    )
    assert (found.done, found.total) == (5, 5)
    (euro,) = effects_of(found)
    assert (euro.lines, euro.before, euro.after) == (20, 40_000, 20_000)
    # A job that comes twice changes nothing.
    go_on({"simulation_id": found.id, "after": 0})
    assert found.done == 5


def test_one_simulation_of_a_schedule_is_kept(app: Flask) -> None:
    draft = fee_schedules.start_draft("Next", copy_of=make_schedule(), by_user_id=None)
    now = clock.now()

    def start() -> FeeSimulation:
        return start_simulation(
            draft, 3, since=now - timedelta(days=60), until=now, by_user_id=None
        )

    first = start()
    assert start().id == first.id
    fee_schedules.put_rule(draft, RuleValue(FeeKind.SALE, currency="EUR", bps=1_500))
    db.session.refresh(draft)
    assert not is_of(first, draft)
    second = start()
    assert is_of(second, draft)
    assert db.session.query(FeeSimulation).count() == 1
    fee_schedules.discard_draft(draft, by_user_id=None)
    assert db.session.query(FeeSimulation).count() == 0
