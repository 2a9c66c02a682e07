"""Characters that a database cannot keep."""

import pytest
from flask import Flask
from flask.testing import FlaskClient


@pytest.mark.parametrize("address", ["/r/%00", "/buy/%00", "/listings/%00", "/partners/a%00b"])
def test_an_address_with_a_null_is_an_address_of_nothing(app: Flask, address: str) -> None:
    assert app.test_client().get(address).status_code == 404


def test_a_form_with_a_null_is_refused_or_taken_but_never_an_error(client: FlaskClient) -> None:
    typed = {"details": "a\x00b", "reason": "broken\x00"}
    answer = client.post("/listings/none/report", data=typed)
    assert answer.status_code < 500
