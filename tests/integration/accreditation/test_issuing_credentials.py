"""Credentials are issued once, signed, and revoked for good; keys rotate and stay verifiable."""

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey
from sqlalchemy import func, select

from marketplace.accreditation.credentials import documents, jobs, keys
from marketplace.accreditation.credentials.models import (
    Credential,
    CredentialState,
    SigningKey,
)
from marketplace.accreditation.credentials.services.by_hand import issue_by_hand
from marketplace.accreditation.credentials.services.issuing import issue, revoke
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import InvalidError
from marketplace.core.sealing import configure_sealing
from marketplace.identity.models import Organization, User
from tests.factories.mails import mails
from tests.factories.people import make_member, make_organization
from tests.factories.races import at_once


def give(organization: Organization, user: User | None = None, key: str = "k:1") -> Credential:
    return issue(
        "course:crs_1",
        organization_id=organization.id,
        user_id=user.id if user else None,
        recipient_name=user.name if user else organization.name,
        title="Certified integrator",
        description="Knows how to build an integration that lasts.",
        expires_at=clock.now() + timedelta(days=365),
        evidence=[{"name": "Quiz", "narrative": "Scored 90 percent."}],
        key=key,
    )


def test_a_key_issues_one_credential_and_gives_it_again(app: Flask) -> None:
    organization = make_organization()
    person = make_member(organization)
    first = give(organization, person)
    again = give(organization, person)
    assert first.id == again.id
    assert first.token == again.token
    assert db.session.scalar(select(func.count()).select_from(Credential)) == 1


def test_two_who_issue_by_one_key_at_once_issue_one(app: Flask) -> None:
    organization = make_organization()
    person = make_member(organization)
    db.session.commit()
    organization_id, user_id = organization.id, person.id

    def act() -> None:
        give(db.session.get_one(Organization, organization_id), db.session.get_one(User, user_id))
        db.session.commit()

    at_once(app, [act, act])
    db.session.rollback()
    rows = db.session.scalars(select(Credential)).all()
    assert len(rows) == 1
    assert rows[0].token
    assert db.session.scalar(select(func.count()).select_from(SigningKey)) == 1


def test_what_is_signed_is_an_open_badge_whose_claims_repeat_it(app: Flask) -> None:
    organization = make_organization()
    person = make_member(organization)
    credential = give(organization, person)
    row = keys.all_keys()[0]
    token = jwt.decode(
        credential.token, RSAKey.import_key(keys.public_jwk(row)), algorithms=["RS256"]
    )
    assert token.header == {
        "alg": "RS256",
        "kid": f"http://localhost/credentials/keys/{row.kid}",
        "typ": "JWT",
    }
    claims = token.claims
    assert claims["type"] == ["VerifiableCredential", "OpenBadgeCredential"]
    assert claims["@context"] == [documents.VC_CONTEXT, documents.OB_CONTEXT]
    assert claims["iss"] == claims["issuer"]["id"]
    assert claims["jti"] == claims["id"] == f"http://localhost/credentials/{credential.public_id}"
    assert claims["sub"] == claims["credentialSubject"]["id"]
    assert documents.timestamp(credential.issued_at) == claims["validFrom"]
    assert int(credential.issued_at.timestamp()) == claims["nbf"]
    hashed, name = claims["credentialSubject"]["identifier"]
    assert person.email is not None
    assert hashed["identityHash"] == documents.identity_hash(person.email, hashed["salt"])
    assert name["identityHash"] == person.name
    assert person.email not in str(claims)


def test_a_revoked_credential_stays_so_and_its_holder_is_told_why(app: Flask) -> None:
    organization = make_organization()
    person = make_member(organization)
    credential = give(organization, person)
    assert credential.state is CredentialState.VALID
    assert revoke(credential, reason="Copied answers", by_user_id=None)
    assert not revoke(credential, reason="Again", by_user_id=None)
    assert credential.state is CredentialState.REVOKED
    told = [mail for mail in mails() if mail["to"] == person.email]
    assert len(told) == 1
    assert "Copied answers" in told[0]["body"]


def test_a_rotated_key_signs_no_more_but_still_verifies(app: Flask) -> None:
    organization = make_organization()
    old = give(organization, key="k:old")
    retired = keys.all_keys()[0]
    keys.rotate(by_user_id=None)
    new = give(organization, key="k:new")
    assert retired.sealed_private == ""
    assert len(keys.all_keys()) == 2
    old_key = RSAKey.import_key(keys.public_jwk(retired))
    assert jwt.decode(old.token, old_key, algorithms=["RS256"]).claims["jti"]
    with pytest.raises(JoseError):
        jwt.decode(new.token, old_key, algorithms=["RS256"])


def test_a_broken_seal_begins_a_new_key(app: Flask) -> None:
    organization = make_organization()
    give(organization, key="k:old")
    configure_sealing("another-secret-key-that-guards-nothing")
    new = give(organization, key="k:new")
    assert new.token
    assert [row.number for row in keys.all_keys()] == [2, 1]


def test_a_holder_is_reminded_once_and_not_of_what_was_renewed(app: Flask) -> None:
    organization = make_organization()
    person, other = make_member(organization), make_member(organization)
    begin = clock.now()
    give(organization, person, "k:1")
    give(organization, other, "k:2")
    with clock.frozen(begin + timedelta(days=300)):
        give(organization, other, "k:3")
    jobs.remind({})
    assert mails() == []
    with clock.frozen(begin + timedelta(days=340)):
        for _again in range(2):
            jobs.remind({})
        assert [mail["to"] for mail in mails()] == [person.email]


def test_others_learn_once_that_a_credential_has_expired(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    organization = make_organization()
    give(organization, key="k:1")
    told: list[tuple[int, str]] = []
    monkeypatch.setattr(jobs, "accreditation_changed", lambda *each: told.append(each))
    jobs.tell_of_expired({})
    assert told == []
    with clock.frozen(clock.now() + timedelta(days=366)):
        for _again in range(2):
            jobs.tell_of_expired({})
    assert told == [(organization.id, "credential")]


def test_nobody_issues_by_hand_to_a_partner_of_their_own(app: Flask) -> None:
    organization = make_organization("Quayside")
    member, stranger = make_member(organization), make_member(make_organization("Harbor"))
    values: dict[str, Any] = {
        "partner": organization.slug,
        "email": "",
        "title": "Helper of the year",
        "description": "Helped.",
        "criteria": "",
        "expires_on": None,
        "nonce": "n",
    }
    with pytest.raises(InvalidError) as caught:
        issue_by_hand(**values, by_user_id=member.id)
    assert "somebody else" in caught.value.fields["partner"]
    assert issue_by_hand(**values, by_user_id=stranger.id).organization_id == organization.id
