"""88 Account: the owner invites, sets roles, removes and exports."""

import csv
import io
import re

from flask import Flask
from sqlalchemy import select

from marketplace.core.database import db
from marketplace.identity.models import Membership, Role
from tests.conftest import SignIn
from tests.factories.mails import mails
from tests.factories.people import make_member, make_organization, make_user


def test_088_account(app: Flask, sign_in: SignIn) -> None:
    partner = make_organization("Quayside")
    owner = make_member(partner, Role.OWNER)
    guest = make_user("Ben Ruiz", "ben@bluekite.example")
    db.session.commit()
    browser, other = sign_in(owner, partner), sign_in(guest)
    pages = f"/organizations/{partner.slug}"

    browser.post(f"{pages}/invitations", data={"email": guest.email, "role": "editor"})
    mail = next(mail for mail in mails() if mail["to"] == guest.email)
    token = re.search(r"/invitations\?token=(\S+)", mail["body"])
    assert token is not None
    accepted = other.post("/invitations/acceptance", data={"token": token[1]})
    assert accepted.status_code == 302
    assert role_of(guest.id) is Role.EDITOR

    changed = browser.post(f"{pages}/members/{guest.id}/role", data={"role": "finance"})
    assert changed.status_code == 302
    assert role_of(guest.id) is Role.FINANCE
    file = browser.get(f"{pages}/members.csv")
    rows = list(csv.DictReader(io.StringIO(file.get_data(as_text=True).lstrip("\ufeff"))))
    assert len(rows) == 2

    assert other.get(f"{pages}/members").status_code == 200
    assert browser.post(f"{pages}/members/{guest.id}/removal").status_code == 302
    assert role_of(guest.id) is None
    assert other.get(f"{pages}/members").status_code == 404  # at once, in every browser

    refused = browser.post(f"{pages}/members/{owner.id}/removal")
    assert refused.status_code in {409, 422}
    left = browser.post(f"{pages}/departure")
    assert left.status_code in {409, 422}
    assert role_of(owner.id) is Role.OWNER


def role_of(user_id: int) -> Role | None:
    db.session.rollback()
    return db.session.scalar(select(Membership.role).where(Membership.user_id == user_id))
