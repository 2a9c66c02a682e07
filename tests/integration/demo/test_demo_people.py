"""The demo's people: read from their file, given accounts, signed in at once."""

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from marketplace.config import load_settings
from marketplace.core.database import db
from marketplace.demo.oidc_provider import demo_settings
from marketplace.demo.people import DemoPerson, demo_people, load_people
from marketplace.identity.models import (
    Identity,
    Membership,
    Organization,
    OrganizationKind,
    Role,
    User,
)
from marketplace.identity.profiles import Profile
from marketplace.identity.services.sign_in import sign_in
from tests.factories.people import make_organization

pytestmark = pytest.mark.usefixtures("app")
ISSUER = "http://127.0.0.1:8001"
PEOPLE = [
    DemoPerson("tomas", "Tomás Ferreira", "Tomas@Slack.example", "slack", "owner"),
    DemoPerson("june", "June Park", "june@slack.example", "Slack", "editor"),
    DemoPerson("mara", "Mara Lindqvist", "mara@bluekite.example", "Blue Kite", "owner"),
    DemoPerson("ruth", "Ruth Adeyemi", "ruth@harbor.example", "Harbor", "reviewer"),
    DemoPerson("ann", "Ann Keller", "ann@harbor.example", "Harbor", "admin"),
]


def test_people_join_publishers_that_exist_and_others_are_created() -> None:
    publisher = make_organization("Slack", slug="slack")
    assert load_people(PEOPLE, issuer=ISSUER) == 5
    db.session.commit()
    found = {
        (user.name, organization.name, membership.role)
        for membership, user, organization in db.session.execute(
            select(Membership, User, Organization)
            .join(User, User.id == Membership.user_id)
            .join(Organization, Organization.id == Membership.organization_id)
        )
    }
    assert found == {
        ("Tomás Ferreira", publisher.name, Role.OWNER),
        ("June Park", publisher.name, Role.EDITOR),
        ("Mara Lindqvist", "Blue Kite", Role.OWNER),
        ("Ruth Adeyemi", "Harbor", Role.REVIEWER),
        ("Ann Keller", "Harbor", Role.ADMIN),
    }
    kinds = {o.name: o.kind for o in db.session.scalars(select(Organization))}
    assert kinds["Blue Kite"] is OrganizationKind.CUSTOMER
    assert kinds["Harbor"] is OrganizationKind.PLATFORM


def test_loading_again_changes_nothing_but_follows_the_provider_to_another_port() -> None:
    load_people(PEOPLE, issuer=ISSUER)
    db.session.commit()
    assert load_people(PEOPLE, issuer="http://127.0.0.1:9001") == 0
    db.session.commit()
    assert len(db.session.scalars(select(User)).all()) == len(PEOPLE)
    assert len(db.session.scalars(select(Membership)).all()) == len(PEOPLE)
    assert set(db.session.scalars(select(Identity.issuer))) == {"http://127.0.0.1:9001"}


def test_a_loaded_person_is_known_at_the_first_sign_in() -> None:
    load_people(PEOPLE, issuer=ISSUER)
    db.session.commit()
    profile = Profile("demo", ISSUER, "ruth", "Ruth Adeyemi", "ruth@harbor.example", True)
    done = sign_in(profile, staff_emails=(), site_name="Harbor")
    assert not done.is_new
    assert done.user.memberships[0].role is Role.REVIEWER


def test_the_file_is_read_in_its_order_and_more_fields_are_no_harm(tmp_path: Path) -> None:
    file = tmp_path / "people.json"
    entries = [{**vars(person), "note": "for later"} for person in PEOPLE]
    file.write_text(json.dumps(entries), encoding="utf-8")
    assert demo_people(file) == PEOPLE


@pytest.mark.parametrize(
    "content",
    ["", "{}x", "[1]", [{"subject": "a"}], [{**vars(PEOPLE[0]), "role": "king"}]],
)
def test_a_file_that_cannot_be_used_is_named(tmp_path: Path, content: Any) -> None:
    file = tmp_path / "people.json"
    text = content if isinstance(content, str) else json.dumps(content)
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=r"people\.json cannot be used"):
        demo_people(file)


def test_the_settings_of_the_provider_are_those_that_the_site_reads() -> None:
    settings = load_settings({"PORTICO_ENV": "demo", **demo_settings(ISSUER)})
    provider = settings.oidc_providers[0]
    assert (provider.name, provider.issuer, provider.label) == ("demo", ISSUER, "Demo people")
