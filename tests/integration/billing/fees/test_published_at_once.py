"""A draft of fees is written and published one after the other."""

from datetime import timedelta

import pytest
from flask import Flask

from billing import fee_schedules
from billing.fee_schedules import RuleValue, publish_draft, put_rule, start_draft
from billing.models import FeeKind, FeeSchedule
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError
from tests.factories.races import meanwhile

pytestmark = pytest.mark.timeout(30)


def test_a_fee_is_not_changed_while_its_schedule_is_published(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    draft = start_draft("Next", copy_of=None, by_user_id=None)
    put_rule(draft, RuleValue(FeeKind.SALE, bps=2_000))
    draft_id = draft.id
    db.session.commit()

    def change() -> None:
        found = db.session.get_one(FeeSchedule, draft_id)
        put_rule(found, RuleValue(FeeKind.SALE, bps=9_000), rule=found.rules[0])

    raised = meanwhile(app, monkeypatch, fee_schedules, "record_fact", change)
    publish_draft(
        db.session.get_one(FeeSchedule, draft_id),
        effective_from=clock.now() + timedelta(days=1),
        by_user_id=None,
    )
    db.session.commit()
    assert [type(each) for each in raised()] == [ConflictError]
    found = db.session.get_one(FeeSchedule, draft_id, populate_existing=True)
    assert [rule.bps for rule in found.rules] == [2_000]
