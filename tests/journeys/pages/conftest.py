"""Helpers of the tests of the public pages."""

from collections.abc import Callable

import pytest
from flask import Flask

from marketplace.catalogue.indexing import services
from marketplace.catalogue.indexing.spec import SPECS
from marketplace.core.database import db


@pytest.fixture
def index(app: Flask) -> Callable[[], None]:
    """`index()` commits and builds both search indexes from the database."""

    def build() -> None:
        db.session.commit()
        for spec in SPECS:
            services.rebuild(spec)

    return build
