"""6 Increase Collaboration: two partners accept and share a workspace; a third gets 404."""

from collections.abc import Callable

from flask import Flask
from flask.testing import FlaskClient

from marketplace.core.database import db
from marketplace.pipeline.account_checks.models import AccountCheck, AccountEntry, AccountList
from tests.factories.people import make_member, make_organization
from tests.factories.program import make_policy, make_standing

SignIn = Callable[..., FlaskClient]
OURS = [f"customer{number}.example" for number in range(12)]
THEIRS = ["www.Customer3.example", "ada@customer7.example", "https://customer11.example/x"]
THEIRS += [f"other{number}.example" for number in range(9)]


def test_006_increase_collaboration(app: Flask, sign_in: SignIn) -> None:
    make_policy()
    first = make_organization("Quayside", slug="quayside")
    second = make_organization("Rivals", slug="rivals")
    third = make_organization("Third", slug="third")
    for partner in (first, second, third):
        make_standing(partner)
    p, other = sign_in(make_member(first), first), sign_in(make_member(second), second)
    stranger = sign_in(make_member(third), third)

    invited = p.post("/partner/account-checks/new", data={"partner": "rivals", "level": "names"})
    assert invited.status_code == 303, invited.text
    check = db.session.query(AccountCheck).one()
    address = f"/partner/account-checks/{check.public_id}"

    # Nothing is open before both have accepted; the inviter cannot accept for the other one.
    assert "opens once both have accepted" in p.get(f"{address}/workspace").text
    p.post(f"{address}/workspace", data={"body": "Hello"})
    assert "Hello" not in p.get(f"{address}/workspace").text
    assert p.post(f"{address}/acceptance").status_code == 404
    p.post(f"{address}/list", data={"entries": "\n".join(OURS)})
    assert db.session.query(AccountList).count() == 0
    assert other.post(f"{address}/acceptance").status_code == 303

    # The workspace is both parties'.
    assert p.post(f"{address}/workspace", data={"body": "Shall we call them?"}).status_code == 303
    assert "Shall we call them?" in other.get(f"{address}/workspace").text
    assert other.post(f"{address}/workspace", data={"body": "Yes, on Monday."}).status_code == 303
    assert "Yes, on Monday." in p.get(f"{address}/workspace").text

    # Both hand in a list: they learn the overlap, and only keyed hashes are kept.
    ours = p.post(f"{address}/list", data={"entries": "\n".join(OURS)})
    theirs = other.post(f"{address}/list", data={"entries": "\n".join(THEIRS)})
    assert (ours.status_code, theirs.status_code) == (303, 303)
    for browser in (p, other):
        assert ">3<" in browser.get(address).text.replace("\n", "").replace(" ", "")
    kept = [row.mac for row in db.session.query(AccountEntry)]
    assert all(len(mac) == 64 for mac in kept)
    shown = p.post(f"{address}/matches", data={"entries": "\n".join([*OURS, "other1.example"])})
    assert shown.status_code == 200
    assert [each for each in OURS if each in shown.text.partition("Hand in your list")[0]] == [
        "customer3.example",
        "customer7.example",
        "customer11.example",
    ]
    assert "other1.example" not in shown.text.partition("Hand in your list")[0]

    # A signed receipt settles who had whom since when.
    receipt = p.post(f"{address}/receipts", data={"entry": "customer3.example"})
    assert receipt.status_code == 303
    page = other.get(receipt.location).text
    assert "Signature is ours" in page
    assert "Quayside since" in page
    refused = p.post(f"{address}/receipts", data={"entry": "customer1.example"})
    assert refused.status_code == 422

    # A third partner gets 404 everywhere, before and after.
    for path in ("", "/workspace", "/end"):
        assert stranger.get(f"{address}{path}").status_code == 404
    for path in ("/acceptance", "/refusal", "/list", "/matches", "/receipts", "/workspace", "/end"):
        assert stranger.post(f"{address}{path}").status_code == 404
    assert stranger.get(receipt.location).status_code == 404
    assert "Quayside" not in stranger.get("/partner/account-checks").text

    # Ending deletes lists and key; the receipt stays.
    assert other.post(f"{address}/end").status_code == 303
    db.session.rollback()
    assert db.session.query(AccountEntry).count() == 0
    assert db.session.query(AccountCheck).one().key_sealed == ""
    assert "Signature is ours" in p.get(receipt.location).text


def test_short_lists_and_lists_again_and_again_are_refused(app: Flask, sign_in: SignIn) -> None:
    make_policy()
    first, second = make_organization("Quayside"), make_organization("Rivals", slug="rivals")
    make_standing(first)
    make_standing(second)
    p, other = sign_in(make_member(first), first), sign_in(make_member(second), second)
    p.post("/partner/account-checks/new", data={"partner": "rivals", "level": "counts"})
    check = db.session.query(AccountCheck).one()
    address = f"/partner/account-checks/{check.public_id}"
    other.post(f"{address}/acceptance")
    short = p.post(f"{address}/list", data={"entries": "a.example\nb.example"})
    assert short.status_code == 422
    for _ in range(3):
        assert p.post(f"{address}/list", data={"entries": "\n".join(OURS)}).status_code == 303
    assert p.post(f"{address}/list", data={"entries": "\n".join(OURS)}).status_code == 429
    # By counts alone, nobody learns of one or two customers.
    other.post(f"{address}/list", data={"entries": "\n".join([OURS[0], *THEIRS[3:], "x.example"])})
    assert "Fewer than 3" in p.get(address).text
    assert "3 to 9" not in p.get(address).text
    matches = p.post(f"{address}/matches", data={"entries": "\n".join(OURS)})
    assert matches.status_code == 303
