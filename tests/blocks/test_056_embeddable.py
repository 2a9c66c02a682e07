"""Block 56, embeddable: a partner pastes a live badge, a card or a script; what is taken back
shows within the time that caches may keep it."""

import re
from collections.abc import Callable

from flask import Flask
from flask.testing import FlaskClient

from marketplace.accreditation.credentials.services.issuing import revoke
from marketplace.accreditation.embeds.cards import KEEP_SECONDS
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.program.standing.models import StandingState
from tests.factories.courses import make_credential
from tests.factories.listings import make_listing
from tests.factories.people import make_member, make_organization
from tests.factories.program import make_policy, make_standing

SignIn = Callable[..., FlaskClient]
LIVE, GREY = "#0f766e", "#6b7280"


def kept_for(headers: object) -> int:
    found = re.search(r"max-age=(\d+)", str(headers))
    assert found is not None
    return int(found[1])


def test_056_embeddable(app: Flask, client: FlaskClient, sign_in: SignIn) -> None:
    make_policy()
    partner = make_organization("Quayside")
    standing = make_standing(partner, "gold")
    owner = make_member(partner)
    listing = make_listing(partner)
    credential = make_credential(partner, owner)
    db.session.commit()

    # The portal hands out code to paste; its addresses are what another site asks for.
    page = sign_in(owner, partner).get("/partner/embeds").text
    badge, card = f"/badges/partner/{partner.slug}.svg", f"/embed/partners/{partner.slug}"
    assert badge in page
    assert card in page
    assert f"data-partner=&#34;{partner.slug}&#34;" in page
    chosen = (
        sign_in(owner, partner)
        .get(f"/partner/embeds?listing={listing.slug}&theme=dark&size=small")
        .text
    )
    assert f"/embed/listings/{listing.slug}?theme=dark" in chosen

    shown = client.get(badge)
    assert shown.content_type.startswith("image/svg+xml")
    assert "Gold partner" in shown.text
    assert LIVE in shown.text
    single = f"/badges/{credential.public_id}.svg"
    first = client.get(single)
    assert "verified" in first.text
    assert LIVE in first.text
    assert owner.name not in first.text
    for answer in (shown, first):
        assert 0 < kept_for(answer.headers["Cache-Control"]) <= KEEP_SECONDS <= 300
        assert "Set-Cookie" not in answer.headers
    tag = first.headers["ETag"]
    assert client.get(single, headers={"If-None-Match": tag}).status_code == 304

    # Taken back, it is grey at the next look.
    revoke(credential, reason="Left", by_user_id=None)
    standing.state = StandingState.ENDED
    db.session.commit()
    after = client.get(single, headers={"If-None-Match": tag})
    assert after.status_code == 200
    assert "revoked" in after.text
    assert GREY in after.text
    assert LIVE not in after.text
    assert "revoked" in client.get(f"/badges/{credential.public_id}/medal.svg").text
    gone = client.get(badge).text
    assert "not a partner" in gone
    assert GREY in gone
    assert "Not a partner now" in client.get(card).text


def test_056_cards_are_framed_by_anybody_and_hold_public_things_alone(
    app: Flask, client: FlaskClient, sign_in: SignIn
) -> None:
    make_policy()
    partner = make_organization("Quayside", tagline="Boats & <b>tides</b>")
    make_standing(partner, "silver")
    owner = make_member(partner)
    listing = make_listing(partner)
    make_credential(partner, owner)
    db.session.commit()
    for path in (f"/embed/partners/{partner.slug}", f"/embed/listings/{listing.slug}"):
        for browser in (client, sign_in(owner, partner)):
            answer = browser.get(f"{path}?theme=dark&size=small")
            assert answer.status_code == 200
            assert "frame-ancestors *" in answer.headers["Content-Security-Policy"]
            assert "X-Frame-Options" not in answer.headers
            assert "Set-Cookie" not in answer.headers
            assert answer.headers["Cache-Control"].startswith("public")
            assert 'class="theme-dark size-small"' in answer.text
            assert "<script" not in answer.text
            assert owner.name not in answer.text
        data = client.get(f"{path}.json", headers={"Origin": "https://elsewhere.example"})
        assert data.headers["Access-Control-Allow-Origin"] == "*"
        assert "Access-Control-Allow-Credentials" not in data.headers
        assert data.json is not None
        assert "email" not in str(data.json)
    large = client.get(f"/embed/partners/{partner.slug}?size=%00&theme=<x>").text
    assert "Boats &amp; &lt;b&gt;tides" in large
    assert "1 certified person" in large
    assert "Silver partner" in large

    # Our other pages stay unframed and closed to scripts of other sites.
    home = client.get("/")
    assert "frame-ancestors 'none'" in home.headers["Content-Security-Policy"]
    assert home.headers["X-Frame-Options"] == "DENY"
    assert "Access-Control-Allow-Origin" not in home.headers

    script = client.get("/embed/widget.js")
    assert script.content_type.startswith("text/javascript")
    assert 0 < kept_for(script.headers["Cache-Control"]) <= 300
    assert "innerHTML" not in script.text


def test_056_what_the_public_does_not_see_is_not_embedded(app: Flask, client: FlaskClient) -> None:
    partner = make_organization("Quayside", suspended_at=clock.now())
    draft = make_listing(make_organization("Bramble"), published=False)
    hidden = make_listing(partner)
    db.session.commit()
    assert "not a partner" in client.get(f"/badges/partner/{partner.slug}.svg").text
    for path in (
        f"/embed/partners/{partner.slug}",
        f"/embed/partners/{partner.slug}.json",
        f"/embed/listings/{draft.slug}",
        f"/embed/listings/{hidden.slug}.json",
        f"/badges/listing/{draft.slug}.svg",
        "/badges/partner/nobody.svg",
        "/badges/cred_nobody.svg",
        "/badges/listing/%00.svg",
        f"/embed/partners/{'x' * 3_000}",
    ):
        assert client.get(path).status_code == 404, path
