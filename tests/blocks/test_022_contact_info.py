"""V picks a region; the right person shows, and an unassigned region falls back."""

from flask.testing import FlaskClient

from marketplace.core.database import db
from tests.factories.contacts_world import make_assignment, make_region, make_staff
from tests.factories.mails import mails
from tests.factories.people import make_platform


def test_022_contact_info(client: FlaskClient) -> None:
    platform = make_platform()
    daniel = make_staff(platform, "Daniel Osei")
    ines = make_staff(platform, "Ines Moreau")
    north, south = make_region("Nordics", "SE", "NO"), make_region("Iberia", "ES", "PT")
    make_assignment(daniel)
    make_assignment(ines, region=north)
    db.session.commit()

    page = client.get("/contact").text
    assert "Nordics" in page
    assert "Iberia" in page
    in_north = client.get(f"/contact?where=r:{north.public_id}").text
    assert "Ines Moreau" in in_north
    assert "Daniel Osei" not in in_north
    assert "Ines Moreau" in client.get("/contact?where=c:SE").text
    # Nobody is assigned there: the person for everybody else, never a blank.
    assert "Daniel Osei" in client.get(f"/contact?where=r:{south.public_id}").text
    assert "Daniel Osei" in client.get("/contact?where=c:JP").text
    assert "Daniel Osei" in client.get("/contact?where=elsewhere").text
    # The address of the person is not on the page; the form reaches them.
    assert str(ines.email) not in in_north
    sent = client.post(
        "/contact",
        data={
            "where": f"r:{north.public_id}",
            "name": "Vera Lund",
            "email": "vera@lund.example",
            "subject": "Partnering",
            "body": "We would like to resell.",
        },
    )
    assert sent.status_code == 303
    assert [mail["to"] for mail in mails()] == [ines.email, "vera@lund.example"]


def test_a_region_shows_somebody_even_when_nobody_is_assigned(client: FlaskClient) -> None:
    platform = make_platform()
    make_staff(platform, "Daniel Osei")
    region = make_region("Oceania", "AU", "NZ")
    db.session.commit()
    assert "Daniel Osei" in client.get(f"/contact?where=r:{region.public_id}").text


def test_nothing_that_is_typed_breaks_the_page(client: FlaskClient) -> None:
    for where in ("r:", "r:\0x", "c:XX", "c:", "nowhere", "r:" + "9" * 10_000):
        assert client.get("/contact", query_string={"where": where}).status_code == 200
    odd = {"where": "c:SE", "name": "\0", "email": "x", "subject": "y" * 10_000, "body": "\0"}
    assert client.post("/contact", data=odd).status_code == 422
    assert client.post("/contact", data={}).status_code == 422
