"""What a refusal says, and the way back from it."""

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from marketplace.core.database import db
from tests.factories.people import make_customer, make_member

SignIn = Callable[..., FlaskClient]


@pytest.fixture
def leaving(app: Flask, sign_in: SignIn) -> Callable[..., str]:
    """The page that the last owner gets who wants to leave."""
    customer = make_customer()
    owner = make_member(customer)
    db.session.commit()
    browser = sign_in(owner, customer)

    def act(referer: str = "") -> str:
        headers = {"Referer": referer} if referer else {}
        answer = browser.post(f"/organizations/{customer.slug}/departure", headers=headers)
        assert answer.status_code == 409
        return answer.text

    return act


def test_a_conflict_says_what_it_is(leaving: Callable[..., str]) -> None:
    page = leaving()
    assert "The last owner stays" in page
    assert "Somebody was faster" not in page
    assert "Go back" not in page


def test_a_page_of_this_site_is_offered_as_the_way_back(leaving: Callable[..., str]) -> None:
    page = leaving("http://localhost/organizations/x/members?q=a")
    assert 'href="/organizations/x/members?q=a"' in page
    assert "Go back" in page


@pytest.mark.parametrize(
    "referer",
    ["https://evil.example/", "http://localhost.evil.example/", "javascript:alert(1)", "http://["],
)
def test_no_other_site_is_the_way_back(leaving: Callable[..., str], referer: str) -> None:
    assert "Go back" not in leaving(referer)


def test_two_slashes_lead_to_no_other_site(leaving: Callable[..., str]) -> None:
    assert 'href="/evil.example/"' in leaving("http://localhost//evil.example/")
