"""Replays: by the policies that were in force they come to the tiers that partners really had."""

import itertools
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.unit_of_work import roll_back, unit_of_work
from marketplace.identity.models import Organization
from marketplace.program.measures import Measure, measure
from marketplace.program.policy.document import Policy
from marketplace.program.policy.live import forget_current_policy
from marketplace.program.scorecards.days import Grid, PartnerValues, reach_of, values_by_day
from marketplace.program.scorecards.evaluating import values_of
from marketplace.program.scorecards.loading import series_of
from marketplace.program.scorecards.models import (
    Replay,
    ReplayDifference,
    ReplayMove,
    ReplayState,
    ReplayTrack,
)
from marketplace.program.scorecards.pasts import pasts_of, published_versions
from marketplace.program.scorecards.queries import standing_of
from marketplace.program.scorecards.replaying import compiled, live_through, schedule_of
from marketplace.program.scorecards.rules import earned_tier, points_of
from marketplace.program.scorecards.services import replays
from marketplace.program.scorecards.services.evaluation import evaluate_batch, evaluate_midnight
from marketplace.program.scorecards.services.overriding import hold_tier
from marketplace.program.scorecards.services.replays import (
    discard_replay,
    months_before,
    start_replay,
    stop_replay,
)
from marketplace.program.standing.joining import join
from marketplace.program.standing.models import Evaluation, StandingMove
from marketplace.program.standing.reading import IN_FORCE
from tests.factories.people import make_organization, make_user
from tests.factories.program import make_policy, make_standing, policy_document
from tests.parts import examples

DAY_0 = datetime(2026, 3, 1, tzinfo=UTC)
NUMBERS = itertools.count()
LOOSE = settings(
    max_examples=examples(25),
    deadline=None,
    # Examples are whole histories: shrinking one takes minutes.
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
METRICS: list[dict[str, Any]] = [
    {"key": "revenue", "name": "Revenue", "measure": "net_revenue", "unit": "money", "points": 1,
     "per": 100, "cap": 40, "window_days": 9},
    {"key": "people", "name": "People", "measure": "certified_people", "how": "level",
     "window_days": None, "points": 10, "cap": 40},
    {"key": "rating", "name": "Rating", "measure": "rating", "how": "average", "window_days": 6},
    {"key": "answers", "name": "Answers", "measure": "response_minutes", "how": "count",
     "window_days": 4, "points": 3},
    {"key": "evidence", "name": "Evidence", "measure": "evidence", "how": "age",
     "higher_is_better": False},
]  # fmt: skip
MEASURES = ("net_revenue", "certified_people", "rating", "response_minutes", "evidence")


def document(silver: int, gold: int, grace: int, rating: int | None, fresh: int) -> dict[str, Any]:
    asked: list[dict[str, Any]] = [
        {"metric": "evidence", "threshold": fresh, "types": ["reseller"]}
    ]
    if rating is not None:
        asked.append({"metric": "rating", "threshold": rating})
    kinds = policy_document()["types"]
    return policy_document(
        metrics=METRICS,
        grace_days=grace,
        types=[{**kinds[0], "provisional_days": 12}, *kinds[1:]],
        tiers=[
            {"key": "registered", "name": "Registered"},
            {"key": "silver", "name": "Silver", "points": silver, "yearly_cost": 1_000},
            {"key": "gold", "name": "Gold", "points": gold, "requirements": asked,
             "yearly_cost": 5_000},
        ],
    )  # fmt: skip


documents = st.builds(
    document,
    silver=st.integers(0, 30),
    gold=st.integers(10, 60),
    grace=st.integers(0, 5),
    rating=st.none() | st.integers(200, 450),
    fresh=st.integers(1, 12),
)
moments = st.integers(0, 86_399).map(lambda second: timedelta(seconds=second))
measuring = st.tuples(
    st.just("measure"),
    st.integers(0, 1),
    st.sampled_from(MEASURES),
    st.integers(-300, 900),
    st.sampled_from(["EUR", "USD", "GBP", ""]),
    # Some ends are written ahead.
    st.sampled_from([timedelta(0), timedelta(0), timedelta(days=3), timedelta(days=8, hours=5)]),
)
acts = st.one_of(
    measuring,
    measuring,
    measuring,
    st.tuples(st.just("publish"), documents),
    st.tuples(st.just("hold"), st.integers(0, 1), st.sampled_from(["silver", "gold"]),
              st.integers(0, 4), moments),
    st.tuples(st.just("type"), st.integers(0, 1), st.sampled_from(["technology", "reseller"])),
)  # fmt: skip
days = st.lists(st.lists(st.tuples(moments, acts), max_size=3), min_size=12, max_size=28)


def act_out(partners: Sequence[Organization], act: tuple[Any, ...]) -> None:
    match act:
        case ("measure", place, what, amount, currency, ahead):
            measure(
                partners[place].id, Measure(what), amount, key=f"p{next(NUMBERS)}",
                source=("test", 1), at=clock.now() + ahead,
                currency=currency if what == "net_revenue" else "",
            )  # fmt: skip
        case ("publish", words):
            make_policy(words, effective_at=clock.now())
        case ("hold", place, tier, for_days, at):
            until = clock.now().replace(hour=0, minute=0, second=0) + timedelta(days=for_days) + at
            standing = standing_of(partners[place].id)
            if standing is not None and standing.state in IN_FORCE and until > clock.now():
                with suppress(ConflictError):
                    hold_tier(
                        partners[place].id, tier, reason="x", expires_at=until, by_user_id=None
                    )
        case ("type", place, kind):
            partners[place].partner_type = kind
            db.session.flush()


def tiers_now(partners: Sequence[Organization]) -> list[str]:
    found = []
    for each in partners:
        standing = standing_of(each.id)
        found.append(standing.tier if standing and standing.state in IN_FORCE else "")
    return found


def replayed(
    partners: Sequence[Organization], first: datetime, last: datetime
) -> list[tuple[str, ...]]:
    """The tiers of each partner at each midnight by the policies that were in force."""
    published = published_versions(last)
    grid = Grid(first, (last - first).days, reach_of([each.policy for each in published]))
    ids = sorted(each.id for each in partners)
    series = series_of(ids, [each.value for each in Measure], grid)
    schedule = schedule_of([(each.effective_at, each.policy) for each in published], grid)
    pasts = pasts_of(ids, published, grid, whole_period=False)
    lives = [
        live_through(
            past, schedule, PartnerValues(series.get(past.organization_id, {}), grid), recorded=True
        )
        for past in pasts
    ]
    return list(zip(*(life.tiers for life in lives), strict=True))


@LOOSE
@given(documents, days, st.integers(0, 11))
def test_by_the_live_policies_a_replay_comes_to_the_live_tiers(
    app: Flask, words: dict[str, Any], plan: list[list[tuple[timedelta, Any]]], begin: int
) -> None:
    nothing = [[] for _day in plan]
    lives_and_replays_alike(words, plan, nothing, begin)


# All that happens on a day happens at noon; evaluations come before it, after it, or both.
NOON = timedelta(hours=12)
noons = st.lists(
    st.lists(st.tuples(st.just(NOON), acts.map(lambda act: _at_noon(act))), max_size=3),
    min_size=12,
    max_size=28,
)
looks = st.lists(
    st.integers(1, 86_399).filter(lambda second: second != 43_200).map(
        lambda second: timedelta(seconds=second)
    ),
    max_size=2,
)  # fmt: skip


def _at_noon(act: tuple[Any, ...]) -> tuple[Any, ...]:
    """The act, with what it writes ahead at noon too."""
    if act[0] == "measure":
        return (*act[:-1], timedelta(days=act[-1].days))
    return (*act[:-1], NOON) if act[0] == "hold" else act


def certified(amount: int) -> tuple[timedelta, Any]:
    """The first partner has so many more certified people; each gives 10 points."""
    return NOON, ("measure", 0, "certified_people", amount, "", timedelta(0))


# Silver is lost on the fifth day, and that is found on the same day.
LOST: tuple[Any, ...] = (
    document(silver=10, gold=60, grace=2, rating=None, fresh=1),
    [[certified(1)], [], [], [], [certified(-1)], [], [], [], [], [], [], []],
    [[timedelta(hours=15)] if day == 4 else [] for day in range(28)],
    0,
)


@LOOSE
@example(*LOST)
@given(documents, noons, st.lists(looks, min_size=28, max_size=28), st.integers(0, 11))
def test_how_often_one_looks_within_a_day_changes_no_tier_at_its_end(
    app: Flask,
    words: dict[str, Any],
    plan: list[list[tuple[timedelta, Any]]],
    looked: list[list[timedelta]],
    begin: int,
) -> None:
    lives_and_replays_alike(words, plan, looked, begin)


def lives_and_replays_alike(
    words: dict[str, Any],
    plan: Sequence[list[tuple[timedelta, Any]]],
    looked: Sequence[list[timedelta]],
    begin: int,
) -> None:
    """Partners are evaluated at each midnight, which is looked at a while later, and at what is
    `looked` of each day; a replay of the midnights comes to the same tiers."""
    try:
        with clock.frozen(DAY_0 - timedelta(hours=12)):
            make_policy(words, effective_at=clock.now() - timedelta(days=30))
            partners = [make_organization("One"), make_organization("Two", partner_type="reseller")]
            join(partners[0], by_user_id=None)
        ids = [each.id for each in partners]
        real: list[tuple[str, ...]] = []
        past: tuple[list[Any], list[Any]] = ([], [])
        for day, planned in enumerate(plan):
            midnight = DAY_0 + timedelta(days=day)
            with clock.frozen(midnight + timedelta(milliseconds=day % 2)):
                evaluate_midnight(ids)
                real.append(tuple(tiers_now(partners)))
            # What was decided stays as it was, whatever is published later.
            decided = decisions()
            assert decided[0][: len(past[0])] == past[0]
            assert decided[1][: len(past[1])] == past[1]
            past = decided
            todo = [(offset + timedelta(milliseconds=1), act) for offset, act in planned]
            todo += [(offset, ("look",)) for offset in looked[day]]
            for offset, act in sorted(todo, key=lambda each: each[0]):
                with clock.frozen(midnight + offset):
                    if act == ("look",):
                        evaluate_batch(ids)
                        continue
                    if day == 3 and standing_of(partners[1].id) is None:
                        join(partners[1], by_user_id=None)
                    act_out(partners, act)
        last = DAY_0 + timedelta(days=len(plan) - 1)
        first = DAY_0 + timedelta(days=begin)
        with clock.frozen(last):
            again = replayed([each for each in partners if standing_of(each.id)], first, last)
        expected = [
            tuple(tier for tier, each in zip(row, partners, strict=True) if standing_of(each.id))
            for row in real[begin:]
        ]
        assert again == expected
    finally:
        roll_back(db.session())
        forget_current_policy()


def decisions() -> tuple[list[Any], list[Any]]:
    """Evaluations and moves as they stand, in the order in which they were made."""
    evaluations = db.session.execute(
        select(
            Evaluation.id,
            Evaluation.policy_id,
            Evaluation.points,
            Evaluation.earned_tier,
            Evaluation.at,
        ).order_by(Evaluation.id)
    )
    moves = db.session.execute(
        select(
            StandingMove.id, StandingMove.kind, StandingMove.to_tier, StandingMove.reason
        ).order_by(StandingMove.id)
    )
    return list(evaluations.all()), list(moves.all())


@LOOSE
@given(
    documents,
    st.lists(st.tuples(st.sampled_from(MEASURES), st.integers(-300, 900),
                       st.sampled_from(["EUR", "USD", "JPY"]), st.integers(0, 20 * 86_400)),
             max_size=25),
    st.randoms(use_true_random=False),
)  # fmt: skip
def test_a_replay_values_each_midnight_as_an_evaluation_does_in_whatever_order(
    app: Flask, words: dict[str, Any], rows: list[tuple[str, int, str, int]], random: Any
) -> None:
    policy = Policy.model_validate(words)
    try:
        one, other = make_organization("One").id, make_organization("Other").id
        shuffled = list(rows)
        random.shuffle(shuffled)
        for organization_id, order in ((one, rows), (other, shuffled)):
            for what, amount, currency, second in order:
                at = DAY_0 - timedelta(days=10) + timedelta(seconds=second - second % 3_600)
                measure(
                    organization_id, Measure(what), amount, key=f"v{next(NUMBERS)}",
                    source=("test", 1), at=at, currency=currency if what == "net_revenue" else "",
                )  # fmt: skip
        grid = Grid(DAY_0, 12, reach_of([policy]))
        series = series_of([one, other], list(MEASURES), grid)
        for day in range(grid.days + 1):
            live = values_of([one, other], policy, grid.moment(day))
            assert dict(live[one]) == dict(live[other])
            for metric in policy.metrics:
                for each in (one, other):
                    own = values_by_day(policy, metric, series.get(each, {}), grid)
                    assert own[day] == live[each][metric.key], (metric.key, day)
            row = tuple(live[one][metric.key] for metric in policy.metrics)
            for kind in ("technology", "reseller", None):
                assert compiled(policy, kind)(row) == (
                    earned_tier(policy, kind, live[one]),
                    points_of(policy, live[one]),
                )
    finally:
        roll_back(db.session())


def finish(run_jobs: Callable[[], int]) -> Replay:
    run_jobs()
    db.session.rollback()
    return db.session.scalars(select(Replay)).one()


def draft_of(**changes: Any) -> Policy:
    return Policy.model_validate(policy_document(**changes))


def test_a_replay_says_who_moves_when_and_what_it_costs(
    app: Flask, run_jobs: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replays, "BATCH", 2)
    metrics = [{"key": "deals", "name": "Deals", "measure": "deals_won", "points": 1,
                "window_days": None}]  # fmt: skip
    tiers = [
        {"key": "registered", "name": "Registered"},
        {"key": "silver", "name": "Silver", "points": 50, "yearly_cost": 10_000},
    ]
    now = datetime(2026, 6, 10, 15, tzinfo=UTC)
    with clock.frozen(now):
        make_policy(metrics=metrics, tiers=tiers, effective_at=now - timedelta(days=500))
        partners = [make_organization(f"Partner {number}") for number in range(5)]
        for number, each in enumerate(partners):
            make_standing(
                each, "silver" if number >= 3 else "registered",
                joined_at=now - timedelta(days=400),
            )  # fmt: skip
            measure(each.id, Measure.DEALS_WON, 10 * (number + 1) + 10, key=f"d{number}",
                    source=("deal", number), at=datetime(2026, 4, 20, 9, tzinfo=UTC))  # fmt: skip
        draft = draft_of(metrics=metrics, tiers=[tiers[0], {**tiers[1], "points": 30}])
        start_replay(
            draft, name="Easier", version_id=None, months=3, whole_period=False, by_user_id=None
        )
        db.session.commit()
        found = finish(run_jobs)
    assert (found.state, found.done, found.total) == (ReplayState.DONE, 5, 5)
    assert found.starts_at == datetime(2026, 3, 1, tzinfo=UTC)
    figures = found.figures
    assert figures["months"] == ["2026-03", "2026-04", "2026-05", "2026-06"]
    # Partners 3 and 4 begin as silver, lose it after the grace of March, and earn it in April.
    assert figures["live"]["silver"] == [0, 2, 2, 2]
    assert figures["draft"]["silver"] == [0, 4, 4, 4]
    assert figures["draft_cost"] == [0, 40_000, 40_000, 40_000]
    assert figures["live_cost"] == [0, 20_000, 20_000, 20_000]
    assert (figures["up"], figures["down"], figures["agree"], figures["compared"]) == (2, 0, 5, 5)
    differences = db.session.scalars(select(ReplayDifference)).all()
    assert [(row.live_tier, row.draft_tier, row.points) for row in differences] == [
        ("registered", "silver", 30), ("registered", "silver", 40),
    ]  # fmt: skip
    promoted = db.session.scalars(
        select(ReplayMove.at).where(
            ReplayMove.track == ReplayTrack.DRAFT, ReplayMove.kind == "promoted"
        )
    ).all()
    assert set(promoted) >= {datetime(2026, 4, 21, tzinfo=UTC)}
    # Nothing of it has happened.
    assert db.session.scalar(select(func.count()).select_from(StandingMove)) == 0


def test_a_replay_goes_on_where_a_killed_worker_stopped_and_counts_nobody_twice(
    app: Flask, run_jobs: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replays, "BATCH", 2)
    make_policy()
    for number in range(5):
        make_standing(make_organization(f"P{number}"), joined_at=clock.now() - timedelta(days=99))
    start_replay(
        draft_of(), name="x", version_id=None, months=1, whole_period=True, by_user_id=None
    )
    db.session.commit()
    really, calls = replays.live_through, []

    def killed_once(*args: Any, **options: Any) -> Any:
        calls.append(args)
        if len(calls) == 6:
            raise KeyboardInterrupt
        return really(*args, **options)

    monkeypatch.setattr(replays, "live_through", killed_once)
    with pytest.raises(KeyboardInterrupt):
        run_jobs()
    db.session.rollback()
    assert db.session.scalars(select(Replay.done)).one() == 2
    with clock.frozen(clock.now() + timedelta(hours=2)):
        found = finish(run_jobs)
        # A job that is told again changes nothing.
        with unit_of_work():
            replays.go_on({"replay_id": found.id, "after": 0})
    found = db.session.scalars(select(Replay)).one()
    assert (found.state, found.done) == (ReplayState.DONE, 5)
    assert sum(counts[-1] for counts in found.figures["draft"].values()) == 5


def test_a_replay_can_be_stopped_and_deleted(app: Flask, run_jobs: Callable[[], int]) -> None:
    make_policy()
    make_standing(make_organization())
    replay = start_replay(
        draft_of(), name="x", version_id=None, months=1, whole_period=False, by_user_id=None
    )
    db.session.commit()
    with pytest.raises(ConflictError):
        discard_replay(replay, by_user_id=None)
    assert stop_replay(replay, by_user_id=None)
    assert not stop_replay(replay, by_user_id=None)
    db.session.commit()
    run_jobs()
    assert db.session.scalars(select(Replay.state)).one() is ReplayState.STOPPED
    discard_replay(db.session.scalars(select(Replay)).one(), by_user_id=None)
    assert db.session.scalars(select(Replay)).all() == []


def test_too_many_replays_and_odd_months_are_refused(app: Flask) -> None:
    make_policy()
    for months in (0, 25):
        with pytest.raises(InvalidError):
            start_replay(
                draft_of(), name="x", version_id=None, months=months, whole_period=False,
                by_user_id=None,
            )  # fmt: skip
    for _ in range(3):
        start_replay(
            draft_of(), name="x", version_id=None, months=1, whole_period=False, by_user_id=None
        )
    with pytest.raises(ConflictError):
        start_replay(
            draft_of(), name="x", version_id=None, months=1, whole_period=False, by_user_id=None
        )


def test_the_same_replay_is_not_begun_twice_by_one_person(app: Flask) -> None:
    make_policy()
    ada, ben = make_user(), make_user()
    begun = [
        start_replay(
            draft_of(), name="x", version_id=None, months=months, whole_period=False, by_user_id=who
        ).id
        for who, months in ((ada.id, 1), (ada.id, 1), (ada.id, 2), (ben.id, 1))
    ]
    assert begun[0] == begun[1]
    assert len(set(begun)) == 3


def test_a_program_without_partners_can_be_replayed(
    app: Flask, run_jobs: Callable[[], int]
) -> None:
    make_policy()
    start_replay(
        draft_of(), name="x", version_id=None, months=2, whole_period=False, by_user_id=None
    )
    db.session.commit()
    found = finish(run_jobs)
    assert found.state is ReplayState.DONE
    assert len(found.figures["months"]) in {2, 3}


@pytest.mark.parametrize(
    ("months", "begins"), [(1, (2026, 2)), (3, (2025, 12)), (12, (2025, 3)), (24, (2024, 3))]
)
def test_a_replay_begins_with_a_month(months: int, begins: tuple[int, int]) -> None:
    found = months_before(datetime(2026, 3, 31, tzinfo=UTC), months)
    assert (found.year, found.month, found.day) == (*begins, 1)
