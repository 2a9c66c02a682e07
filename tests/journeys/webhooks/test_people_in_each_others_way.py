"""Two people who change one endpoint, and one who sends too much."""

from collections.abc import Callable

from flask.testing import FlaskClient

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.identity.models import Role
from tests.factories.answering import AnsweringServer
from tests.factories.webhooks import make_endpoint, tell
from tests.journeys.webhooks.conftest import Quayside, hidden, text_of

Deliver = Callable[[], int]
SignIn = Callable[..., FlaskClient]
PAGES = "/partner/webhooks"


def test_two_developers_at_once_do_not_overwrite_each_other(
    quayside: Quayside, sign_in: SignIn
) -> None:
    endpoint = make_endpoint(quayside.organization, event_types=["review.posted"])
    db.session.commit()
    ada, ben = (
        sign_in(quayside.people[role], quayside.organization)
        for role in (Role.DEVELOPER, Role.ADMIN)
    )
    where = f"{PAGES}/{endpoint.public_id}/edit"
    data = {"seen": hidden(ada.get(where), "seen"), "description": "Ours"}
    # What the engine notes meanwhile is no conflict.
    endpoint.last_success_at = clock.now()
    db.session.commit()
    assert ada.post(where, data={**data, "url": "https://ada.example/"}).status_code == 303
    late = ben.post(where, data={**data, "url": "https://ben.example/"})
    assert late.status_code == 409
    assert 'value="https://ben.example/"' in late.get_data(as_text=True), "what was typed is kept"
    shown = text_of(late)
    assert "Somebody else changed this endpoint" in shown
    assert "Address: https://ada.example/" in shown
    db.session.refresh(endpoint)
    assert endpoint.url == "https://ada.example/"
    again = {**data, "url": "https://ben.example/", "seen": hidden(late, "seen")}
    assert ben.post(where, data=again).status_code == 303


def test_what_is_sent_by_hand_is_bounded(
    developer: FlaskClient, quayside: Quayside, deliver: Deliver, hooks: AnsweringServer
) -> None:
    endpoint = make_endpoint(quayside.organization, hooks.url("/hook"))
    event_id = tell(quayside.organization)
    db.session.commit()
    where = f"{PAGES}/{endpoint.public_id}"
    for path in (f"{where}/test", f"{where}/deliveries/{event_id}/repetition"):
        for _number in range(60):
            assert developer.post(path).status_code == 303
        refused = developer.post(path)
        assert refused.status_code == 429
        assert "You can send 60 test events" in text_of(refused)
        assert int(refused.headers["Retry-After"]) > 0
