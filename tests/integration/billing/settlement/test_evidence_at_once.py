"""Two who send evidence of one dispute at the same moment: the bank is told once."""

import pytest
from flask import Flask

from billing.models import Dispute
from billing.settlement import evidence
from billing.settlement.disputes import settle_dispute
from billing.settlement.evidence import submit_evidence
from billing.settlement.parts import SettlementError
from marketplace.core.database import db
from tests.factories.races import meanwhile
from tests.factories.settlement import sell, stripe_dispute


def test_evidence_that_two_people_send_is_the_first_one_s(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    order, _ = sell()
    dispute = settle_dispute(stripe_dispute(order, 10_000, "du_1"))
    assert dispute is not None
    dispute_id = dispute.id
    db.session.commit()
    done = meanwhile(
        app,
        monkeypatch,
        evidence,
        "record_fact",
        lambda: submit_evidence(dispute_id, {"product_description": "Second"}, 2),
    )
    submit_evidence(dispute_id, {"product_description": "First"}, 1)
    db.session.commit()
    (refused,) = done()
    assert isinstance(refused, SettlementError)
    db.session.expire_all()
    kept = db.session.get_one(Dispute, dispute_id).evidence
    assert kept == {"product_description": "First"}
