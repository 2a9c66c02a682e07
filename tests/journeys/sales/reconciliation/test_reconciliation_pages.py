"""Finance over HTTP: breaks, the bank and the months."""

import io
import re
from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from billing.accounts import BANK, STRIPE_IN_TRANSIT, SUSPENSE
from billing.ledger import balance
from billing.models import (
    BankImport,
    BankLine,
    BankRule,
    BreakState,
    Period,
    PeriodState,
    ReconciliationBreak,
    ReconciliationRun,
    StripePayout,
)
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.identity.models import Role, User
from tests.conftest import SignIn
from tests.factories.people import make_member, make_organization, make_platform
from tests.factories.queries import count_queries
from tests.factories.reconciliation import (
    NOW,
    ListedStripe,
    listed_stripe,
    make_charged_order,
    reconcile,
)

HOME = "/staff/finance/reconciliation"


@pytest.fixture
def stripe(app: Flask) -> Iterator[ListedStripe]:
    with clock.frozen(NOW), listed_stripe() as found:
        yield found


@pytest.fixture
def finance(stripe: ListedStripe) -> User:
    return make_member(make_platform(), Role.FINANCE)


@pytest.fixture
def browser(finance: User, sign_in: SignIn) -> FlaskClient:
    return sign_in(finance)


def only_break() -> ReconciliationBreak:
    return db.session.scalars(
        select(ReconciliationBreak).where(ReconciliationBreak.state != BreakState.RESOLVED)
    ).one()


def test_reconciling_from_the_page_runs_as_a_job(
    browser: FlaskClient, stripe: ListedStripe, run_jobs: object
) -> None:
    make_charged_order(stripe)
    assert "Never reconciled" in browser.get(HOME).text
    answer = browser.post(f"{HOME}/runs")
    assert answer.status_code == 303
    page = browser.get(HOME).text
    assert "Reading Stripe’s list" in page or "Reading Stripe&#39;s list" in page
    run_jobs()  # type: ignore[operator]  # the fixture's function
    assert db.session.scalars(select(ReconciliationRun)).one().step == "done"
    page = browser.get(HOME).text
    assert "Everything agrees" in page
    assert "€98.25" in page
    assert "Agrees" in page
    ended = browser.get(f"{HOME}/progress")
    assert ended.headers["HX-Refresh"] == "true"


def test_a_break_is_taken_and_explained(
    browser: FlaskClient, finance: User, stripe: ListedStripe
) -> None:
    make_charged_order(stripe, book=False)
    reconcile()
    found = only_break()
    address = f"{HOME}/breaks/{found.id}"
    assert "Not in the ledger" in browser.get(HOME).text
    assert "Nothing in the ledger is this" in browser.get(address).text
    assert browser.post(f"{address}/owner", data={"owner": finance.id}).status_code == 303
    refused = browser.post(f"{address}/explanation", data={"reason": "no"})
    assert refused.status_code == 422
    assert "somebody else understands" in refused.text
    browser.post(f"{address}/explanation", data={"reason": "Test payment of the bank"})
    db.session.expire_all()
    assert (found.state, found.owner_id) == (BreakState.EXPLAINED, finance.id)
    page = browser.get(address).text
    assert "Test payment of the bank" in page
    assert "Given to Ada Okafor" in page
    assert browser.get(f"{HOME}?state=explained&mine=1").text.count("Charge txn_") == 1
    browser.post(f"{address}/reopening")
    db.session.expire_all()
    assert found.state is BreakState.OPEN


def test_what_lies_in_suspense_is_booked_where_it_belongs(
    browser: FlaskClient, stripe: ListedStripe
) -> None:
    stripe.add("contribution", -500, "")
    reconcile()
    found = only_break()
    address = f"{HOME}/breaks/{found.id}"
    assert "Book €5.00" in browser.get(address).text
    assert browser.post(f"{address}/booking", data={"account": "tax_payable"}).status_code == 422
    answer = browser.post(
        f"{address}/booking",
        data={"account": "processing_fee", "booking_reason": "Climate contribution of October"},
    )
    assert answer.status_code == 303
    db.session.expire_all()
    assert found.state is BreakState.RESOLVED
    assert balance(SUSPENSE, "EUR") == 0
    reconcile(NOW + timedelta(hours=1))
    assert db.session.scalars(select(ReconciliationBreak)).one().state is BreakState.RESOLVED


def test_a_bank_file_is_imported_matched_by_hand_and_taken_back(
    browser: FlaskClient, stripe: ListedStripe
) -> None:
    stripe.add_payout(3_000, arrival=date(2026, 10, 20))
    stripe.add_payout(2_000, arrival=date(2026, 10, 20))
    reconcile()
    data = "Date;Amount;Text\n2026-10-30;-800,00;Rent\n2026-10-31;30,00;STRIPE PAYMENTS\n"
    refused = browser.post(
        f"{HOME}/bank/files", data={"file": (io.BytesIO(b"x"), "a.csv"), "currency": "EUR"}
    )
    assert refused.status_code == 422
    assert "No line names the columns" in refused.text
    answer = browser.post(
        f"{HOME}/bank/files",
        data={"file": (io.BytesIO(data.encode()), "october.csv"), "currency": "EUR"},
    )
    assert answer.status_code == 303
    file = db.session.scalars(select(BankImport)).one()
    assert file.lines_new == 2
    page = browser.get(f"{HOME}/bank").text
    # Eleven days late: nothing is certain, so nothing was matched.
    assert "Rent" in page
    assert "STRIPE PAYMENTS" in page
    rent, money = db.session.scalars(select(BankLine).order_by(BankLine.id)).all()
    payout = db.session.scalars(select(StripePayout).where(StripePayout.amount == 3_000)).one()
    empty = browser.post(f"{HOME}/bank/matches", data={"payouts": [payout.id]})
    assert empty.status_code == 422
    assert "checked" in empty.text
    browser.post(f"{HOME}/bank/matches", data={"payouts": [payout.id], "lines": [money.id]})
    assert balance(BANK, "EUR") == 3_000
    assert balance(STRIPE_IN_TRANSIT, "EUR") == 2_000
    browser.post(f"{HOME}/bank/set-aside", data={"lines": [rent.id], "reason": "Rent"})
    page = browser.get(f"{HOME}/bank/files/{file.id}").text
    assert "by hand" in page
    assert "Set aside" in page
    assert "Take this match back" in browser.get(f"{HOME}/bank/lines/{money.id}/unmatching").text
    browser.post(f"{HOME}/bank/lines/{money.id}/unmatching")
    assert balance(BANK, "EUR") == 0
    browser.post(f"{HOME}/bank/matches", data={"payouts": [payout.id], "lines": [money.id]})
    assert balance(BANK, "EUR") == 3_000
    browser.post(f"{HOME}/bank/lines/{rent.id}/taking-up")
    db.session.expire_all()
    assert rent.ignored_reason == ""


def import_october(browser: FlaskClient, *rows: str) -> None:
    data = "Date;Amount;Text\n" + "".join(f"{row}\n" for row in rows)
    answer = browser.post(
        f"{HOME}/bank/files",
        data={"file": (io.BytesIO(data.encode()), "october.csv"), "currency": "EUR"},
    )
    assert answer.status_code == 303


def hidden(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found, name
    return found[1]


def test_lines_are_set_aside_by_what_they_have_in_common(browser: FlaskClient) -> None:
    import_october(
        browser, "2026-10-01;-800,00;RENT Harbour", "2026-10-02;-900,00;Rent Quay",
        "2026-10-03;30,00;STRIPE",
    )  # fmt: skip
    page = browser.get(f"{HOME}/bank?contains=rent").text
    assert "2 lines fit" in page
    assert "RENT Harbour" in page
    assert "STRIPE</small>" not in page
    asked = f"{HOME}/bank/setting-aside?contains=rent&direction=out"
    page = browser.get(asked).text
    assert "Lines in EUR" in page
    assert "€1,700.00 out" in page
    seen = hidden(page, "seen")
    typed = {"contains": "rent", "direction": "out", "seen": seen}
    refused = browser.post(f"{HOME}/bank/rules", data=typed)
    assert refused.status_code == 422
    assert "Say why" in refused.text
    import_october(browser, "2026-10-04;-700,00;Rent Lighthouse")
    stale = browser.post(f"{HOME}/bank/rules", data={**typed, "reason": "Rent"})
    assert stale.status_code == 422
    assert "Other lines fit now" in stale.text
    assert "€2,400.00 out" in stale.text
    typed["seen"] = hidden(stale.text, "seen")
    made = browser.post(
        f"{HOME}/bank/rules",
        data={**typed, "reason": "Rent", "is_standing": "y"},
        follow_redirects=True,
    )
    assert "3 lines" in made.text
    assert "Standing" in made.text
    assert "Ada Okafor" in made.text
    import_october(browser, "2026-11-01;-800,00;RENT Harbour again", "2026-11-02;1,00;Other")
    page = browser.get(f"{HOME}/bank").text
    assert "RENT" not in page
    assert "Other" in page
    rule = db.session.scalars(select(BankRule)).one()
    address = f"{HOME}/bank/rules/{rule.id}/removal"
    assert "Count its 4 lines again" in browser.get(address).text
    told = browser.post(address, data={"take_up": "1"}, follow_redirects=True).text
    assert "4 lines count again" in told
    assert "Removed" in told
    assert "RENT Harbour" in browser.get(f"{HOME}/bank").text


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("amount_from=5", "Choose a currency first"),
        ("amount_from=x&currency=EUR", "Type an amount"),
        ("account=nowhere", "Not a valid choice"),
        ("currency=XXX", "Not a valid choice"),
        ("contains=" + "x" * 141, "longer than 140"),
        ("contains=%00", "an invisible character"),
    ],
)
def test_a_filter_of_lines_that_is_none_shows_nothing(
    browser: FlaskClient, query: str, text: str
) -> None:
    import_october(browser, "2026-10-01;-800,00;Rent Harbour")
    for page in ("bank", "bank/setting-aside"):
        answer = browser.get(f"{HOME}/{page}?{query}")
        assert answer.status_code == 422
        assert text in answer.text
        assert "Rent Harbour" not in answer.text


def test_lines_without_a_match_are_paged_and_cost_the_same(browser: FlaskClient) -> None:
    import_october(browser, *(f"2026-10-01;-{number},00;Rent {number}" for number in range(1, 3)))
    browser.get(f"{HOME}/bank")
    few = count_queries(lambda: browser.get(f"{HOME}/bank"))
    import_october(browser, *(f"2026-10-02;-{number},00;Wages {number}" for number in range(1, 90)))
    assert count_queries(lambda: browser.get(f"{HOME}/bank")) == few
    first, second = (browser.get(f"{HOME}/bank?line_page={page}").text for page in (1, 2))
    assert ("Rent 1<" in first, "Rent 1<" in second) == (True, False)
    assert ("Wages 89<" in first, "Wages 89<" in second) == (False, True)
    # The page and the filter stay when something is done on it.
    line = db.session.scalars(select(BankLine).where(BankLine.text == "Wages 89")).one()
    answer = browser.post(
        f"{HOME}/bank/set-aside?contains=wages&line_page=2",
        data={"lines": [line.id], "reason": "Wages"},
    )
    assert answer.headers["Location"].endswith("/bank?contains=wages&line_page=2")


def test_ids_that_no_row_can_have_are_refused(browser: FlaskClient) -> None:
    for name in ("payouts", "lines"):
        for number in ("9" * 30, "-1", "0", "x"):
            answer = browser.post(f"{HOME}/bank/matches", data={name: [number]})
            assert answer.status_code == 422, (name, number)
            answer = browser.post(f"{HOME}/bank/set-aside", data={name: [number], "reason": "x"})
            assert answer.status_code == 422, (name, number)


def test_a_file_with_an_endless_field_is_refused_with_words(browser: FlaskClient) -> None:
    data = b'Date,Amount,Text\n2026-10-31,1.00,"' + b"x" * 200_000
    answer = browser.post(
        f"{HOME}/bank/files", data={"file": (io.BytesIO(data), "a.csv"), "currency": "EUR"}
    )
    assert answer.status_code == 422
    assert "Line 2 cannot be read" in answer.text


def test_the_same_file_twice_changes_nothing(browser: FlaskClient) -> None:
    data = b"Date,Amount\n2026-10-30,1.00\n"
    for _ in range(2):
        answer = browser.post(
            f"{HOME}/bank/files",
            data={"file": (io.BytesIO(data), "a.csv"), "currency": "EUR"},
            follow_redirects=True,
        )
    assert "imported before" in answer.text
    assert len(db.session.scalars(select(BankLine)).all()) == 1


def test_a_month_shows_what_is_missing_then_closes_for_good(
    browser: FlaskClient, stripe: ListedStripe
) -> None:
    make_charged_order(stripe)
    month = "/staff/finance/months/2026-10"
    db.session.commit()
    assert "October 2026" in browser.get("/staff/finance/months").text
    page = browser.get(month).text
    assert "Reconcile once more" in page
    assert "cannot be closed yet" in browser.get(f"{month}/closing").text
    refused = browser.post(f"{month}/closing", follow_redirects=True)
    assert "cannot be closed yet" in refused.text
    reconcile()
    assert "Close 2026-10?" in browser.get(f"{month}/closing").text
    browser.post(f"{month}/closing", data={"note": "All in order"})
    period = db.session.scalars(select(Period).where(Period.code == "2026-10")).one()
    assert period.state is PeriodState.CLOSED
    page = browser.get(month).text
    assert "All in order" in page
    assert "debits equal credits" in page
    assert "is closed" in browser.get(f"{month}/closing").text


def test_the_journal_and_reports_leave_as_files(browser: FlaskClient, stripe: ListedStripe) -> None:
    make_charged_order(stripe, partner=make_organization("=Formula").id)
    reconcile()
    month = "/staff/finance/months/2026-10"
    journal = browser.get(f"{month}/journal.csv")
    assert journal.headers["Content-Disposition"] == 'attachment; filename="journal-2026-10.csv"'
    rows = journal.text.strip().splitlines()
    assert rows[0].lstrip("\ufeff").startswith("date,posted_at,transaction,kind")
    assert len(rows) == 1 + 3 + 2 + 2
    assert 'option "title" "Journal 2026-10"' in browser.get(f"{month}/journal.beancount").text
    assert "1020,stripe_available" in browser.get(f"{month}/trial-balance.csv").text
    assert "'=Formula,EUR,80.00" in browser.get(f"{month}/partners.csv").text


@pytest.mark.parametrize(
    "path",
    [
        "/reconciliation",
        "/reconciliation/bank",
        "/reconciliation/bank/rules",
        "/reconciliation/bank/setting-aside",
        "/reconciliation/runs",
        "/months",
        "/months/2026-10",
    ],
)
def test_only_finance_sees_any_of_it(
    path: str, stripe: ListedStripe, sign_in: SignIn, client: FlaskClient
) -> None:
    make_charged_order(stripe)
    reviewer = make_member(make_platform(), Role.REVIEWER)
    partner = make_member(make_organization(), Role.FINANCE)
    for person in (reviewer, partner):
        assert sign_in(person).get(f"/staff/finance{path}").status_code in {403, 404}
    assert client.get(f"/staff/finance{path}").status_code in {302, 303, 401, 404}


@pytest.mark.parametrize("code", ["2026-13", "1999-01", "2026-1", "abc", "2027-01", "９９99-01"])
def test_what_is_no_month_is_not_found(code: str, browser: FlaskClient) -> None:
    assert browser.get(f"/staff/finance/months/{code}").status_code == 404


def test_the_list_of_breaks_costs_the_same_for_many(
    browser: FlaskClient, stripe: ListedStripe
) -> None:
    make_charged_order(stripe, book=False)
    reconcile()
    browser.get(HOME)
    few = count_queries(lambda: browser.get(HOME))
    for _ in range(12):
        make_charged_order(stripe, book=False)
    reconcile(NOW + timedelta(hours=1))
    assert count_queries(lambda: browser.get(HOME)) == few


@pytest.mark.parametrize(
    "query", ["type=nonsense", "state=x", "month=9999-99", "currency=zz", "page=-1", "mine=1"]
)
def test_an_odd_filter_is_ignored(query: str, browser: FlaskClient) -> None:
    assert browser.get(f"{HOME}?{query}").status_code == 200
