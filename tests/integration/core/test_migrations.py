"""The migrations make exactly the schema of the models, and can be undone."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from flask import Flask
from flask_migrate import downgrade, upgrade
from sqlalchemy import inspect, text

from marketplace.app import create_app
from marketplace.config import load_settings
from marketplace.core.database import db
from tests.conftest import (
    SECRET_KEY,
    _create_postgresql_database,
    _drop_postgresql_database,
)
from tests.parts import postgresql_url


@contextmanager
def bare_application(kind: str, folder: Path, worker: str) -> Iterator[Flask]:
    url = (
        f"sqlite:///{folder}/migrated.db"
        if kind == "sqlite"
        else _create_postgresql_database(postgresql_url(), f"migrations_{worker}")
    )
    environment = {
        "PORTICO_ENV": "test",
        "SECRET_KEY": SECRET_KEY,
        "DATABASE_URL": url,
        "DATA_DIR": str(folder),
    }
    app = create_app(load_settings(environment))
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()
    if kind == "postgresql":
        _drop_postgresql_database(url)


# What may not be changed, and what must balance, the database itself holds.
TRIGGERS = {"sqlite": 50, "postgresql": 31}


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_migrations_go_up_to_the_models_and_down_to_nothing(
    kind: str, tmp_path: Path, worker_id: str
) -> None:
    with bare_application(kind, tmp_path, worker_id):
        upgrade()
        with db.engine.connect() as connection:
            context = MigrationContext.configure(connection, opts={"compare_type": True})
            assert compare_metadata(context, db.metadata) == []
            triggers = (
                "SELECT count(*) FROM sqlite_master WHERE type = 'trigger'"
                if kind == "sqlite"
                else "SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal"
            )
            assert connection.execute(text(triggers)).scalar() == TRIGGERS[kind]
        downgrade(revision="base")
        assert inspect(db.engine).get_table_names() == ["alembic_version"]
        upgrade()
