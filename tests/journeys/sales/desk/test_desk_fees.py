"""A schedule of fees is drafted, tried on past sales, and published."""

from collections.abc import Callable
from datetime import timedelta

from billing.fee_schedules import fee_rule_for
from billing.models import FeeKind, FeeSchedule, ScheduleState
from billing.partner_facts import PartnerFacts
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.identity.models import Role
from tests.conftest import SignIn
from tests.factories.people import make_member
from tests.factories.program import make_policy
from tests.journeys.sales.desk.conftest import Desk

# What a browser sends of the form that nobody touched.
EMPTY = {
    "partner_type": "",
    "tier": "",
    "currency": "",
    "fixed": "",
    "share": "",
    "hold_days": "14",
}


def draft_of(desk: Desk) -> FeeSchedule:
    response = desk.client.post("/staff/finance/fees", data={"name": "Next year"})
    assert response.status_code == 303
    return db.session.query(FeeSchedule).filter_by(state=ScheduleState.DRAFT).one()


def test_a_schedule_is_drafted_tried_and_published(
    desk: Desk, run_jobs: Callable[[], object]
) -> None:
    make_policy()
    db.session.commit()
    draft = draft_of(desk)
    path = f"/staff/finance/fees/{draft.id}"
    rule = draft.rules[0]
    page = desk.client.get(f"{path}/rule?rule={rule.id}").get_data(as_text=True)
    assert 'value="20"' in page
    changed = EMPTY | {"kind": "sale", "share": "25", "hold_days": "7"}
    assert desk.client.post(f"{path}/rule?rule={rule.id}", data=changed).status_code == 303
    listing = EMPTY | {"kind": "listing", "currency": "EUR", "fixed": "99", "tier": "gold"}
    assert desk.client.post(f"{path}/rule", data=listing).status_code == 303
    page = desk.client.get(path).get_data(as_text=True)
    for text in ("20%", "25%", "€99.00", "tier gold", "New"):
        assert text in page, text
    assert "Not tried yet" in desk.client.get(f"{path}/simulation").text
    assert desk.client.post(f"{path}/simulation").status_code == 303
    assert "Partners looked at" in desk.client.get(f"{path}/simulation").text
    run_jobs()
    page = desk.client.get(f"{path}/simulation").get_data(as_text=True)
    # 20% of 100 and 50 were 30; 25% would be 37.50.
    for text in ("€30.00", "€37.50", "+€7.50", "+25.0%", "Quayside"):
        assert text in page, text
    page = desk.client.get(f"{path}/publication").get_data(as_text=True)
    assert "What changes" in page
    day = (clock.now() + timedelta(days=10)).date()
    response = desk.client.post(f"{path}/publication", data={"effective_from": day.isoformat()})
    assert response.status_code == 303
    page = desk.client.get("/staff/finance/fees").get_data(as_text=True)
    assert "To come" in page
    assert "In force" in page
    fees = [
        found.bps
        for at in (clock.now(), clock.now() + timedelta(days=11))
        if (found := fee_rule_for(FeeKind.SALE, PartnerFacts(), "EUR", at))
    ]
    assert fees == [2_000, 2_500]
    # It never changes after.
    page = desk.client.post(
        f"{path}/rule?rule={rule.id}", data=changed, follow_redirects=True
    ).get_data(as_text=True)
    assert "does not change any more" in page
    for other in ("publication", "discarding", "name", "rule", "simulation"):
        assert desk.client.get(f"{path}/{other}").status_code in {200, 303}, other


def test_what_was_typed_stays_beside_what_is_wrong(desk: Desk) -> None:
    make_policy()
    db.session.commit()
    path = f"/staff/finance/fees/{draft_of(desk).id}"
    for data, message in (
        ({"kind": "sale", "share": "120"}, "From 0% to 100%"),
        ({"kind": "sale", "fixed": "0.30", "tier": "gold"}, "Choose a currency first"),
        ({"kind": "listing", "share": "5", "currency": "EUR"}, "Only sales have a share"),
        ({"kind": "listing", "fixed": "x", "currency": "EUR"}, "Type an amount"),
        ({"kind": "sale", "share": "10", "hold_days": "999"}, "From 0 to 180 days"),
        ({"kind": "sale", "share": "10"}, "There is a fee for this already"),
        ({"kind": "nonsense"}, "Not a valid choice"),
        ({"kind": "sale", "share": "10", "tier": "Gold"}, "Not a valid choice"),
    ):
        response = desk.client.post(f"{path}/rule", data=EMPTY | data)
        page = response.get_data(as_text=True)
        assert response.status_code == 422, data
        assert message in page, data
        assert all(
            f'value="{value}"' in page
            for value in data.values()
            if value not in {"nonsense", "Gold"}
        )
    assert desk.client.post("/staff/finance/fees", data={"name": " "}).status_code == 422
    assert desk.client.get(f"{path}/rule?rule=999999").status_code == 404


def test_a_fee_keeps_a_tier_that_the_program_has_no_more(desk: Desk) -> None:
    draft = draft_of(desk)
    draft.rules[0].tier = "bronze"
    make_policy()
    db.session.commit()
    path = f"/staff/finance/fees/{draft.id}/rule?rule={draft.rules[0].id}"
    assert "bronze (no longer a tier)" in desk.client.get(path).text
    data = EMPTY | {"kind": "sale", "share": "12", "tier": "bronze"}
    assert desk.client.post(path, data=data).status_code == 303
    db.session.refresh(draft.rules[0])
    assert (draft.rules[0].tier, draft.rules[0].bps) == ("bronze", 1_200)


def test_a_schedule_is_not_published_for_a_day_that_began(desk: Desk) -> None:
    path = f"/staff/finance/fees/{draft_of(desk).id}/publication"
    today = clock.now().date().isoformat()
    response = desk.client.post(path, data={"effective_from": today})
    assert response.status_code == 422
    assert "has not begun" in response.get_data(as_text=True)
    assert desk.client.post(path, data={"effective_from": "soon"}).status_code == 422


def test_an_empty_share_of_sales_is_not_taken_for_nothing(desk: Desk) -> None:
    draft = draft_of(desk)
    path = f"/staff/finance/fees/{draft.id}/rule"
    sale = EMPTY | {"kind": "sale", "currency": "EUR", "fixed": "0.30"}
    for share in ("", "  "):
        response = desk.client.post(path, data=sale | {"share": share})
        assert response.status_code == 422
        assert "Type 0 where nothing is taken." in response.text
    assert desk.client.post(path, data=sale | {"share": "0"}).status_code == 303
    # Other fees have none.
    listing = EMPTY | {"kind": "listing", "currency": "EUR", "fixed": "99"}
    assert desk.client.post(path, data=listing).status_code == 303


def test_a_fee_is_removed_and_a_draft_without_one_for_all_waits(desk: Desk) -> None:
    draft = draft_of(desk)
    path = f"/staff/finance/fees/{draft.id}"
    rule = draft.rules[0].id
    assert desk.client.post(f"{path}/rule/removal?rule={rule}").status_code == 303
    assert "Not ready to publish" in desk.client.get(path).get_data(as_text=True)
    assert desk.client.post(f"{path}/rule/removal").status_code == 404
    desk.client.post(f"{path}/name", data={"name": "Other name", "note": "Cheaper"})
    assert "Other name" in desk.client.get(path).get_data(as_text=True)
    assert desk.client.post(f"{path}/discarding").status_code == 303
    assert desk.client.get(path).status_code == 404


def test_a_program_manager_reads_fees_but_changes_none(desk: Desk, sign_in: SignIn) -> None:
    platform = desk.fay.memberships[0].organization
    client = sign_in(make_member(platform, Role.PROGRAM_MANAGER))
    page = client.get("/staff/finance/fees").get_data(as_text=True)
    assert "In force" in page
    assert "Draft a new schedule" not in page
    assert client.post("/staff/finance/fees", data={"name": "Mine"}).status_code == 403
    assert client.get("/staff/finance/ledger").status_code == 403
