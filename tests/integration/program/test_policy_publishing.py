"""Publishing: what is published stays, what is begun is whole."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.demo.program import policy as demo_policy
from marketplace.program.policy.document import Policy
from marketplace.program.policy.documents import DocumentError
from marketplace.program.policy.live import current_policy, live_policy
from marketplace.program.policy.models import PolicyState, PolicyVersion
from marketplace.program.policy.services import drafting
from marketplace.program.policy.services.publishing import publish, publish_as_of
from marketplace.program.standing import admitting
from marketplace.program.standing.models import Standing, StandingState
from marketplace.program.standing.reading import place_of
from tests.factories.people import make_customer, make_organization
from tests.factories.program import policy_document
from tests.factories.races import at_once


def begin(**changes: object) -> PolicyVersion:
    return drafting.begin(Policy.model_validate(policy_document(**changes)), by_user_id=None)


def test_a_draft_counts_from_the_moment_it_is_published(app: Flask) -> None:
    draft = begin()
    assert current_policy() is None
    publish(draft, by_user_id=7)
    live = current_policy()
    assert live is not None
    assert live.number == 1
    assert draft.published_by_id == 7


def test_a_version_for_a_day_to_come_waits_for_it(app: Flask) -> None:
    publish(begin(), by_user_id=None)
    publish(begin(grace_days=60), by_user_id=None, effective_at=clock.now() + timedelta(days=10))
    today, then = live_policy(), live_policy(clock.now() + timedelta(days=11))
    assert today is not None
    assert today.policy.grace_days == 30
    assert then is not None
    assert then.policy.grace_days == 60
    with clock.frozen(clock.now() + timedelta(days=10, minutes=1)):
        now = live_policy()
    assert now is not None
    assert now.number == 2


@pytest.mark.parametrize("days", [-1, 1_200, 200_000])
def test_nobody_publishes_for_the_past_or_far_ahead(app: Flask, days: int) -> None:
    with pytest.raises(InvalidError):
        publish(begin(), by_user_id=None, effective_at=clock.now() + timedelta(days=days))


def test_only_the_first_version_may_be_dated_back(app: Flask) -> None:
    past = clock.now() - timedelta(days=400)
    publish_as_of(begin(), by_user_id=None, effective_at=past)
    assert live_policy(past) is not None
    with pytest.raises(ConflictError):
        publish_as_of(begin(), by_user_id=None, effective_at=past)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE policy_version SET document = '{}'",
        "UPDATE policy_version SET state = 'draft'",
        "UPDATE policy_version SET effective_at = NULL",
        "UPDATE policy_version SET note = 'x'",
        "DELETE FROM policy_version",
    ],
)
def test_the_database_itself_keeps_a_published_version(app: Flask, change: str) -> None:
    version = publish(begin(), by_user_id=None)
    db.session.commit()
    before = (version.digest, version.effective_at, version.note)
    with pytest.raises(DBAPIError):
        db.session.execute(text(change))
    db.session.rollback()
    kept = db.session.scalars(select(PolicyVersion)).one()
    assert (kept.digest, kept.effective_at, kept.note) == before
    assert kept.state is PolicyState.PUBLISHED


def test_a_published_version_is_no_draft_any_more(app: Flask) -> None:
    version = publish(begin(), by_user_id=None)
    with pytest.raises(ConflictError):
        publish(version, by_user_id=None)
    with pytest.raises(ConflictError):
        drafting.save(version, policy_document(grace_days=5), edition=1, by_user_id=None)
    with pytest.raises(ConflictError):
        drafting.discard(version, by_user_id=None)


def test_two_editors_notice_each_other(app: Flask) -> None:
    draft = begin()
    drafting.save(draft, policy_document(grace_days=5), edition=1, by_user_id=None)
    with pytest.raises(ConflictError, match="Somebody else"):
        drafting.save(draft, policy_document(grace_days=6), edition=1, by_user_id=None)
    assert draft.document["grace_days"] == 5
    drafting.save(draft, policy_document(grace_days=6), edition=2, by_user_id=None)
    assert draft.document["grace_days"] == 6


def test_a_draft_is_a_whole_policy_at_any_time(app: Flask) -> None:
    draft = begin()
    with pytest.raises(DocumentError, match="no tier gone"):
        drafting.save(
            draft,
            policy_document(spaces=[{"key": "talk", "name": "Talk", "see": "gone"}]),
            edition=1,
            by_user_id=None,
        )


def test_a_discarded_draft_is_not_published(app: Flask) -> None:
    draft = begin()
    assert drafting.discard(draft, by_user_id=None)
    assert not drafting.discard(draft, by_user_id=None)
    with pytest.raises(ConflictError):
        publish(draft, by_user_id=None)


def test_two_who_publish_at_once_get_two_numbers_or_one_is_told(app: Flask) -> None:
    ids = [begin(grace_days=days).id for days in (1, 2)]
    db.session.commit()

    def act(version_id: int) -> None:
        version = db.session.get_one(PolicyVersion, version_id)
        publish(version, by_user_id=None)
        db.session.commit()

    raised = at_once(app, [lambda each=each: act(each) for each in ids])  # type: ignore[misc]  # mypy sees no type of a default
    db.session.rollback()
    published = db.session.scalars(
        select(PolicyVersion.number).where(PolicyVersion.state == PolicyState.PUBLISHED)
    )
    numbers = sorted(number or 0 for number in published)
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) + len(raised) == 2


def test_the_demo_has_a_policy_from_before_its_first_sale(app: Flask) -> None:
    demo_policy.load(lambda _text: None)
    demo_policy.load(lambda _text: None)
    live = live_policy(clock.now() - timedelta(days=390))
    assert live is not None
    assert len(live.policy.types) == 12
    assert db.session.query(PolicyVersion).count() == 2


@pytest.mark.parametrize("days_ahead", [0, 3])
def test_partners_who_were_there_before_are_in_the_program_from_its_first_day(
    app: Flask, run_jobs: Callable[[], int], monkeypatch: pytest.MonkeyPatch, days_ahead: int
) -> None:
    monkeypatch.setattr(admitting, "BATCH", 2)
    before = [make_organization(f"Kite {number}", partner_type="reseller") for number in range(3)]
    customer = make_customer()
    db.session.commit()
    began_at = clock.now() + timedelta(days=days_ahead)
    publish(begin(), by_user_id=7, effective_at=began_at)
    db.session.commit()
    clock.shift(timedelta(days=days_ahead, minutes=1))
    later = make_organization("Late", partner_type="reseller")
    db.session.commit()
    run_jobs()
    assert [place_of(each.id).tier for each in before] == ["registered"] * 3
    assert (place_of(later.id).tier, place_of(customer.id).tier) == ("", "")

    # A later version admits nobody, and whoever left stays out.
    standing = db.session.scalars(
        select(Standing).where(Standing.organization_id == before[0].id)
    ).one()
    standing.state = StandingState.ENDED
    publish(begin(grace_days=60), by_user_id=7)
    db.session.commit()
    run_jobs()
    assert (place_of(before[0].id).tier, place_of(later.id).tier) == ("", "")
