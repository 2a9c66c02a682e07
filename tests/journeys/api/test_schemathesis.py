"""Schemathesis, all its checks and phases, against the API as its description says it is."""

import pytest
from flask import Flask

from tests.journeys.api.fuzzing import ANONYMOUS, fuzz


@pytest.mark.usefixtures("catalogue")
@pytest.mark.timeout(240)
def test_the_api_is_what_its_description_says(app: Flask) -> None:
    failures, checks = fuzz(app, only=ANONYMOUS)
    assert failures == []
    assert checks > 500
