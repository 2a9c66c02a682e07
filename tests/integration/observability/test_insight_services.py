"""What insight asks and writes, on both databases."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from billing.public_ids import new_public_id
from marketplace.accreditation.authorizations.models import Authorization
from marketplace.accreditation.authorizations.models import CheckState as Checked
from marketplace.accreditation.passport.models import Recognition
from marketplace.accreditation.verification.models import DomainProof
from marketplace.core import clock, jobs
from marketplace.core.database import db
from marketplace.core.errors import InvalidError
from marketplace.core.facts import Fact, record_fact, verify_chain
from marketplace.core.jobs import Job
from marketplace.core.permissions import Actor
from marketplace.core.unit_of_work import unit_of_work
from marketplace.identity.models import Role
from marketplace.observability.cockpit import queries as cockpit
from marketplace.observability.cockpit.models import PartnerMessage
from marketplace.observability.cockpit.queries import PartnerFilter
from marketplace.observability.cockpit.services import write_to
from marketplace.observability.dashboard.suggestions import unused_benefits
from marketplace.observability.dashboard.tiles import TILES, figures
from marketplace.observability.governance.checking import ask_for_check
from marketplace.observability.governance.models import ChainCheck, CheckState
from marketplace.observability.governance.providers import KINDS, PROVIDERS, plans
from marketplace.observability.governance.queries import (
    FactFilter,
    overrides_in_force,
    page_of_facts,
)
from marketplace.observability.periods import Period, zone_of
from marketplace.observability.ranking.services import signals_of
from marketplace.observability.reciprocity.statement import statement_of
from marketplace.observability.reports import services as reports
from marketplace.observability.reports.models import ActivityReport, ReportScope, ReportSending
from marketplace.observability.reports.queries import all_reports
from marketplace.observability.reports.snapshot import partner_snapshot, program_snapshot
from marketplace.observability.waiting import waiting
from marketplace.pipeline.campaigns.models import Campaign, CampaignState
from marketplace.pipeline.ideas.models import IdeaClaim
from marketplace.program.applications.models import BusinessPlan, Milestone, PlanState, RoundPlace
from marketplace.program.measures import Measure, measure
from marketplace.program.scorecards import directory
from marketplace.program.scorecards.directory import Filters
from marketplace.program.standing.models import StandingState, TierOverride
from marketplace.program.standing.reading import place_of
from marketplace.program.vouchers.models import Voucher
from tests.factories.listings import make_listing
from tests.factories.people import make_member, make_organization, make_platform
from tests.factories.program import make_policy, make_standing, policy_document
from tests.factories.program_worlds import make_program_world
from tests.factories.races import at_once

DAY = datetime(2026, 11, 20, 10, tzinfo=UTC)


def test_the_cockpits_questions(app: Flask) -> None:
    with clock.frozen(DAY):
        make_policy()
        quiet, busy = make_organization("Quiet", country="DE"), make_organization("Busy")
        for each in (quiet, busy):
            make_standing(each, "silver", joined_at=DAY - timedelta(days=90))
        for number, minutes in enumerate((10, 20)):
            measure(
                quiet.id,
                Measure.RESPONSE_MINUTES,
                minutes,
                key=f"r{number}",
                source=("lead", number),
                at=DAY - timedelta(days=number),
            )
        measure(busy.id, Measure.ACTIVITY, key="a", source=("portal_day", "x"))
        page = cockpit.page_of_silences(DAY, quiet_only=True, sort="silence", page=1)
        assert [row.name for row in page.items] == ["Quiet"]
        assert (page.items[0].reply_minutes, page.items[0].days) == (15, 90)
        every = cockpit.page_of_silences(DAY, quiet_only=False, sort="replies", page=9)
        assert [row.name for row in every.items] == ["Quiet", "Busy"]
        found = cockpit.standings(DAY)
        assert (found.total, found.in_grace, found.by_tier) == (2, 0, {"silver": 2})
        assert all(queue.count == 0 for queue in waiting(DAY))
        germans = cockpit.page_of_partners(PartnerFilter(country="DE"), 1)
        assert [row.name for row in germans.items] == ["Quiet"]
        for state in ("grace", "provisional", "moon"):
            assert cockpit.page_of_partners(PartnerFilter(state=state), 1).page == 1
        assert cockpit.page_of_moves(DAY - timedelta(days=30), 1).total == 0


def test_pages_and_reports_count_the_same_partners(app: Flask) -> None:
    with clock.frozen(DAY):
        make_policy()
        soon, past = DAY + timedelta(days=5), DAY - timedelta(minutes=1)
        kept = make_organization("Kept")
        make_standing(kept, "gold", grace_until=soon, grace_tier="silver")
        make_standing(make_organization("Over"), "gold", grace_until=past, grace_tier="silver")
        gone = make_organization("Gone", suspended_at=DAY)
        make_standing(gone, "gold", grace_until=soon, grace_tier="silver")
        lapsed = make_organization("Lapsed")
        make_standing(lapsed, "gold", state=StandingState.LAPSED, points=7, grace_until=soon)
        found = cockpit.standings(DAY)
        assert (found.by_tier, found.in_grace) == ({"gold": 2}, 1)
        assert (directory.counts_by_tier(), directory.in_grace()) == ({"gold": 2}, 1)
        listed, total, _page = directory.page_of_partners(Filters(state="grace"), 1)
        assert ([each.organization.name for each in listed], total) == (["Kept"], 1)
        assert ["Gold", 2] in program_snapshot("2026-10", "All")["tiers"]
        report = partner_snapshot(lapsed, "2026-10")
        assert (report["tier"], report["points"]) == ("", 0)


def test_what_ends_and_who_governs(app: Flask) -> None:
    with clock.frozen(DAY):
        make_policy()
        partner = make_organization()
        make_standing(partner, "gold", grace_until=DAY + timedelta(days=2), grace_tier="silver")
        db.session.add(
            TierOverride(
                public_id=new_public_id("ovr"),
                organization_id=partner.id,
                tier="gold",
                reason="Late audit",
                expires_at=DAY + timedelta(days=3),
            )
        )
        db.session.commit()
        with app.test_request_context():
            end = DAY + timedelta(days=30)
            kinds = [each.kind for provider in PROVIDERS for each in provider(DAY, end)]
        assert kinds == ["override", "grace"]
        assert [each.reason for each in overrides_in_force(DAY)] == ["Late audit"]


def test_the_calendar_knows_every_kind_of_end(app: Flask) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    document = policy_document()
    document["metrics"].append(
        {"key": "evidence", "name": "Evidence", "measure": "evidence", "how": "age",
         "window_days": None, "higher_is_better": False}
    )  # fmt: skip
    document["tiers"][1]["requirements"] = [{"metric": "evidence", "threshold": 90}]
    make_policy()
    partner = make_organization("Quayside")
    owner = make_member(partner)
    make_standing(partner, "silver")
    make_program_world(partner=partner, owner=owner, customer=owner, listing=make_listing(partner))
    make_policy(document, effective_at=clock.now())
    # All in an hour of their own, ten days ahead; what is kept by days, on that day.
    at = (now + timedelta(days=10)).replace(hour=12)
    measure(partner.id, Measure.EVIDENCE, key="e", source=("test", 1), at=at - timedelta(days=91))
    ends: list[tuple[Any, dict[str, Any]]] = [
        (Authorization, {"check": Checked.ACCEPTED, "expires_on": at.date()}),
        (Campaign, {"state": CampaignState.APPROVED, "ends_on": at.date()}),
        (DomainProof, {"state": "verified", "method": "email",
                       "verified_at": at - timedelta(days=358)}),
        (Recognition, {"expires_at": at}),
        (RoundPlace, {"ends_at": at}),
        (Milestone, {"due_at": at}),
        (IdeaClaim, {"protected_until": at}),
        (Voucher, {"expires_at": at}),
    ]  # fmt: skip
    for model, values in ends:
        first = db.session.scalars(select(model.id).order_by(model.id)).first()
        assert first is not None, model
        db.session.execute(update(model).where(model.id == first).values(**values))
    plan = db.session.scalars(select(BusinessPlan)).one()
    plan.state = PlanState.APPROVED
    db.session.commit()
    wanted = {"authorization", "campaign", "domain", "recognition", "track", "gate", "claim",
              "voucher", "evidence"}  # fmt: skip
    days = (at.replace(hour=0, minute=0, second=0), at.replace(hour=23, minute=59, second=59))
    with app.test_request_context():
        found = [
            each
            for provider in PROVIDERS
            for each in provider(days[0], days[1] + timedelta(seconds=1), None)
        ]
        by_kind = {each.kind: each for each in found if each.kind in wanted}
        assert set(by_kind) == wanted
        assert all(days[0] <= each.at <= days[1] for each in by_kind.values())
        assert {each.kind for each in found} <= set(KINDS)
        assert by_kind["evidence"].title == "Quayside: Evidence gets too old for Silver"
        year = datetime(plan.year, 12, 1, tzinfo=UTC)
        (one,) = plans(year, year + timedelta(days=31))
        assert (one.kind, one.at.month, one.at.day) == ("plan", 12, 31)
        assert not plans(year, year + timedelta(days=29))
        # Nobody is told of what is over: before and after that day there is nothing of it.
        for begin, end in (
            (days[0] - timedelta(days=1), days[0]),
            (days[1], at + timedelta(days=2)),
        ):
            kinds = {each.kind for provider in PROVIDERS for each in provider(begin, end, None)}
            assert not kinds & (wanted - {"authorization", "campaign"}), (begin, kinds)


def test_a_walk_commits_its_progress_and_ends_with_what_it_found(app: Flask) -> None:
    with unit_of_work():
        for number in range(7):
            record_fact("listing.published", subject=("listing", number))
    seen: list[int] = []
    assert list(verify_chain(3, after_batch=seen.append)) == []
    assert seen == [3, 6, 7]
    with unit_of_work():
        assert ask_for_check(None)
        assert not ask_for_check(None)
    jobs.run_due()
    db.session.expire_all()
    check = db.session.scalars(select(ChainCheck)).one()
    assert (check.state, check.broken, check.looked_at) == (CheckState.PASSED, [], 8)
    rows, following = page_of_facts(FactFilter(kind="audit.", actor="1"), None)
    assert (rows, following) == ([], None)
    rows, _following = page_of_facts(FactFilter(kind="audit.", last=date(2999, 1, 1)), 2**63 - 1)
    assert [row.kind for row in rows] == ["audit.check_passed", "audit.check_asked"]


def test_two_workers_make_one_report_and_mail_it_once(app: Flask) -> None:
    with clock.frozen(DAY):
        make_policy()
        partner = make_organization("Quayside")
        make_standing(partner)
        owner = make_member(partner, Role.OWNER)
        make_listing(partner)
        db.session.commit()
        partner_id, owner_id = partner.id, owner.id
        cause = reports.scheduled_cause(ReportScope.PARTNER, partner_id, "2026-10")

        def make() -> None:
            with unit_of_work():
                organization = db.session.get(type(partner), partner_id)
                reports.make_report(ReportScope.PARTNER, organization, "2026-10", cause=cause)

        for error in at_once(app, [make, make, make]):
            assert "locked" in str(error)
        make()
    db.session.expire_all()
    assert db.session.scalar(select(func.count()).select_from(ActivityReport)) == 1
    assert db.session.scalars(select(ReportSending.user_id)).all() == [owner_id]
    mails = select(func.count()).select_from(Job).where(Job.kind == "mail.send")
    assert db.session.scalar(mails) == 1
    facts = select(func.count()).select_from(Fact).where(Fact.kind == "activity_report.made")
    assert db.session.scalar(facts) == 1
    assert len(db.session.scalars(all_reports(ReportScope.PARTNER, "2026-10", "quay")).all()) == 1


def test_a_report_of_the_program_and_its_limits(app: Flask) -> None:
    with clock.frozen(DAY):
        make_policy(goals=[{"key": "deals", "name": "Deals", "measure": "deals_won", "target": 5}])
        make_standing(make_organization(), "gold")
        manager = make_member(make_platform(), Role.PROGRAM_MANAGER)
        reports.set_schedule(
            ReportScope.PROGRAM, is_on=True, day=28, staff_ids=[manager.id], by_user_id=manager.id
        )
        report = reports.make_report(ReportScope.PROGRAM, None, "2026-10", cause="now:1")
        assert report is not None
        assert report.data["tiers"] == [["Registered", 0], ["Silver", 0], ["Gold", 1]]
        assert report.data["goals"][0]["target"] == 5
        assert [user.id for user in reports.receivers(report)] == [manager.id]
        assert reports.make_report(ReportScope.PROGRAM, None, "2026-10", cause="now:1") is None
        for month in ("2026-11", "2027-01", "", "x"):
            with pytest.raises(InvalidError):
                reports.make_report(ReportScope.PROGRAM, None, month, cause=f"now:{month}")


def test_statements_and_figures_of_everybody(app: Flask) -> None:
    partner = make_organization()
    listing = make_listing(partner)
    measure(partner.id, Measure.DEALS_WON, key="d", source=("deal", 1), at=DAY)
    period = Period(date(2026, 11, 1), date(2026, 11, 30), zone_of("UTC"))
    found = {each.tile.key: each.value for _side, each in statement_of(partner.id, period).lines()}
    assert found["deals"] == 1
    assert found["fees"] == found["benefits"] == found["marketing"] == 0
    assert {each.tile.key for each in figures(TILES, None, period)} == {t.key for t in TILES}
    assert signals_of([listing.id])[listing.id].uses == 0


def test_benefits_that_were_claimed_are_suggested_no_more(app: Flask) -> None:
    from marketplace.program.benefits.services.claiming import claim

    live = make_policy(
        benefits=[
            {"key": "seat", "name": "Summit seat", "per_year": {"silver": 2}},
            {"key": "box", "name": "Sandbox", "used_by": "sandbox.made"},
        ]
    )
    partner = make_organization()
    make_standing(partner, "silver")

    def suggested() -> list[str]:
        return [each.key for each in unused_benefits(live.policy, place_of(partner.id))]

    assert suggested() == ["seat", "box"]
    claim(partner.id, "seat", note="", by_user_id=None)
    assert suggested() == ["box"]


def test_the_same_form_writes_to_a_partner_once(app: Flask) -> None:
    partner = make_organization()
    make_member(partner, Role.OWNER)
    staff = make_member(make_platform(), Role.SUPPORT)
    db.session.commit()
    partner_id, actor = partner.id, Actor(user_id=staff.id, name="Mei")

    def send() -> None:
        with unit_of_work():
            found = db.session.get(type(partner), partner_id)
            assert found is not None
            write_to(found, subject="Hello", body="There", form_key="one", actor=actor)

    for error in at_once(app, [send, send, send]):
        assert "locked" in str(error)
    send()
    assert db.session.scalar(select(func.count()).select_from(PartnerMessage)) == 1
    mails = select(func.count()).select_from(Job).where(Job.kind == "mail.send")
    assert db.session.scalar(mails) == 1
