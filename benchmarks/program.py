"""The program: evaluating all partners, and replaying a year, against bare SQL over the same rows.

    python -m benchmarks.program

Prints a table and keeps the figures as JSON in benchmarks/results/. BENCH_PARTNERS (10,000) and
BENCH_MEASUREMENTS (2,000,000) choose the size, BENCH_DATABASE_URL another database than SQLite
(it is emptied). The floor of an evaluation is one GROUP BY over all measurements by partner,
measure and currency; that of a replay the same by day. The exit status is 1 when an aim is missed.
"""

import json
import logging
import os
import platform
import random
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
PARTNERS = int(os.environ.get("BENCH_PARTNERS", "10000"))
MEASUREMENTS = int(os.environ.get("BENCH_MEASUREMENTS", "2000000"))
CHUNK = 2_000
DAYS = 730
MONTHS = 12
# How often a partner is measured by what, of a hundred times; and with which amounts.
MIX = (
    ("net_revenue", 40, (1_000, 60_000)),
    ("deals_won", 20, (1, 1)),
    ("certified_people", 5, (-1, 1)),
    ("installs", 20, (-1, 1)),
    ("rating", 10, (100, 500)),
    ("response_minutes", 5, (1, 3_000)),
)
# The aims: so many times the bare SQL, at most; and megabytes of the whole process.
AIM_EVALUATION, AIM_REPLAY, AIM_MEGABYTES = 8.0, 10.0, 500


def main() -> int:
    """Measure, print, keep; the exit status is 1 when an aim is missed."""
    with tempfile.TemporaryDirectory(prefix="portico-bench-") as folder:
        url = os.environ.get("BENCH_DATABASE_URL") or f"sqlite:///{folder}/portico.db"
        os.environ |= {
            "PORTICO_ENV": "demo",
            "DATA_DIR": folder,
            "DATABASE_URL": url,
            "PUBLIC_URL": "http://127.0.0.1:8000",
            "SECRET_KEY": "a-key-for-measuring-that-guards-nothing",
            "MAIL_BACKEND": "file",
            "REDIS_URL": "",
            "MEILISEARCH_URL": "",
            "OIDC_PROVIDERS": "",
        }
        from marketplace.app import create_app
        from marketplace.core.database import db

        logging.disable(logging.CRITICAL)
        app = create_app()
        with app.app_context():
            db.drop_all()
            db.create_all()
            found = _measure(db.engine.dialect.name)
            db.session.remove()
            if "BENCH_DATABASE_URL" in os.environ:
                db.drop_all()
    at = datetime.now(UTC).isoformat(timespec="seconds")
    result = {
        "measured_at": at,
        "machine": {
            "processors": os.cpu_count(),
            "python": platform.python_version(),
            "load": round(os.getloadavg()[0], 1),
            "seconds_are": "of this process" if os.environ.get("BENCH_CPU") else "on the clock",
        },
        "program": found,
    }
    RESULTS.mkdir(parents=True, exist_ok=True)
    path = RESULTS / f"program-{at.replace(':', '').replace('+0000', 'Z')}.json"
    path.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    for key, value in found.items():
        shown = value if isinstance(value, str) else f"{value:,}"
        print(key.replace("_", " ").ljust(40) + shown.rjust(26))
    print(f"\nWritten to {path.name}")
    return 0 if not found["missed"] else 1


def _measure(database: str) -> dict[str, Any]:
    at = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    written = _seconds(lambda: _fill(at))
    before = _megabytes()
    floor = _best(lambda: _bare(at, by_day=False))
    first = _seconds(_evaluate_everybody)
    again = _best(_evaluate_everybody, rounds=2)
    after_evaluation = _megabytes()
    day_floor = _best(lambda: _bare(at, by_day=True))
    replay = _seconds(_replay)
    after_replay = _megabytes()
    missed = [
        name
        for name, value, aim in (
            ("evaluation", again / floor, AIM_EVALUATION),
            ("replay", replay / day_floor, AIM_REPLAY),
            ("memory", after_replay, AIM_MEGABYTES),
        )
        if value > aim
    ]
    return {
        "database": database,
        "partners": PARTNERS,
        "measurements": MEASUREMENTS,
        "rows_written_per_second": round(MEASUREMENTS / written),
        "bare_sums_seconds": round(floor, 2),
        "first_evaluation_seconds": round(first, 2),
        "evaluation_seconds": round(again, 2),
        "evaluation_to_bare_sums": round(again / floor, 1),
        "evaluations_per_second": round(PARTNERS / again),
        "bare_sums_by_day_seconds": round(day_floor, 2),
        "replay_seconds": round(replay, 2),
        "replay_to_bare_sums_by_day": round(replay / day_floor, 1),
        "replayed_days_per_second": round(2 * PARTNERS * 365 / replay),
        "megabytes_before": before,
        "megabytes_after_evaluations": after_evaluation,
        "megabytes_after_replay": after_replay,
        "aims": f"at most {AIM_EVALUATION:.0f}, {AIM_REPLAY:.0f} times, {AIM_MEGABYTES} MB",
        "missed": ", ".join(missed),
    }


def _now() -> float:
    """Seconds. BENCH_CPU=1 counts this process's own time, on a machine that others use too."""
    return time.process_time() if os.environ.get("BENCH_CPU") else time.perf_counter()


def _seconds(act: Callable[[], object]) -> float:
    begun = _now()
    act()
    return _now() - begun


def _best(act: Callable[[], object], rounds: int = 3) -> float:
    return min(_seconds(act) for _ in range(rounds))


def _megabytes() -> int:
    """The most memory that this process has had so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def _fill(at: datetime) -> None:
    """A policy, partners with standings, and their measurements of two years."""
    from sqlalchemy import insert

    from billing.public_ids import new_public_id
    from marketplace.core.database import db
    from marketplace.core.unit_of_work import unit_of_work
    from marketplace.identity.models import Organization, OrganizationKind
    from marketplace.program.policy.models import PolicyState, PolicyVersion
    from marketplace.program.standing.models import Standing, StandingState

    policy = _policy(250)
    with unit_of_work():
        db.session.add(
            PolicyVersion(
                public_id=new_public_id("pol"),
                number=1,
                state=PolicyState.PUBLISHED,
                name="One",
                document=policy.as_data(),
                digest=policy.digest(),
                effective_at=at - timedelta(days=DAYS),
                published_at=at - timedelta(days=DAYS),
            )
        )
        db.session.execute(
            insert(Organization),
            [
                {
                    "id": number,
                    "slug": f"partner-{number}",
                    "name": f"Partner {number}",
                    "kind": OrganizationKind.PARTNER,
                    "partner_type": "technology",
                }
                for number in range(1, PARTNERS + 1)
            ],
        )
        db.session.execute(
            insert(Standing),
            [
                {
                    "organization_id": number,
                    "state": StandingState.ACTIVE,
                    "tier": "registered",
                    "joined_at": at - timedelta(days=DAYS),
                    "points": 0,
                }
                for number in range(1, PARTNERS + 1)
            ],
        )
    _write_measurements(at)


def _write_measurements(at: datetime) -> None:
    from marketplace.core.database import db

    sqlite = db.engine.dialect.name == "sqlite"
    marks = ", ".join("?" * 9 if sqlite else ["%s"] * 9)
    statement = (
        "INSERT INTO measurement (organization_id, measure, amount, currency, counts_at, "  # noqa: S608 - marks alone
        f"recorded_at, source_type, source_id, idempotency_key) VALUES ({marks})"
    )
    connection = db.engine.raw_connection()
    cursor = connection.cursor()
    chunk: list[tuple[Any, ...]] = []
    for row in _rows(at, sqlite):
        chunk.append(row)
        if len(chunk) == CHUNK:
            cursor.executemany(statement, chunk)
            connection.commit()
            chunk = []
    cursor.executemany(statement, chunk)
    cursor.execute("ANALYZE")
    connection.commit()
    connection.close()


def _rows(at: datetime, sqlite: bool) -> Iterator[tuple[Any, ...]]:
    chance = random.Random(20_26)  # the same rows each time
    names = [name for name, weight, _range in MIX for _ in range(weight)]
    ranges = {name: amounts for name, _weight, amounts in MIX}
    recorded = _moment(at, sqlite)
    for number in range(MEASUREMENTS):
        name = names[chance.randrange(100)]
        moment = at - timedelta(seconds=chance.randrange(DAYS * 86_400))
        currency = ("EUR" if chance.random() < 0.7 else "USD") if name == "net_revenue" else ""
        yield (
            1 + number % PARTNERS,
            name,
            chance.randint(*ranges[name]),
            currency,
            _moment(moment, sqlite),
            recorded,
            "bench",
            str(number),
            f"bench:{number}",
        )


def _moment(moment: datetime, sqlite: bool) -> Any:
    """A moment as the database driver takes it."""
    return moment.strftime("%Y-%m-%d %H:%M:%S.%f") if sqlite else moment


def _policy(gold: int) -> Any:
    from marketplace.program.policy.document import Policy

    return Policy.model_validate(
        {
            "name": "Measured",
            "currency": "EUR",
            "rates": {"USD": 900_000},
            "types": [{"key": "technology", "name": "Technology partner"}],
            "tiers": [
                {"key": "registered", "name": "Registered"},
                {"key": "silver", "name": "Silver", "points": 120, "yearly_cost": 100_000},
                {
                    "key": "gold",
                    "name": "Gold",
                    "points": gold,
                    "yearly_cost": 500_000,
                    "requirements": [
                        {"metric": "rating", "threshold": 250},
                        {"metric": "revenue", "threshold": 900_000},
                    ],
                },
            ],
            "metrics": [
                {
                    "key": "revenue",
                    "name": "Net revenue",
                    "measure": "net_revenue",
                    "unit": "money",
                    "points": 1,
                    "per": 10_000,
                    "cap": 200,
                },
                {"key": "deals", "name": "Deals", "measure": "deals_won", "points": 3},
                {
                    "key": "people",
                    "name": "Certified people",
                    "measure": "certified_people",
                    "how": "level",
                    "window_days": None,
                    "points": 5,
                },
                {
                    "key": "installs",
                    "name": "Installations",
                    "measure": "installs",
                    "how": "level",
                    "window_days": None,
                    "points": 1,
                },
                {"key": "rating", "name": "Rating", "measure": "rating", "how": "average"},
                {
                    "key": "answers",
                    "name": "Answer time",
                    "measure": "response_minutes",
                    "how": "average",
                    "window_days": 180,
                    "higher_is_better": False,
                },
            ],
        }
    )


def _bare(at: datetime, *, by_day: bool) -> int:
    """One statement over the same rows, fetched whole; how many groups there are."""
    from sqlalchemy import text

    from marketplace.core.database import db

    sqlite = db.engine.dialect.name == "sqlite"
    day = "substr(counts_at, 1, 10)" if sqlite else "(counts_at AT TIME ZONE 'UTC')::date"
    more = f", {day}" if by_day else ""
    columns = f"organization_id, measure, currency{more}"
    statement = text(
        f"SELECT {columns}, SUM(amount), COUNT(*) FROM measurement "  # noqa: S608 - our own words
        f"WHERE counts_at <= :at GROUP BY {columns}"
    )
    groups = 0
    with db.engine.connect() as connection:
        for part in connection.execute(statement, {"at": _moment(at, sqlite)}).partitions(10_000):
            groups += len(part)
    return groups


def _evaluate_everybody() -> None:
    """All batches of a night, each in a transaction of its own, as its jobs run."""
    from marketplace.core.database import db
    from marketplace.core.unit_of_work import unit_of_work
    from marketplace.program.scorecards.jobs import BATCH
    from marketplace.program.scorecards.services.evaluation import evaluate_batch

    for first in range(1, PARTNERS + 1, BATCH):
        with unit_of_work():
            evaluate_batch(range(first, min(first + BATCH, PARTNERS + 1)))
        db.session.remove()


def _replay() -> None:
    """A replay of a year, batch by batch, as its jobs run."""
    from sqlalchemy import select

    from marketplace.core.database import db
    from marketplace.core.unit_of_work import unit_of_work
    from marketplace.program.scorecards.models import Replay, ReplayState
    from marketplace.program.scorecards.services.replays import go_on, start_replay

    with unit_of_work():
        replay_id = start_replay(
            _policy(200),
            name="Easier",
            version_id=None,
            months=MONTHS,
            whole_period=False,
            by_user_id=None,
        ).id
    while True:
        with unit_of_work():
            state, last = db.session.execute(
                select(Replay.state, Replay.last_organization_id).where(Replay.id == replay_id)
            ).one()
            if state is not ReplayState.RUNNING:
                return
            go_on({"replay_id": replay_id, "after": last})
        db.session.remove()


if __name__ == "__main__":
    sys.exit(main())
