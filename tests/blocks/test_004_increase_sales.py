"""4 Increase Sales: F splits the credit of a won deal; sourced and assisted totals update."""

from collections.abc import Callable

from flask import Flask
from flask.testing import FlaskClient

from marketplace.core.database import db
from marketplace.identity.models import Organization, Role
from marketplace.pipeline.deals.models import CreditSplit, Deal
from marketplace.program.measures import Measure, Measurement
from tests.factories.people import make_member, make_organization, make_platform
from tests.factories.program import make_policy, make_standing

SignIn = Callable[..., FlaskClient]


def _partner(name: str, slug: str) -> Organization:
    partner = make_organization(name, slug=slug)
    make_standing(partner)
    return partner


def _sums() -> dict[tuple[str, int], int]:
    found: dict[tuple[str, int], int] = {}
    for row in db.session.query(Measurement).filter(Measurement.source_type == "deal"):
        key = (row.measure, row.organization_id)
        found[key] = found.get(key, 0) + row.amount
    return {key: amount for key, amount in found.items() if amount}


def _row(page: str, name: str) -> list[str]:
    """The cells of the table's row that begins with a name."""
    row = page.partition(f'data-label="Partner">{name}</th>')[2].partition("</tr>")[0]
    return [cell.partition("<")[0] for cell in row.split('class="numeric">')[1:]]


def _split(*shares: tuple[str, str, str], version: int, reason: str = "") -> dict[str, str]:
    data = {"seen_version": str(version), "reason": reason}
    for number, (partner, kind, percent) in enumerate(shares):
        data[f"shares-{number}-partner"] = partner
        data[f"shares-{number}-kind"] = kind
        data[f"shares-{number}-percent"] = percent
    return data


def test_004_increase_sales(app: Flask, sign_in: SignIn) -> None:
    make_policy()
    first, second = _partner("Quayside", "quayside"), _partner("Meridian", "meridian")
    platform = make_platform()
    manager = sign_in(make_member(platform, Role.PROGRAM_MANAGER))
    f = sign_in(make_member(platform, Role.FINANCE))
    p, helper = sign_in(make_member(first), first), sign_in(make_member(second), second)

    # P registers a deal of $1,000, it is approved, and won.
    registered = p.post(
        "/partner/deals/register",
        data={
            "title": "Harbor office",
            "customer_name": "Blue Kite",
            "customer": "https://www.bluekite.example",
            "product": "Tide Tables",
            "currency": "USD",
            "amount": "1,000.00",
        },
    )
    assert registered.status_code == 303, registered.text
    deal = db.session.query(Deal).one()
    address = f"/staff/deals/{deal.public_id}"
    assert (
        p.post(f"/partner/deals/{deal.public_id}/stage", data={"stage": "won"}).status_code == 303
    )
    assert "Staff must approve" in p.get(f"/partner/deals/{deal.public_id}").text
    seen = manager.get(address).text.partition('name="seen" value="')[2].partition('"')[0]
    assert manager.post(f"{address}/approval", data={"seen": seen}).status_code == 303
    p.post(f"/partner/deals/{deal.public_id}/stage", data={"stage": "won"})
    assert _sums() == {}
    assert p.post(f"{address}/credit", data={}).status_code in (403, 404)

    # F splits the credit between two partners: the totals are $1,000, no cent more or less.
    shares = [("quayside", "sourced", "66.67"), ("meridian", "assisted", "33.33")]
    wrong = f.post(f"{address}/credit", data=_split(shares[0], version=0))
    assert wrong.status_code == 422
    assert "They must be 100%" in wrong.text
    answer = f.post(f"{address}/credit", data=_split(*shares, version=0))
    assert answer.status_code == 303, answer.text
    page = f.get("/staff/deals/credits").text
    assert _row(page, "Quayside")[:3] == ["$666.70", "$0.00", "$666.70"]
    assert _row(page, "Meridian")[:3] == ["$0.00", "$333.30", "$333.30"]
    assert "<strong>$1,000.00</strong>" in page
    assert "$666.70" in p.get("/partner/deals/credits").text
    helping = helper.get("/partner/deals/credits").text
    assert "$333.30" in helping
    assert "Blue Kite" not in helping
    assert _sums() == {
        (Measure.DEALS_WON.value, first.id): 1,
        (Measure.DEALS_SOURCED.value, first.id): 66_670,
        (Measure.DEALS_ASSISTED.value, second.id): 33_330,
    }

    # Twice the same click splits once; a change needs a reason and moves the difference.
    assert f.post(f"{address}/credit", data=_split(*shares, version=0)).status_code == 303
    assert db.session.query(CreditSplit).count() == 1
    half = [("quayside", "sourced", "50"), ("meridian", "sourced", "50")]
    assert f.post(f"{address}/credit", data=_split(*half, version=1)).status_code == 422
    changed = f.post(f"{address}/credit", data=_split(*half, version=1, reason="Both found it"))
    assert changed.status_code == 303
    assert _sums() == {
        (Measure.DEALS_WON.value, first.id): 1,
        (Measure.DEALS_SOURCED.value, first.id): 50_000,
        (Measure.DEALS_SOURCED.value, second.id): 50_000,
    }
    assert "<strong>$1,000.00</strong>" in f.get("/staff/deals/credits").text
    history = f.get(f"{address}/credit").text
    assert "Version 1" in history
    assert "Both found it" in history
