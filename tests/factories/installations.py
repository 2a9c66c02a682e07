"""Whole installations of their own, each with a database and a server on loopback, so that one
can call the other."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.serving import make_server

from marketplace.app import create_app
from marketplace.config import load_settings
from marketplace.core import jobs
from marketplace.core.database import db
from marketplace.identity.models import Organization, User
from marketplace.identity.sessions import COOKIE, start_session

# The sealing keys are the process's: installations in one process share the secret.
SECRET = "a-test-key-that-guards-nothing-at-all"


@dataclass
class Installation:
    """One of them; `base` is its public address."""

    app: Flask
    base: str

    def sign_in(self, user: User, organization: Organization | None = None) -> FlaskClient:
        """A browser in which the person is signed in; within the application's context."""
        _row, token = start_session(user, organization_id=organization.id if organization else None)
        db.session.commit()
        client = self.app.test_client()
        client.set_cookie(COOKIE, token)
        return client

    def run_jobs(self) -> int:
        """Run what is due; how many succeeded."""
        return jobs.run_due()


# A database with its tables, made once a process: three hundred of them take seconds.
_empty: list[bytes] = []


def _nothing(_environ: object, start_response: object) -> list[bytes]:
    return []


@contextmanager
def installation(folder: Path, name: str) -> Iterator[Installation]:
    """Serve an installation with an empty database while the block runs."""
    database = folder / f"{name}.db"
    server = make_server("127.0.0.1", 0, _nothing, threaded=True)  # type: ignore[arg-type]  # set below
    base = f"http://127.0.0.1:{server.server_port}"
    app = create_app(
        load_settings(
            {
                "PORTICO_ENV": "test",
                "SECRET_KEY": SECRET,
                "DATABASE_URL": f"sqlite:///{database}",
                "DATA_DIR": str(folder / name),
                "PUBLIC_URL": base,
                "SITE_NAME": name.capitalize(),
                "MAIL_BACKEND": "file",
                "OUTBOUND_ALLOWED_NETWORKS": "127.0.0.0/8",
            }
        )
    )
    app.config["WTF_CSRF_ENABLED"] = False
    if _empty:
        database.write_bytes(_empty[0])
    else:
        with app.app_context():
            db.create_all()
            db.session.remove()
            db.engine.dispose()
        _empty.append(database.read_bytes())
    server.app = app
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield Installation(app, base)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
        with app.app_context():
            db.session.remove()
            db.engine.dispose()
        app.extensions["portico_search"].close()
