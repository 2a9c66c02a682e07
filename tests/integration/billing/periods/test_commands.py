"""`flask billing …` from a terminal."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from billing.models import Period
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.identity.models import Role
from tests.factories.people import make_member, make_platform, make_user
from tests.factories.reconciliation import NOW, ListedStripe, listed_stripe, make_charged_order


@pytest.fixture
def stripe(app: Flask) -> Iterator[ListedStripe]:
    with clock.frozen(NOW), listed_stripe() as found:
        yield found


def test_reconcile_says_what_it_did_and_exits_by_the_breaks(
    app: Flask, stripe: ListedStripe
) -> None:
    make_charged_order(stripe)
    db.session.commit()
    done = app.test_cli_runner().invoke(args=["billing", "reconcile"])
    assert done.exit_code == 0, done.output
    assert "1 read, 2 matched" in done.output
    make_charged_order(stripe, book=False)
    db.session.commit()
    done = app.test_cli_runner().invoke(args=["billing", "reconcile", "--whole"])
    assert done.exit_code == 1
    assert "1 break is open" in done.output


def test_reconcile_that_stripe_does_not_answer_can_go_on(app: Flask, stripe: ListedStripe) -> None:
    make_charged_order(stripe)
    db.session.commit()
    stripe.fails_after = 0
    done = app.test_cli_runner().invoke(args=["billing", "reconcile"])
    assert done.exit_code == 1
    assert "Run it again to go on" in done.output
    stripe.fails_after = None
    assert app.test_cli_runner().invoke(args=["billing", "reconcile"]).exit_code == 0


def test_close_says_what_is_missing_and_closes_when_nothing_is(
    app: Flask, stripe: ListedStripe
) -> None:
    make_charged_order(stripe)
    person, other = make_member(make_platform(), Role.FINANCE), make_user()
    db.session.commit()
    run = app.test_cli_runner().invoke
    assert run(args=["billing", "close", "october"]).exit_code == 2
    done = run(args=["billing", "close", "2026-10", "--check"])
    assert done.exit_code == 1
    assert "NO  Reconciled after its end" in done.output
    run(args=["billing", "reconcile"])
    assert run(args=["billing", "close", "2026-10", "--check"]).exit_code == 0
    assert run(args=["billing", "close", "2026-+9", "--check"]).exit_code == 2
    # Somebody of finance answers for it: nobody, a stranger and anybody else do not.
    for who in ([], ["--as", "x@y.example"], ["--as", other.email or ""]):
        assert run(args=["billing", "close", "2026-10", *who]).exit_code == 2, who
    assert db.session.scalars(select(Period.state)).all() == ["open"]
    done = run(args=["billing", "close", "2026-10", "--as", person.email or "", "--note", "Ok"])
    assert done.exit_code == 0, done.output
    period = db.session.scalars(select(Period).where(Period.code == "2026-10")).one()
    assert (period.closed_by_id, period.closing["note"]) == (person.id, "Ok")


def test_a_bank_file_is_imported_from_a_terminal(
    app: Flask, stripe: ListedStripe, tmp_path: Path
) -> None:
    stripe.add_payout(3_000, arrival=date(2026, 10, 30))
    file = tmp_path / "october.csv"
    file.write_text("Date,Amount\n2026-10-30,30.00\n")
    run = app.test_cli_runner().invoke
    assert "1 new" in run(args=["billing", "import-bank", str(file)]).output
    assert "imported before" in run(args=["billing", "import-bank", str(file)]).output
    file.write_text("nothing")
    assert run(args=["billing", "import-bank", str(file)]).exit_code == 1
