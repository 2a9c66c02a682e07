"""An application on a database of its own, empty before each test.

Tests in tests/integration run on SQLite and, where TEST_DATABASE_URL names a PostgreSQL
database, on PostgreSQL too; the database of that name is created for each worker and dropped.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from marketplace.app import configure_process, create_app
from marketplace.config import load_settings, sqlalchemy_url
from marketplace.core import clock, jobs
from marketplace.core.database import db
from marketplace.core.limits import limiter
from marketplace.identity.models import Organization, User
from marketplace.identity.second_factor import note_second_factor
from marketplace.identity.sessions import COOKIE, start_session
from tests.connected import Connected, connected, now_at
from tests.factories.stripe import stripe, stripe_server  # noqa: F401 - fixtures

SECRET_KEY = "a-test-key-that-guards-nothing-at-all"
# Servers of the tests are on loopback; webhooks and probes may reach them.
OUTBOUND_NETWORKS = "127.0.0.0/8"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Integration tests run once per database."""
    if "app" not in metafunc.fixturenames:
        return
    databases = ["sqlite"]
    if "integration" in Path(str(metafunc.definition.path)).parts and os.environ.get(
        "TEST_DATABASE_URL"
    ):
        databases.append("postgresql")
    metafunc.parametrize("database_kind", databases, indirect=True, scope="session")


@pytest.fixture(scope="session")
def database_kind(request: pytest.FixtureRequest) -> str:
    """`sqlite` or `postgresql`."""
    return str(request.param)


@pytest.fixture(scope="session")
def application(
    database_kind: str, tmp_path_factory: pytest.TempPathFactory, worker_id: str
) -> Iterator[Flask]:
    """The application of this session; tests ask for `app`, which empties it."""
    folder = tmp_path_factory.mktemp(f"portico-{database_kind}")
    if database_kind == "sqlite":
        url = f"sqlite:///{folder}/portico.db"
    else:
        url = _create_postgresql_database(os.environ["TEST_DATABASE_URL"], worker_id)
    app = create_app(
        load_settings(
            {
                "PORTICO_ENV": "test",
                "SECRET_KEY": SECRET_KEY,
                "DATABASE_URL": url,
                "DATA_DIR": str(folder),
                "PUBLIC_URL": "http://localhost",
                "MAIL_BACKEND": "file",
                "OUTBOUND_ALLOWED_NETWORKS": OUTBOUND_NETWORKS,
            }
        )
    )
    app.config["WTF_CSRF_ENABLED"] = False
    _CONNECTED.update(connected())
    with app.app_context():
        db.create_all()
        db.session.remove()
        db.engine.dispose()
    if database_kind == "sqlite":
        shutil.copy(folder / "portico.db", folder / "empty.db")
    yield app
    with app.app_context():
        db.session.remove()
        db.engine.dispose()
    app.extensions["portico_search"].close()
    if database_kind == "postgresql":
        _drop_postgresql_database(url)


# Tables whose ids were ever given out, and those that have no such ids: emptying all of them takes
# longer than most tests.
_USED_TABLES = """
SELECT tables.relname FROM pg_class AS tables
JOIN pg_namespace AS schemas ON schemas.oid = tables.relnamespace AND schemas.nspname = 'public'
LEFT JOIN pg_depend AS owned ON owned.refobjid = tables.oid AND owned.deptype IN ('a', 'i')
    AND owned.classid = 'pg_class'::regclass
    AND EXISTS (SELECT FROM pg_class WHERE oid = owned.objid AND relkind = 'S')
WHERE tables.relkind = 'r'
    AND (owned.objid IS NULL OR pg_sequence_last_value(owned.objid) IS NOT NULL)
"""


# What the application of this process has connected.
_CONNECTED: Connected = {}


@pytest.fixture(autouse=True)
def _left_as_found() -> Iterator[None]:
    """A test that moved the clock leaves it unmoved to the next one, also when it failed, and
    what it connected is put back. Autouse: torn down after everything else of the test."""
    before = dict(_CONNECTED)
    yield
    clock.unshift()
    assert now_at(before) == before, "The test connected something and did not put it back."


@pytest.fixture
def app(application: Flask, database_kind: str) -> Iterator[Flask]:
    """An application over an empty database, with its context pushed."""
    folder = application.extensions["portico_settings"].data_dir
    # A test may have made another application in this process.
    configure_process(application.extensions["portico_settings"])
    with application.app_context():
        if database_kind == "sqlite":
            for suffix in ("-wal", "-shm"):
                (folder / f"portico.db{suffix}").unlink(missing_ok=True)
            shutil.copy(folder / "empty.db", folder / "portico.db")
        else:
            with db.engine.begin() as connection:
                used = connection.scalars(text(_USED_TABLES)).all()
                if used:
                    names = ", ".join(f'"{name}"' for name in used)
                    # The ledger refuses to be emptied: its triggers sleep for this transaction.
                    connection.execute(text("SET LOCAL session_replication_role = replica"))
                    connection.execute(text(f"TRUNCATE {names} RESTART IDENTITY CASCADE"))
        shutil.rmtree(folder / "mail", ignore_errors=True)
        # All tests call from one address.
        limiter.reset()
        application.extensions["portico_recorder"].clear()
        application.extensions["portico_exposure"].clear()
        yield application
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser that nobody has signed in with."""
    return app.test_client()


SignIn = Callable[..., FlaskClient]


@pytest.fixture
def sign_in(app: Flask) -> SignIn:
    """`sign_in(user, organization=None)` gives a browser in which `user` is signed in, with a
    second factor unless told otherwise."""

    def browser(
        user: User, organization: Organization | None = None, *, second_factor: bool = True
    ) -> FlaskClient:
        row, token = start_session(user, organization_id=organization.id if organization else None)
        assert row.id
        if second_factor:
            note_second_factor(row)
        db.session.commit()
        client = app.test_client()
        client.set_cookie(COOKIE, token)
        return client

    return browser


@pytest.fixture
def run_jobs(app: Flask) -> Callable[[], int]:
    """`run_jobs()` runs every due job, and the jobs that those add; how many succeeded."""

    def run() -> int:
        total = 0
        while True:
            done = jobs.run_due()
            total += done
            if done == 0:
                return total

    return run


@pytest.fixture(scope="session")
def worker_id(request: pytest.FixtureRequest) -> str:
    """The name of the xdist worker, `master` without xdist."""
    return str(getattr(request.config, "workerinput", {}).get("workerid", "master"))


def _server_and_name(url: str, worker: str) -> tuple[str, str]:
    parts = make_url(sqlalchemy_url(url))
    return parts.render_as_string(hide_password=False), f"{parts.database}_{worker}"


def _create_postgresql_database(url: str, worker: str) -> str:
    server, name = _server_and_name(url, worker)
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))
        connection.execute(text(f'CREATE DATABASE "{name}"'))
    engine.dispose()
    return make_url(server).set(database=name).render_as_string(hide_password=False)


def _drop_postgresql_database(url: str) -> None:
    parts = make_url(url)
    engine = create_engine(parts.set(database="postgres"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f'DROP DATABASE IF EXISTS "{parts.database}" WITH (FORCE)'))
    engine.dispose()
