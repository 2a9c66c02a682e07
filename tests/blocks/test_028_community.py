"""Row 28, Community: the operator sets three rights for each space and tier; a partner sees its
own. One function decides."""

from collections.abc import Callable

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from marketplace.core.database import db
from marketplace.identity.models import Role
from marketplace.program.policy.live import current_policy, forget_current_policy
from marketplace.program.policy.models import PolicyVersion
from marketplace.program.policy.rights import Act, may_in_space
from marketplace.program.standing.reading import place_of
from tests.factories.forms import publication_of
from tests.factories.people import make_member, make_organization, make_platform
from tests.factories.program import make_policy, make_standing

SignIn = Callable[..., FlaskClient]


def rights(client: FlaskClient, space: str) -> list[str]:
    """What the partner's page says of a space: Yes or No to see, reply, start a topic."""
    html = client.get("/partner/benefits").text
    if space not in html:
        return []
    row = html.split(space, 1)[1].split("</tr>", 1)[0]
    return [
        words
        for cell in row.split("<td")[1:]
        for words in ("Yes", "No")
        if f"{words}</span>" in cell
    ]


def test_028_community(app: Flask, sign_in: SignIn) -> None:
    make_policy()
    registered, silver = make_organization("Low Tide"), make_organization("High Tide")
    make_standing(registered, "registered")
    make_standing(silver, "silver")
    low = sign_in(make_member(registered), registered)
    high = sign_in(make_member(silver), silver)
    manager = sign_in(make_member(make_platform(), Role.PROGRAM_MANAGER))

    # The operator sets the rights of a space in a draft and publishes it.
    manager.post("/staff/policy/drafts")
    db.session.rollback()
    draft = db.session.scalars(select(PolicyVersion).order_by(PolicyVersion.id.desc())).first()
    assert draft is not None
    base = f"/staff/policy/{draft.public_id}"
    space = {"edition": 1, "name": "Harbor talk", "see": "", "reply": "silver", "create": "gold"}
    assert manager.post(f"{base}/parts/spaces/new", data=space).status_code == 303
    assert rights(low, "Harbor talk") == []
    db.session.expire_all()
    confirmation = publication_of(manager.get(f"{base}/publish").text)
    published = manager.post(f"{base}/publish", data=confirmation)
    assert published.status_code == 303

    # Registered reads and may not post; Silver replies and may not start a topic.
    assert rights(low, "Harbor talk") == ["Yes", "No", "No"]
    assert rights(high, "Harbor talk") == ["Yes", "Yes", "No"]
    forget_current_policy()
    assert current_policy() is not None
    place = place_of(registered.id)
    assert may_in_space(place, "harbor_talk", Act.SEE)
    assert not may_in_space(place, "harbor_talk", Act.REPLY)
    assert may_in_space(place_of(silver.id), "harbor_talk", Act.REPLY)


def test_who_may_not_see_a_space_may_nothing_in_it(app: Flask, sign_in: SignIn) -> None:
    make_policy(
        spaces=[
            {"key": "deck", "name": "Upper deck", "see": "gold", "reply": "registered"},
            {"key": "pier", "name": "The pier"},
        ]
    )
    partner, stranger = make_organization(), make_organization()
    make_standing(partner, "silver")
    client = sign_in(make_member(partner), partner)
    assert rights(client, "Upper deck") == []
    assert rights(client, "The pier") == ["Yes", "Yes", "Yes"]
    assert not may_in_space(place_of(partner.id), "deck", Act.REPLY)
    assert not may_in_space(place_of(partner.id), "nowhere", Act.SEE)
    # Who is not in the program sees nothing.
    assert not may_in_space(place_of(stranger.id), "pier", Act.SEE)
