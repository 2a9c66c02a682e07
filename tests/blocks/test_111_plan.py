"""111 Plan: P submits a business plan, O approves it, progress tracks; no Gold without it."""

import re
from datetime import UTC, datetime, timedelta

from flask import Flask
from sqlalchemy import func, select

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.identity.models import Role
from marketplace.program.applications.models import BusinessPlan, PlanActivity, PlanState
from marketplace.program.measures import Measure, Measurement, measure
from marketplace.program.scorecards.services.evaluation import evaluate
from tests.conftest import SignIn
from tests.factories.mails import mails
from tests.factories.people import make_member, make_organization, make_user
from tests.factories.program import make_policy, make_standing, policy_document
from tests.factories.rounds import make_judges, seen_on

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)


def tier_on(page: str) -> str:
    """The tier that a scorecard says."""
    found = re.search(r">Tier</p>\s*<p class=\"stat-value\">([^<]+)", page)
    return found[1].strip() if found else ""


def test_111_plan(app: Flask, sign_in: SignIn) -> None:
    document = policy_document()
    document["metrics"].append(
        {
            "key": "plans",
            "name": "Approved plans",
            "measure": "plans",
            "how": "level",
            "window_days": None,
        }
    )
    document["tiers"][1] = {"key": "silver", "name": "Silver"}
    document["tiers"][2] = {
        "key": "gold",
        "name": "Gold",
        "requirements": [{"metric": "plans", "threshold": 1}],
    }
    with clock.frozen(NOW):
        make_policy(document)
        judges = make_judges()
        partner = make_organization("Quayside")
        make_standing(partner, "silver")
        owner = make_member(partner, Role.OWNER, make_user("Ada Okafor", "ada@quayside.example"))
        db.session.commit()
        mine, boss = sign_in(owner, partner), sign_in(judges.manager, judges.platform)

        assert mine.post("/partner/business-plans", data={"year": "2031"}).status_code == 303
        assert db.session.scalar(select(func.count()).select_from(BusinessPlan)) == 0
        assert mine.post("/partner/business-plans", data={"year": "2026"}).status_code == 303
        plan = db.session.scalars(select(BusinessPlan)).one()
        here, desk = (
            f"/partner/business-plans/{plan.public_id}",
            f"/staff/business-plans/{plan.public_id}",
        )
        assert boss.get(desk).status_code == 404
        typed = {
            "edition": "1",
            "submit": "1",
            "summary": "We bring ten customers of the fishing trade, you train our people.",
            "goals-0-metric": "deals",
            "goals-0-target": "10",
            "goals-1-metric": "revenue",
            "goals-1-target": "25,000.00",
            "activities-0-title": "Run a webinar",
            "activities-0-due_on": "2026-05-01",
            "activities-0-side": "partner",
            "activities-1-title": "Train two engineers",
            "activities-1-due_on": "2026-06-01",
            "activities-1-side": "operator",
        }
        wrong = mine.post(f"{here}/edit", data={**typed, "goals-0-target": "many"})
        assert wrong.status_code == 422
        assert "Run a webinar" in wrong.text
        assert mine.post(f"{here}/edit", data=typed).status_code == 303

        # Handed in, not approved: Gold stays closed.
        assert evaluate(partner.id).earned_tier == "silver"
        db.session.commit()
        step = f"{desk}/approval"
        back_again = {"return": "1", **seen_on(boss.get(desk).text, step)}
        assert boss.post(step, data=back_again).status_code == 422
        back = boss.post(step, data={"note": "Name the markets.", **back_again})
        assert back.status_code == 303
        assert "Name the markets." in mine.get(here).text
        assert evaluate(partner.id).earned_tier == "silver"
        db.session.commit()
        assert mine.post(f"{here}/edit", data={**typed, "edition": "2"}).status_code == 303
        agreed = {"note": "Agreed.", **seen_on(boss.get(desk).text, step)}
        assert boss.post(step, data=agreed).status_code == 303
        late = boss.post(step, data=agreed)
        assert late.status_code == 409
        assert "It has changed meanwhile" in late.text

    with clock.frozen(NOW + timedelta(minutes=1)):
        assert mine.post("/partner/scorecard/evaluate").status_code == 303
        assert tier_on(mine.get("/partner/scorecard").text) == "Gold"
        measure(partner.id, Measure.DEALS_WON, 1, key="one", source=("test", 1))
        measure(
            partner.id,
            Measure.NET_REVENUE,
            500_000,
            key="sale",
            source=("test", 2),
            currency="EUR",
        )
        db.session.commit()
        page = mine.get(here)
        assert "1 of 10" in page.text
        assert "€5,000.00 of €25,000.00" in page.text
        ours, theirs = db.session.scalars(select(PlanActivity).order_by(PlanActivity.id)).all()
        assert mine.post(f"{here}/activities/{ours.id}", data={"done": "1"}).status_code == 303
        assert mine.post(f"{here}/activities/{theirs.id}", data={"done": "1"}).status_code == 409
        assert boss.post(f"{desk}/activities/{theirs.id}", data={"done": "1"}).status_code == 303

    # The level ends with the year, written ahead.
    levels = db.session.execute(
        select(Measurement.amount, Measurement.counts_at)
        .where(Measurement.measure == "plans")
        .order_by(Measurement.id)
    ).all()
    assert [amount for amount, _ in levels] == [1, -1]
    assert levels[1].counts_at == datetime(2027, 1, 1, tzinfo=UTC)
    with clock.frozen(datetime(2027, 1, 2, tzinfo=UTC)):
        assert evaluate(partner.id).earned_tier == "silver"


def test_a_plan_is_taken_back_and_reopened(app: Flask, sign_in: SignIn) -> None:
    with clock.frozen(NOW):
        make_policy()
        judges = make_judges()
        partner = make_organization("Quayside")
        make_standing(partner)
        owner = make_member(partner, Role.OWNER, make_user("Ada Okafor", "ada@quayside.example"))
        db.session.commit()
        mine, boss = sign_in(owner, partner), sign_in(judges.manager, judges.platform)
        mine.post("/partner/business-plans", data={"year": "2026"})
        plan = db.session.scalars(select(BusinessPlan)).one()
        here = f"/partner/business-plans/{plan.public_id}"
        desk = f"/staff/business-plans/{plan.public_id}"
        typed = {
            "submit": "1",
            "summary": "We bring ten customers of the fishing trade, you train our people.",
            "goals-0-metric": "deals",
            "goals-0-target": "1000",
            "activities-0-title": "Run a webinar",
            "activities-0-due_on": "2026-05-01",
            "activities-0-side": "partner",
        }

        def hand_in(**changes: str) -> None:
            db.session.expire_all()
            data = {**typed, "edition": str(plan.edition), **changes}
            assert mine.post(f"{here}/edit", data=data).status_code == 303

        def approve() -> int:
            step = f"{desk}/approval"
            return boss.post(step, data=seen_on(boss.get(desk).text, step)).status_code

        def counts(at: datetime) -> int:
            query = select(func.sum(Measurement.amount)).where(
                Measurement.measure == "plans", Measurement.counts_at <= at
            )
            return db.session.scalar(query) or 0

        hand_in()
        assert "Take it back" in mine.get(here).text
        for _click in range(2):
            assert mine.post(f"{here}/taking-back").status_code == 303
        assert "Draft" in mine.get(here).text
        taken = boss.get(desk)
        assert taken.status_code == 200
        assert "The partner took it back on" in taken.text
        assert "fishing trade" not in taken.text
        assert approve() == 409
        hand_in()
        assert approve() == 303
        assert mine.post(f"{here}/taking-back", follow_redirects=True).status_code == 200
        activity = db.session.scalars(select(PlanActivity)).one()
        mine.post(f"{here}/activities/{activity.id}", data={"done": "1"})
        end = datetime(2026, 12, 31, tzinfo=UTC)
        assert (counts(NOW), counts(end), counts(end + timedelta(days=2))) == (1, 1, 0)

        # The target was a slip: reopened with a reason, it does not count until approved anew.
        refused = boss.post(f"{desk}/reopening", data={"note": " "})
        assert refused.status_code == 422
        assert "Say what must change." in refused.text
        reopened = {"note": "You meant 10, not 1,000."}
        for _click in range(2):
            assert boss.post(f"{desk}/reopening", data=reopened).status_code == 303
        assert "You meant 10" in mine.get(here).text
        assert [mail["subject"] for mail in mails()].count("Your business plan for 2026") == 2
        assert (counts(NOW), counts(end), counts(end + timedelta(days=2))) == (0, 0, 0)
        hand_in(**{"goals-0-target": "10"})
        assert approve() == 303
        assert (counts(NOW), counts(end), counts(end + timedelta(days=2))) == (1, 1, 0)
        assert "0 of 10" in mine.get(here).text
        # What was done stays done.
        assert db.session.scalars(select(PlanActivity)).one().done_at == NOW


def test_ones_own_plan_is_not_reopened(app: Flask, sign_in: SignIn) -> None:
    with clock.frozen(NOW):
        make_policy()
        judges = make_judges()
        partner = make_organization("Quayside")
        make_standing(partner)
        make_member(partner, Role.EDITOR, judges.manager)
        plan = BusinessPlan(
            public_id="pln_1", organization_id=partner.id, year=2026, state=PlanState.APPROVED,
            summary="Together.", goals=[], submitted_at=NOW,
        )  # fmt: skip
        db.session.add(plan)
        db.session.commit()
        boss = sign_in(judges.manager, judges.platform)
        answer = boss.post("/staff/business-plans/pln_1/reopening", data={"note": "Change it."})
        assert answer.status_code == 403
