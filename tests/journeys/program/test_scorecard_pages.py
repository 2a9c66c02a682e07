"""The pages of scorecards, standings and replays, by whoever may use them and with odd input."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.identity.models import Organization, Role
from marketplace.program.measures import Measure, measure
from marketplace.program.policy.document import Policy
from marketplace.program.policy.yaml_text import policy_to_yaml
from marketplace.program.scorecards.models import Replay, ReplayState
from marketplace.program.scorecards.queries import standing_of
from marketplace.program.standing.models import StandingState, TierOverride
from tests.conftest import SignIn
from tests.factories.people import make_customer, make_member, make_organization, make_platform
from tests.factories.program import make_policy, make_standing, policy_document
from tests.factories.queries import count_queries

ODD = ("-1", "0", "999999999999", "1e9", "\x00", "x" * 10_000, "²")


@pytest.fixture
def partner(app: Flask) -> Organization:
    make_policy()
    found = make_organization("Quayside")
    make_standing(found)
    for number in range(70):
        measure(found.id, Measure.DEALS_WON, key=f"d{number}", source=("deal", number))
    measure(found.id, Measure.NET_REVENUE, 50_000, key="r", source=("order", 1), currency="EUR")
    return found


@pytest.fixture
def manager(app: Flask, sign_in: SignIn) -> FlaskClient:
    return sign_in(make_member(make_platform(), Role.PROGRAM_MANAGER))


def test_a_partner_outside_of_the_program_is_told_so(app: Flask, sign_in: SignIn) -> None:
    make_policy()
    other = make_organization("Other")
    browser = sign_in(make_member(other), other)
    assert "You are not in the program yet" in browser.get("/partner/scorecard").text
    assert browser.get("/partner/scorecard/progress").status_code == 200
    assert browser.post("/partner/scorecard/evaluate").status_code == 303


def test_without_a_policy_the_pages_are_there(app: Flask, sign_in: SignIn) -> None:
    other = make_organization("Other")
    make_standing(other)
    browser = sign_in(make_member(other), other)
    assert browser.get("/partner/scorecard").status_code == 200
    assert browser.get("/partner/scorecard/metrics/deals").status_code == 404
    staff = sign_in(make_member(make_platform(), Role.PROGRAM_MANAGER))
    for path in ("/staff/standings", f"/staff/standings/{other.slug}", "/staff/replays"):
        assert staff.get(path).status_code == 200, path
    assert staff.post(f"/staff/standings/{other.slug}/evaluate").status_code == 303


def test_customers_have_no_scorecard(app: Flask, sign_in: SignIn) -> None:
    make_policy()
    customer = make_customer()
    browser = sign_in(make_member(customer), customer)
    for path in ("/partner/scorecard", "/partner/scorecard/progress"):
        assert browser.get(path).status_code == 403


def test_single_orders_are_shown_to_who_deals_with_money(
    app: Flask, sign_in: SignIn, partner: Organization
) -> None:
    path = "/partner/scorecard/metrics/revenue"
    for role, status in ((Role.FINANCE, 200), (Role.EDITOR, 404), (Role.VIEWER, 404)):
        browser = sign_in(make_member(partner, role), partner)
        assert browser.get(path).status_code == status
        assert browser.get(f"{path}/measurements.csv").status_code == status
        assert browser.get("/partner/scorecard/metrics/deals").status_code == 200
        assert (path in browser.get("/partner/scorecard").text) == (status == 200)


def test_who_only_looks_evaluates_nothing(
    app: Flask, sign_in: SignIn, partner: Organization
) -> None:
    browser = sign_in(make_member(partner, Role.VIEWER), partner)
    assert "Evaluate now" not in browser.get("/partner/scorecard").text
    assert browser.post("/partner/scorecard/evaluate").status_code == 403


def test_asking_again_and_again_is_limited(
    app: Flask, sign_in: SignIn, partner: Organization
) -> None:
    browser = sign_in(make_member(partner), partner)
    app.config["RATELIMIT_ENABLED"] = True
    found = {browser.post("/partner/scorecard/evaluate").status_code for _ in range(15)}
    assert found <= {303, 429}


@pytest.mark.parametrize("odd", ODD)
def test_odd_values_break_no_page(
    app: Flask, partner: Organization, manager: FlaskClient, sign_in: SignIn, odd: str
) -> None:
    own = sign_in(make_member(partner), partner)
    names = ("page", "q", "type", "tier", "state", "sort", "desc", "show", "version")
    query = dict.fromkeys(names, odd)
    assert own.get("/partner/scorecard/metrics/deals", query_string=query).status_code == 200
    for path in (
        "/staff/standings", "/staff/standings.csv", f"/staff/standings/{partner.slug}",
        f"/staff/standings/{partner.slug}/metrics/deals", "/staff/replays",
    ):  # fmt: skip
        assert manager.get(path, query_string=query).status_code == 200, path
    for path in ("/staff/standings/{}", "/staff/replays/{}", "/staff/overrides/{}/end"):
        assert manager.get(path.format(odd[:200])).status_code in {400, 404}
    held = manager.post(
        f"/staff/standings/{partner.slug}/hold",
        data={"tier": odd, "expires_on": odd, "reason": odd},
    )
    assert held.status_code == 422
    begun = manager.post(
        "/staff/replays", data={"version": odd, "document": odd, "months": odd, "whole_period": odd}
    )
    assert begun.status_code == 422


def test_what_was_typed_is_kept_when_a_hold_is_refused(
    app: Flask, partner: Organization, manager: FlaskClient
) -> None:
    data = {"tier": "gold", "expires_on": "1999-01-01", "reason": "As we agreed in Lisbon"}
    page = manager.post(f"/staff/standings/{partner.slug}/hold", data=data)
    assert page.status_code == 422
    assert "As we agreed in Lisbon" in page.text
    assert "Choose a day that lies ahead." in page.text
    far = manager.post(
        f"/staff/standings/{partner.slug}/hold", data={**data, "expires_on": "9999-12-31"}
    )
    assert far.status_code == 422
    assert "At most two years ahead." in far.text


def test_a_held_tier_is_ended_after_asking_once_more(
    app: Flask, partner: Organization, manager: FlaskClient
) -> None:
    last = clock.now().date() + timedelta(days=9)
    data = {"tier": "gold", "expires_on": str(last), "reason": "Agreed"}
    assert manager.post(f"/staff/standings/{partner.slug}/hold", data=data).status_code == 303
    override = db.session.scalars(select(TierOverride)).one()
    path = f"/staff/overrides/{override.public_id}/end"
    assert "End the set tier?" in manager.get(path).text
    assert manager.post(path).status_code == 303
    assert manager.post(path).status_code == 303  # twice is harmless
    db.session.rollback()
    standing = standing_of(partner.id)
    assert standing is not None
    assert standing.tier == "silver"  # 70 deals give 100 points at most


def test_a_lapsed_partner_is_taken_back_by_a_program_manager(
    app: Flask, partner: Organization, manager: FlaskClient
) -> None:
    standing = standing_of(partner.id)
    assert standing is not None
    standing.state, standing.provisional_until = StandingState.LAPSED, clock.now()
    db.session.commit()
    path = f"/staff/standings/{partner.slug}"
    assert "Take it back" in manager.get(path).text
    assert manager.post(f"{path}/confirm", data={}).status_code == 422
    given = {"confirm-reason": "The audit was late on our side"}
    assert manager.post(f"{path}/confirm", data=given).status_code == 303
    assert "The audit was late on our side" in manager.get(path).text
    db.session.rollback()
    standing = standing_of(partner.id)
    assert standing is not None
    assert (standing.state, standing.tier) == (StandingState.ACTIVE, "silver")


def test_partners_are_searched_filtered_sorted_and_exported(
    app: Flask, partner: Organization, manager: FlaskClient
) -> None:
    for number in range(60):
        make_standing(
            make_organization(f"Berth {number:02}", partner_type="reseller"), "gold", points=number
        )
    db.session.commit()
    page = manager.get("/staff/standings").text
    assert "Berth 00" in page
    assert "Quayside" not in page  # on the second page, by name
    assert "Quayside" in manager.get("/staff/standings?page=2").text
    assert "Quayside" in manager.get("/staff/standings?page=99").text
    assert "Quayside" in manager.get("/staff/standings?tier=registered&type=technology").text
    assert "No partner like that" in manager.get("/staff/standings?q=nobody").text
    by_points = manager.get("/staff/standings?sort=points&desc=1").text
    assert by_points.index("Berth 59") < by_points.index("Berth 58")
    lines = manager.get("/staff/standings.csv?type=reseller").text.splitlines()
    assert len(lines) == 61
    assert manager.post("/staff/standings/evaluate").status_code == 303


def test_a_page_of_many_partners_takes_as_many_queries_as_one_of_few(
    app: Flask, partner: Organization, manager: FlaskClient
) -> None:
    few = count_queries(lambda: manager.get("/staff/standings"))
    for number in range(30):
        make_standing(make_organization(f"Berth {number}"))
    db.session.commit()
    assert count_queries(lambda: manager.get("/staff/standings")) <= few + 1


def test_a_draft_is_replayed_and_its_result_shown_and_downloaded(
    app: Flask, partner: Organization, manager: FlaskClient, run_jobs: Callable[[], int]
) -> None:
    standing = standing_of(partner.id)
    assert standing is not None
    standing.joined_at = clock.now() - timedelta(days=200)
    db.session.commit()
    draft = Policy.model_validate(
        policy_document(tiers=[
            {"key": "registered", "name": "Registered"},
            {"key": "bronze", "name": "Bronze", "points": 10, "yearly_cost": 12_345},
        ])
    )  # fmt: skip
    both = {"version": "x", "document": policy_to_yaml(draft), "months": "12"}
    assert manager.post("/staff/replays", data=both).status_code == 422
    bad = manager.post("/staff/replays", data={"document": "name: [", "months": "12"})
    assert bad.status_code == 422
    assert "Line 1" in bad.text
    with clock.frozen(clock.now() + timedelta(days=1)):
        begun = manager.post(
            "/staff/replays",
            data={
                "document": policy_to_yaml(draft), "months": "3", "whole_period": "since_joining"
            },
        )  # fmt: skip
        assert begun.status_code == 303, begun.text
        path = begun.headers["Location"]
        page = manager.get(path).text
        assert "0 of 1" in page
        assert 'hx-trigger="every 3s"' in page
        run_jobs()
    page = manager.get(path).text
    text = " ".join(re.sub(r"<[^>]+>", " ", page).split())
    assert "hx-trigger" not in page.split('id="replay"')[1][:400]
    assert "€123.45" in text
    assert "End elsewhere (1)" in text
    assert "Quayside" in text
    for show in ("draft", "live"):
        assert manager.get(f"{path}?show={show}").status_code == 200
    assert "Promoted" in manager.get(f"{path}/moves.csv").text
    assert "Quayside" in manager.get(f"{path}/differences.csv").text
    assert manager.get(f"{path}/discard").status_code == 200
    assert manager.post(f"{path}/discard").status_code == 303
    assert manager.get(path).status_code == 404


def test_a_replay_that_runs_can_be_stopped(
    app: Flask, partner: Organization, manager: FlaskClient
) -> None:
    yaml = policy_to_yaml(Policy.model_validate(policy_document()))
    data = {"document": yaml, "months": "1", "whole_period": "whole"}
    path = manager.post("/staff/replays", data=data).headers["Location"]
    assert manager.post(f"{path}/discard").status_code == 303  # not while it runs
    assert manager.post(f"{path}/stop").status_code == 303
    assert manager.post(f"{path}/stop").status_code == 303
    assert "It was stopped" in manager.get(path).text
    db.session.rollback()
    assert db.session.scalars(select(Replay.state)).one() is ReplayState.STOPPED


def test_reviewers_read_standings_and_use_no_time_machine(
    app: Flask, partner: Organization, sign_in: SignIn
) -> None:
    platform = db.session.scalar(
        select(Organization).where(Organization.kind == "platform")
    ) or make_platform()  # fmt: skip
    browser = sign_in(make_member(platform, Role.REVIEWER))
    assert browser.get(f"/staff/standings/{partner.slug}").status_code == 200
    assert browser.get("/staff/replays").status_code == 403
    assert browser.post(f"/staff/standings/{partner.slug}/evaluate").status_code == 404


def test_a_partner_whose_type_is_gone_is_marked_and_gets_another_one(
    app: Flask, manager: FlaskClient, sign_in: SignIn
) -> None:
    make_policy(types=policy_document()["types"][1:])
    found = make_organization("Stranded", partner_type="technology")
    make_standing(found, "silver")
    owner = make_member(found)
    db.session.commit()
    own = sign_in(owner, found)
    card = own.get("/partner/scorecard").text
    assert "no longer in the program&#39;s policy" in card
    assert "cheapest path" not in card
    listed = manager.get("/staff/standings?type=technology").text
    assert "Not in the policy" in listed
    assert "technology (not in the policy)" in listed
    assert "Not in the policy" in manager.get("/staff/program/partners").text
    assert "technology (not in the policy)" in manager.get("/staff/program").text
    path = f"/staff/standings/{found.slug}"
    assert "Its type is not in the policy" in manager.get(path).text
    sent = {"type-partner_type": "reseller", "type-reason": "They resell by now"}
    for wrong in ({"type-reason": ""}, {"type-partner_type": "technology"}):
        assert manager.post(f"{path}/type", data={**sent, **wrong}).status_code == 422
    assert manager.post(f"{path}/type", data=sent).status_code == 303
    again = manager.post(f"{path}/type", data=sent, follow_redirects=True)
    assert again.status_code in (200, 422)
    db.session.rollback()
    assert db.session.get_one(Organization, found.id).partner_type == "reseller"
    assert "Its type is not in the policy" not in manager.get(path).text
    history = own.get("/partner/scorecard").text
    assert "technology to reseller. They resell by now" in history
    assert "cheapest path" in history


def test_who_holds_no_tiers_changes_no_type(app: Flask, sign_in: SignIn) -> None:
    make_policy()
    found = make_organization("Quayside", partner_type="technology")
    make_standing(found)
    path = f"/staff/standings/{found.slug}"
    sent = {"type-partner_type": "reseller", "type-reason": "Why"}
    support = sign_in(make_member(make_platform(), Role.SUPPORT))
    assert "Change the type" not in support.get(path).text
    assert support.post(f"{path}/type", data=sent).status_code == 404
    both = make_member(make_platform(), Role.PROGRAM_MANAGER)
    make_member(found, user=both)
    db.session.commit()
    assert sign_in(both).post(f"{path}/type", data=sent).status_code == 403


def test_a_tier_that_is_gone_is_no_step_up(app: Flask, manager: FlaskClient) -> None:
    make_policy(tiers=policy_document()["tiers"][:2])
    found = make_organization("Quillbright")
    make_standing(found, "gold")
    html = manager.get(f"/staff/standings/{found.slug}").text
    assert "Its tier is not in the policy" in html
    assert "With the next evaluation it goes to Registered" in html
    assert "moves it up" not in html


def test_in_days_of_grace_the_way_to_keep_the_tier_is_shown(
    app: Flask, manager: FlaskClient, sign_in: SignIn
) -> None:
    make_policy()
    found = make_organization("Tidewater")
    until = clock.now() + timedelta(days=9)
    make_standing(found, "silver", grace_until=until, grace_tier="registered")
    for number in range(9):
        measure(found.id, Measure.DEALS_WON, key=f"d{number}", source=("deal", number))
    own = sign_in(make_member(found), found)
    for html in (
        own.get("/partner/scorecard").text,
        manager.get(f"/staff/standings/{found.slug}").text,
    ):
        keep = html[html.index("The cheapest way to keep Silver") :]
        assert "8 hours of work" in keep[: keep.index("The cheapest path to Gold")]
    standing = standing_of(found.id)
    assert standing is not None
    standing.grace_until = standing.grace_tier = None
    db.session.commit()
    assert "cheapest way to keep" not in own.get("/partner/scorecard").text
