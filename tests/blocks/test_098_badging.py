"""Block 98, badging: a partner exports a signed badge, a visitor verifies it; tampered or revoked
ones fail."""

import base64
import gzip
import json
from collections.abc import Callable
from datetime import timedelta
from io import BytesIO

import pytest
from flask import Flask
from flask.testing import FlaskClient
from joserfc import jwt
from joserfc.jwk import import_key

from marketplace.accreditation.credentials import foreign
from marketplace.accreditation.credentials.addresses import issuer_id, key_url
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.identity.models import Role
from tests.factories.courses import make_credential
from tests.factories.foreign_issuer import foreign_issuer
from tests.factories.people import make_member, make_organization, make_platform

SignIn = Callable[..., FlaskClient]
UNSIGNED = base64.urlsafe_b64encode(b'{"alg":"none"}').decode().rstrip("=")


def changed(token: str, **claims: object) -> str:
    """The token with other claims under the old signature."""
    head, body, tail = token.split(".")
    found = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    packed = json.dumps({**found, **claims}).encode()
    return f"{head}.{base64.urlsafe_b64encode(packed).decode().rstrip('=')}.{tail}"


def test_098_badging(app: Flask, client: FlaskClient, sign_in: SignIn) -> None:
    partner = make_organization("Quayside")
    holder = make_member(partner)
    manager = make_member(make_platform(), Role.PROGRAM_MANAGER)
    credential = make_credential(partner, holder)
    db.session.commit()
    path = f"/credentials/{credential.public_id}"
    begin = clock.now()

    # The holder exports the badge: signed, readable, and baked into an image.
    browser = sign_in(holder, partner)
    assert path in browser.get("/partner/credentials").text
    assert "Signed credential" in browser.get(path).text
    download = browser.get(f"{path}/credential.jwt")
    assert "attachment" in download.headers["Content-Disposition"]
    token = download.text
    badge = browser.get(f"{path}/badge.svg").text
    assert token in badge
    assert client.get(f"{path}/credential.jwt").status_code in {302, 401, 404}

    # Whoever verifies it without us finds the key where the token says.
    head = json.loads(base64.urlsafe_b64decode(token.split(".")[0] + "=="))
    key = client.get(head["kid"].removeprefix("http://localhost")).json
    assert key is not None
    assert "d" not in key
    claims = jwt.decode(token, import_key(key), algorithms=["RS256"]).claims
    assert claims["credentialSubject"]["achievement"]["name"] == "Certified integrator"
    issuer = client.get("/credentials/issuer").json
    assert issuer is not None
    assert issuer["id"] == claims["iss"]

    # A visitor verifies what was pasted or uploaded.
    def verdict(**data: object) -> str:
        return client.post("/credentials/verify", data=data).text

    assert "was not revoked" in verdict(token=token)
    assert "was not revoked" in verdict(file=(BytesIO(badge.encode()), "badge.svg"))
    assert "It was issued to" in verdict(token=token, known=holder.email or "")
    assert "It was not issued to" in verdict(token=token, known="somebody@else.example")
    button = client.get(f"/credentials/verify?credential={credential.public_id}").text
    assert "was not revoked" in button
    assert holder.name not in button

    # Tampered ones fail, whatever was changed.
    for forged in (
        changed(token, name="Chief integrator"),
        changed(token, validUntil="2099-01-01T00:00:00Z", exp=4_070_908_800),
        token[:-8] + "AAAAAAAA",
        f"{UNSIGNED}.{token.split('.')[1]}.x",
    ):
        page = verdict(token=forged)
        assert "Not genuine" in page
        assert "Certified integrator" not in page

    # It expires by itself.
    with clock.frozen(begin + timedelta(days=366)):
        assert "has expired" in verdict(token=token)
        assert "Expired" in client.get(path).text

    # Staff revoke it: the verifier, the page and the public list say so.
    staff = sign_in(manager)
    assert credential.public_id in staff.get("/staff/credentials?q=Certified").text
    assert staff.post(f"/staff/credentials/{credential.public_id}/revoke").status_code == 422
    revoked = staff.post(
        f"/staff/credentials/{credential.public_id}/revoke", data={"reason": "Copied answers"}
    )
    assert revoked.status_code == 303
    assert "taken it back" in verdict(token=token)
    assert "no longer counts" in client.get(path).text
    assert "Copied answers" not in client.get(path).text
    assert "Copied answers" in browser.get(path).text
    status = claims["credentialStatus"]
    listed = client.get(status["statusListCredential"].removeprefix("http://localhost")).text
    found = jwt.decode(listed, import_key(key), algorithms=["RS256"]).claims["credentialSubject"]
    packed = found["encodedList"][1:]
    bits = gzip.decompress(base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4)))
    place = int(status["statusListIndex"])
    assert bits[place // 8] & (0x80 >> (place % 8))
    assert sum(each.bit_count() for each in bits) == 1


def test_098_badges_of_others_are_verified_at_their_own_address(
    app: Flask, client: FlaskClient
) -> None:
    def verdict(token: str) -> str:
        return client.post("/credentials/verify", data={"token": token}).text

    with foreign_issuer() as other:
        good = other.sign(other.document())
        page = verdict(good)
        assert "was not revoked" in page
        assert "Another site has issued this" in page
        assert other.key.thumbprint() in page
        assert "Not genuine" in verdict(changed(good, name="Chief baker"))
        assert "Not genuine" in verdict(other.sign(other.document(), sub="urn:uuid:another"))
        old = other.document(validUntil="2020-01-01T00:00:00Z")
        assert "has expired" in verdict(other.sign(old))
        later = other.document(validFrom="2099-01-01T00:00:00Z", validUntil="2100-01-01T00:00:00Z")
        assert "begins later" in verdict(other.sign(later))
        other.revoked.append(7)
        assert "taken it back" in verdict(good)
        other.pages["/status/1"] = (500, "")
        assert "Not fully checked" in verdict(good)
        other.pages["/status/1"] = (200, other.sign(other.document(id="x")))
        assert "Not fully checked" in verdict(good)
        other.pages["/keys/1"] = (200, "[]")
        assert "Unknown issuer" in verdict(good)
        other.pages["/keys/1"] = (302, "")
        assert "Unknown issuer" in verdict(good)
    assert "Unknown issuer" in verdict(good)


def test_098_a_credential_cannot_make_us_fetch_for_long(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def verdict(token: str) -> str:
        return client.post("/credentials/verify", data={"token": token}).text

    with foreign_issuer() as other:
        entries = [
            {"type": "1EdTechRevocationList", "id": f"{other.base}/lists/{number}"}
            for number in range(5)
        ]
        for number in range(5):
            other.pages[f"/lists/{number}"] = (200, "{}")
        page = verdict(other.sign(other.document(credentialStatus=entries)))
        assert "more lists than are looked at" in page
        assert other.seen == ["/keys/1"]
        # Few are looked at, and none twice.
        other.seen.clear()
        page = verdict(other.sign(other.document(credentialStatus=[entries[0], *entries[:3]])))
        assert "was not revoked" in page
        assert other.seen == ["/keys/1", "/lists/0", "/lists/1", "/lists/2"]
        # The time is one for all of it.
        monkeypatch.setattr(foreign, "_SECONDS_IN_ALL", 0.0)
        other.seen.clear()
        assert "too slowly" in verdict(other.sign(other.document()))
        assert other.seen == []


def test_098_few_verifications_of_other_sites_run_at_once(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(foreign, "_PATIENCE", 0.01)
    with foreign_issuer() as other:
        token = other.sign(other.document())
        with foreign.few_at_once(), foreign.few_at_once():
            page = client.post("/credentials/verify", data={"token": token}).text
            assert "Try again soon" in page
            assert other.seen == []
        assert "was not revoked" in client.post("/credentials/verify", data={"token": token}).text


def test_098_no_key_is_fetched_from_elsewhere_or_from_within(
    app: Flask, client: FlaskClient
) -> None:
    def verdict(token: str) -> str:
        return client.post("/credentials/verify", data={"token": token}).text

    with foreign_issuer() as other, foreign_issuer() as attacker:
        # The token names a key of somebody else than its issuer.
        stolen = attacker.sign_claims({**other.document(), "iss": other.issuer}, kid=attacker.kid)
        assert "Unknown issuer" in verdict(stolen)
        for kid in ("", "file:///etc/passwd", "http://169.254.169.254/keys/1", "did:web:x", "[]"):
            assert "Unknown issuer" in verdict(attacker.sign_claims(attacker.document(), kid=kid))
        inside = {
            **attacker.document(),
            "iss": "http://10.0.0.1/issuer",
            "issuer": "http://10.0.0.1/issuer",
        }
        page = verdict(attacker.sign_claims(inside, kid="http://10.0.0.1/keys/1"))
        assert "Unknown issuer" in page
        assert attacker.seen == []
        assert other.seen == []


def test_098_odd_credentials_are_answered(app: Flask, client: FlaskClient) -> None:
    def answer(token: str) -> tuple[int, str]:
        page = client.post("/credentials/verify", data={"token": token})
        return page.status_code, page.text

    def part(found: dict[str, object]) -> str:
        return base64.urlsafe_b64encode(json.dumps(found).encode()).decode().rstrip("=")

    half = chr(0xD800)
    for head, claims in (
        ({"kid": f"{issuer_id()}/{half}", "alg": "RS256"}, {"iss": issuer_id()}),
        ({"kid": key_url(half), "alg": "RS256"}, {"iss": issuer_id()}),
        ({"kid": "x", "alg": "RS256"}, {"iss": "x", "sub": half}),
    ):
        token = f"{part(head)}.{part(claims)}.x"
        assert answer(token)[0] == 422
        assert client.post("/passports/receipts", data=token).status_code == 400
    with foreign_issuer() as other:
        # A list that is packed, and broken.
        packed = base64.urlsafe_b64encode(gzip.compress(b"")[:10] + b"\xff" * 60)
        other.pages["/status/1"] = (
            200,
            other.sign(
                {
                    "id": f"{other.base}/status/1",
                    "issuer": other.issuer,
                    "validFrom": "2020-01-01T00:00:00Z",
                    "credentialSubject": {
                        "id": f"{other.base}/status/1#list",
                        "encodedList": f"u{packed.decode()}",
                    },
                }
            ),
        )
        status, page = answer(other.sign(other.document()))
        assert status == 200
        assert "cannot be read" in page
        # Recipients that are none.
        for odd in (None, 7, "Ada", {"identityHash": "Ada"}, ["Ada"]):
            document = other.document()
            document.pop("credentialStatus")
            document["credentialSubject"]["identifier"] = odd
            status, page = answer(other.sign(document))
            assert status == 200
            assert "was not revoked" in page
            assert "Issued to" not in page


def test_098_what_is_no_credential_is_told_so(app: Flask, client: FlaskClient) -> None:
    for text in ("", "hello", "a.b.c", "\x00.\x00.\x00", "x" * 70_000, "<svg/>", "<!DOCTYPE a>"):
        page = client.post("/credentials/verify", data={"token": text})
        assert page.status_code == 422, text[:20]
    page = client.post("/credentials/verify", data={"file": (BytesIO(b"\xff\xfe\x00"), "x.jwt")})
    assert page.status_code == 422
