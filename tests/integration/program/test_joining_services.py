"""Joining, playbooks and invitations on both databases."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from billing.public_ids import new_public_id
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError
from marketplace.core.permissions import ANONYMOUS, Actor
from marketplace.core.unit_of_work import unit_of_work
from marketplace.identity.models import Invitation, Membership, Organization, Role, User
from marketplace.identity.queries import people_to_write
from marketplace.identity.services.invitations import invite, revoke
from marketplace.identity.sessions import actor_of, hash_token, start_session
from marketplace.program.benefits.models import BenefitClaim
from marketplace.program.benefits.queries import told_of
from marketplace.program.measures import Measurement
from marketplace.program.onboarding.holders import holder_of
from marketplace.program.onboarding.jobs import invite_owners_again, remind_of_tasks
from marketplace.program.onboarding.models import (
    JoinAsk,
    JoinRequest,
    JoinState,
    PartnerInvite,
    PartnerTask,
)
from marketplace.program.onboarding.obligations import task_obligations
from marketplace.program.onboarding.reading import coverage, progress_of
from marketplace.program.onboarding.services import asking, inviting
from marketplace.program.onboarding.services.admitting import admission_decided, admit
from marketplace.program.onboarding.services.joining import (
    Wish,
    find_request,
    finish,
    submit,
)
from marketplace.program.onboarding.services.tasks import begin_playbook, due_at, set_done
from marketplace.program.policy.live import LivePolicy
from marketplace.program.standing.models import MoveKind, StandingMove
from tests.factories.mails import mails
from tests.factories.onboarding_world import make_task
from tests.factories.people import make_customer, make_member, make_organization, make_user
from tests.factories.program import make_policy, make_standing, policy_document
from tests.factories.queries import count_queries
from tests.factories.races import at_once


def actor_for(user: User, organization: Organization | None = None) -> Actor:
    row, _token = start_session(user, organization_id=organization.id if organization else None)
    return actor_of(row)


def wish(live: LivePolicy, key: str, **changes: object) -> Wish:
    kind = live.policy.type(key)
    assert kind is not None
    values: dict[str, object] = {
        "kind": kind,
        "answers": {},
        "organization_name": "Byte Harbor",
        "website": "byte-harbor.example",
        "country": "DE",
        "name": "Dee Park",
        "email": "dee@byte-harbor.example",
    }
    return Wish(**{**values, **changes})  # type: ignore[arg-type]  # a table of fields


def test_two_clicks_on_a_link_make_one_partner(app: Flask) -> None:
    live = make_policy()
    submit(wish(live, "developer"), ANONYMOUS)
    body = next(each["body"] for each in mails() if "Confirm your address" in each["subject"])
    token = body.partition("token=")[2].split()[0]
    dee = make_user("Dee Park", "dee@byte-harbor.example")
    actor = actor_for(dee)
    db.session.commit()

    def click() -> None:
        with unit_of_work():
            request = find_request(token)
            if request is None:
                raise ConflictError("used")
            finish(request, actor)

    raised = at_once(app, [click, click, click])
    # SQLite tells the slower ones that somebody else wrote; they made nothing either.
    assert len(raised) == 2
    db.session.rollback()
    assert db.session.scalar(select(func.count()).select_from(Organization)) == 1
    assert db.session.scalar(select(func.count()).select_from(Membership)) == 1


def test_the_same_type_on_the_same_day_has_identical_tasks_once(app: Flask) -> None:
    types = policy_document()["types"]
    types[0]["playbook"] = [
        {"key": "call", "title": "Call", "due_days": 0},
        {"key": "plan", "title": "Plan", "due_days": 30, "side": "operator"},
    ]
    make_policy(types=types)
    one, two = make_organization("One"), make_organization("Two")
    with clock.frozen(datetime(2026, 12, 31, 23, 30, tzinfo=UTC)):
        for organization in (one, two):
            admit(organization, "technology", by_user_id=None)
        assert begin_playbook(one.id) == 0
        db.session.flush()
        rows = db.session.scalars(select(PartnerTask).order_by(PartnerTask.id)).all()
        found = {
            each.id: [
                (row.key, row.side, row.due_at) for row in rows if row.organization_id == each.id
            ]
            for each in (one, two)
        }
    assert found[one.id] == found[two.id]
    assert [row[2] for row in found[one.id]] == [
        datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC),
        datetime(2027, 1, 30, 23, 59, 59, tzinfo=UTC),
    ]
    assert due_at(datetime(2026, 2, 28, 12, tzinfo=UTC), 1).day == 1
    assert [each.side for each in task_obligations(one.id)] == ["partner", "operator"]


def test_a_task_is_reminded_of_once_by_several_workers(
    app: Flask, run_jobs: Callable[[], int]
) -> None:
    partner = make_organization("One")
    owner = make_member(partner)
    policy = make_policy()
    task = make_task(partner, policy.id, days=2)
    done = make_task(partner, policy.id, title="Done before", days=2)
    set_done(done, done=True, user_id=owner.id)
    db.session.commit()

    def tick() -> None:
        with unit_of_work():
            remind_of_tasks({})

    at_once(app, [tick, tick])
    db.session.rollback()
    tick()
    soon = [each for each in mails() if each["subject"].endswith("are due soon")]
    assert [each["to"] for each in soon] == [owner.email]
    assert "Done before" not in soon[0]["body"]
    with clock.frozen(task.due_at + timedelta(seconds=1)):
        tick()
        tick()
    late = [each for each in mails() if each["subject"].endswith("are late")]
    assert len(late) == 1


def test_nobody_is_written_who_is_gone_or_whose_organization_is_suspended(app: Flask) -> None:
    policy = make_policy()
    partner, suspended = make_organization("One"), make_organization("Two")
    owner, gone = make_member(partner), make_member(partner)
    make_member(suspended)
    gone.deactivated_at = suspended.suspended_at = clock.now()
    for organization in (partner, suspended):
        make_task(organization, policy.id, days=1)
    remind_of_tasks({})
    assert [each["to"] for each in mails()] == [owner.email]
    assert list(people_to_write(suspended.id, list(Role))) == []
    claim = BenefitClaim(organization_id=partner.id, claimed_by_id=gone.id)
    assert told_of(claim) == [owner]


def test_the_first_owner_is_invited_again_until_somebody_owns_it(app: Flask) -> None:
    live = make_policy()
    submit(wish(live, "reseller", answers={}), ANONYMOUS)
    request = db.session.scalars(select(JoinRequest)).one()

    class Decision:
        id = request.application_id or 0
        public_id = "app_1"
        kind = "admission:reseller"
        organization_id = None

    admission_decided(Decision(), True)
    admission_decided(Decision(), True)
    db.session.commit()
    assert request.state is JoinState.JOINED
    invitations = select(func.count()).select_from(Invitation)
    assert db.session.scalar(invitations) == 1
    invite_owners_again({})
    assert db.session.scalar(invitations) == 1
    for week in range(1, 8):
        with clock.frozen(clock.now() + timedelta(days=8 * week)):
            invite_owners_again({})
            db.session.commit()
    assert db.session.scalar(invitations) == 4


def test_an_application_that_is_declined_makes_nothing(app: Flask) -> None:
    live = make_policy()
    submit(wish(live, "reseller"), ANONYMOUS)
    request = db.session.scalars(select(JoinRequest)).one()

    class Decision:
        id = request.application_id or 0
        public_id = "app_1"
        kind = "admission:reseller"
        organization_id = None

    admission_decided(Decision(), False)
    assert request.state is JoinState.DECLINED
    assert db.session.scalar(select(func.count()).select_from(Organization)) == 0


def test_of_two_applications_of_one_domain_the_second_makes_no_second_organization(
    app: Flask,
) -> None:
    live = make_policy()
    submit(wish(live, "reseller"), ANONYMOUS)
    submit(wish(live, "technology", email="ole@byte-harbor.example"), ANONYMOUS)
    first, second = db.session.scalars(select(JoinRequest).order_by(JoinRequest.id)).all()
    for request in (first, second):

        class Decision:
            id = request.application_id or 0
            public_id = "app"
            kind = f"admission:{request.partner_type}"
            organization_id = None

        admission_decided(Decision(), True)
    assert db.session.scalar(select(func.count()).select_from(Organization)) == 1
    assert second.state is JoinState.DECLINED


def test_a_domain_belongs_to_the_partner_that_has_it(app: Flask) -> None:
    website = make_organization("Site", website="https://www.site.example/about")
    by_owner = make_organization("Owner")
    make_member(by_owner, Role.OWNER, make_user("Ann", "ann@mail.owner.example"))
    make_member(by_owner, Role.VIEWER, make_user("Vic", "vic@viewer.example"))
    customer = make_customer("Secret Customer")
    customer.website = "https://secret.example"
    sandbox = make_customer("Sandbox")
    sandbox.website, sandbox.sandbox_of_id = "https://sandbox.example", website.id
    suspended = make_organization("Gone", website="gone.example", suspended_at=clock.now())
    suspended.website = "https://gone.example"
    db.session.flush()
    found = {
        domain: holder_of((domain,))
        for domain in (
            "site.example",
            "owner.example",
            "viewer.example",
            "secret.example",
            "sandbox.example",
            "gone.example",
            "te.example",
        )
    }
    names = {domain: each.name if each else None for domain, each in found.items()}
    assert names == {
        "site.example": "Site",
        # Not told to strangers: who its owner is, that a customer exists, that one is suspended.
        "owner.example": "",
        "secret.example": "",
        "gone.example": "",
        "viewer.example": None,
        "sandbox.example": None,
        # Part of a name is another name.
        "te.example": None,
    }


def test_owners_hear_of_few_who_ask_to_be_let_in(app: Flask) -> None:
    partner = make_organization("One")
    owner = make_member(partner)
    asked = [asking.ask_owners(partner, f"p{n}@one.example", f"P {n}") for n in range(7)]
    assert asked == [True] * 5 + [False] * 2
    assert asking.ask_owners(partner, "p0@one.example", "P 0") is False
    assert len([each for each in mails() if each["to"] == owner.email]) == 5
    nobody = make_organization("Nobody")
    assert asking.ask_owners(nobody, "p@x.example", "P") is False


def test_who_cannot_be_invited_now_can_be_let_in_later(app: Flask) -> None:
    partner = make_organization("One")
    owner = make_member(partner)
    asking.ask_owners(partner, "pia@one.example", "Pia")
    ask = db.session.scalars(select(JoinAsk)).one()
    actor = actor_for(owner, partner)
    first = invite(
        actor, partner, email="pia@one.example", role="viewer", public_url="http://localhost"
    )
    with pytest.raises(ConflictError):
        asking.answer(ask, accept=True, actor=actor)
    assert (ask.answered_at, ask.accepted) == (None, False)
    revoke(actor, first)
    assert asking.answer(ask, accept=True, actor=actor)
    assert ask.accepted


def test_an_inviter_is_credited_once_however_often_it_is_asked(app: Flask) -> None:
    make_policy()
    inviter, invited = make_organization("One"), make_organization("Two")
    make_standing(inviter)

    def invite(email: str) -> PartnerInvite:
        row = PartnerInvite(
            public_id=new_public_id("inv"),
            inviter_id=inviter.id,
            email=email,
            code_hash=hash_token(email),
            expires_at=clock.now() + timedelta(days=9),
        )
        db.session.add(row)
        db.session.flush()
        return row

    def request(row: PartnerInvite) -> JoinRequest:
        found = JoinRequest(
            public_id=new_public_id("join"),
            partner_type="technology",
            answers={},
            email="x@two.example",
            invite_id=row.id,
        )
        db.session.add(found)
        db.session.flush()
        return found

    first, second = invite("a@two.example"), invite("b@two.example")
    assert inviting.credit(request(first), invited) is True
    assert inviting.credit(request(first), invited) is False
    # Invited by another address again: the same organization counts once.
    assert inviting.credit(request(second), invited) is False
    assert second.not_credited_because == "repeated"
    assert db.session.scalar(select(func.sum(Measurement.amount))) == 1


def test_a_change_of_type_keeps_the_tier_and_begins_the_other_playbook(app: Flask) -> None:
    types = policy_document()["types"]
    types[2]["playbook"] = [{"key": "prices", "title": "Price list", "due_days": 5}]
    make_policy(types=types)
    partner = make_organization("One", partner_type="technology")
    make_standing(partner, "gold")
    standing = admit(partner, "reseller", by_user_id=None)
    admit(partner, "reseller", by_user_id=None)
    assert (standing.tier, partner.partner_type) == ("gold", "reseller")
    kinds = db.session.scalars(select(StandingMove.kind)).all()
    assert kinds == [MoveKind.TYPE_CHANGED]
    assert db.session.scalars(select(PartnerTask.key)).all() == ["prices"]


def test_the_coverage_map_counts_who_is_in_the_program(app: Flask) -> None:
    make_policy()
    for name, country in (("A", "DE"), ("B", "DE"), ("C", None)):
        make_standing(make_organization(name, country=country))
    make_organization("Not in it", country="DE")
    make_standing(make_organization("Suspended", country="DE", suspended_at=clock.now()))
    assert coverage() == [("", "technology", 1), ("DE", "technology", 2)]


def test_progress_costs_the_same_whatever_there_is(app: Flask) -> None:
    types = policy_document()["types"]
    types[0]["getting_started"] = [
        {"key": f"step_{n}", "title": f"Step {n}", "done_by": f"thing.done_{n}"} for n in range(9)
    ] + [{"key": "listing", "title": "List", "done_by": "measure:listings"}]
    make_policy(types=types)
    partner = make_organization("One")
    db.session.commit()
    assert count_queries(lambda: progress_of(partner.id)) <= 4
    progress = progress_of(partner.id)
    assert (progress.done, progress.total) == (0, 10)
    assert progress_of(999_999).total == 0
