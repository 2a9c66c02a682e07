"""The house over HTTP: health, headers, errors, one transaction a request."""

from collections.abc import Iterator

import pytest
from flask import Flask, jsonify
from flask.testing import FlaskClient
from sqlalchemy import create_engine, select, text
from sqlalchemy.exc import OperationalError

from marketplace.core import jobs
from marketplace.core.database import db
from marketplace.core.permissions import public
from marketplace.identity.models import User
from marketplace.site.template_globals import asset_url


@pytest.fixture
def writing_app(app: Flask) -> Iterator[Flask]:
    """The application with three routes that write and then end differently."""
    if "write_ok" not in app.view_functions:
        # Flask refuses routes after the first request, which another test has made.
        app._got_first_request = False

        @public("a test")
        def ok() -> object:
            db.session.add(User(name="Written"))
            return jsonify(done=True)

        @public("a test")
        def refused() -> object:
            db.session.add(User(name="Refused"))
            db.session.flush()
            return jsonify(done=False), 422

        @public("a test")
        def broken() -> object:
            db.session.add(User(name="Broken"))
            jobs.enqueue("mail.send", {"to": "nobody@example.com"})
            db.session.flush()
            raise RuntimeError("half way")

        for name, view in (("ok", ok), ("refused", refused), ("broken", broken)):
            app.add_url_rule(f"/test/write/{name}", f"write_{name}", view)
        app._got_first_request = True
    app.config["PROPAGATE_UNEXPECTED"] = False
    yield app
    app.config["PROPAGATE_UNEXPECTED"] = True


def names() -> list[str]:
    db.session.rollback()
    return list(db.session.scalars(select(User.name)))


def test_a_request_that_succeeds_is_committed(writing_app: Flask) -> None:
    assert writing_app.test_client().get("/test/write/ok").status_code == 200
    assert names() == ["Written"]


@pytest.mark.parametrize(("path", "status"), [("refused", 422), ("broken", 500)])
def test_a_request_that_fails_leaves_nothing(writing_app: Flask, path: str, status: int) -> None:
    response = writing_app.test_client().get(f"/test/write/{path}")
    assert response.status_code == status
    assert b"half way" not in response.data
    assert names() == []
    assert jobs.counts()["ready"] == 0


def test_a_locked_database_is_a_503_and_no_half_write(writing_app: Flask) -> None:
    with db.engine.connect() as probe:
        url = probe.engine.url
    other = create_engine(url, isolation_level="AUTOCOMMIT")
    with other.connect() as locker:
        locker.execute(text("BEGIN EXCLUSIVE"))
        with db.engine.connect() as connection:
            connection.execute(text("PRAGMA busy_timeout=50"))
            connection.commit()
        response = writing_app.test_client().get("/test/write/ok")
        locker.execute(text("ROLLBACK"))
    other.dispose()
    assert response.status_code == 503
    assert response.headers["Retry-After"] == "5"
    assert b"Nothing was saved" in response.data
    assert names() == []


def test_a_database_that_is_gone_is_a_503_page(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*_args: object, **_options: object) -> None:
        raise OperationalError("SELECT 1", {}, Exception("server closed the connection"))

    monkeypatch.setattr(db.session(), "execute", gone)
    response = app.test_client().get("/readyz")
    assert response.status_code == 503
    assert response.json is not None
    assert response.json["parts"]["database"] == "unavailable"


def test_health_names_each_part(client: FlaskClient) -> None:
    assert client.get("/healthz").json == {"status": "ok"}
    response = client.get("/readyz")
    assert response.status_code == 200
    assert response.json is not None
    assert set(response.json["parts"]) == {"database", "search", "jobs"}


def test_metrics_are_counted_by_endpoint(client: FlaskClient) -> None:
    client.get("/healthz")
    text = client.get("/metrics").get_data(as_text=True)
    assert 'portico_requests_total{endpoint="health.process",method="GET",status="200"}' in text
    assert 'portico_jobs{state="dead"} 0.0' in text


def test_every_response_carries_the_security_headers(client: FlaskClient) -> None:
    for path in ("/healthz", "/no-such-page"):
        headers = client.get(path).headers
        policy = headers["Content-Security-Policy"]
        assert "default-src 'self'" in policy
        assert "unsafe-inline" not in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["X-Content-Type-Options"] == "nosniff"


def test_a_request_id_is_kept_when_it_is_well_formed(client: FlaskClient) -> None:
    kept = client.get("/healthz", headers={"X-Request-ID": "abcd-1234-efgh"})
    assert kept.headers["X-Request-ID"] == "abcd-1234-efgh"
    forged = client.get("/healthz", headers={"X-Request-ID": 'x y"<z>'})
    assert forged.headers["X-Request-ID"] != 'x y"<z>'


def test_an_unknown_page_is_a_page_for_people_and_problem_json_for_programs(
    client: FlaskClient,
) -> None:
    page = client.get("/no-such-page", headers={"Accept": "text/html"})
    assert (page.status_code, page.mimetype) == (404, "text/html")
    problem = client.get("/api/v1/no-such-thing")
    assert (problem.status_code, problem.mimetype) == (404, "application/problem+json")
    assert problem.json is not None
    assert problem.json["title"] == "Not found"


@pytest.mark.parametrize(
    "key",
    ["../../etc/passwd", "aa/" + "0" * 64 + ".svg", "aa/" + "0" * 64 + ".png", "%2e%2e/%2e%2e/x"],
)
def test_no_path_leads_out_of_the_media_folder(client: FlaskClient, key: str) -> None:
    assert client.get(f"/media/{key}").status_code == 404


def test_an_upload_over_the_limit_is_refused(client: FlaskClient) -> None:
    response = client.post("/healthz", data=b"x" * (17 * 1024 * 1024))
    assert response.status_code in {405, 413}


def test_a_static_file_is_kept_for_ever_only_under_its_fingerprint(
    app: Flask, client: FlaskClient
) -> None:
    with app.test_request_context():
        url = asset_url("img/favicon.svg")
    assert "?v=" in url
    with client.get(url) as kept, client.get(url.split("?")[0]) as checked:
        assert "immutable" in kept.headers["Cache-Control"]
        assert "immutable" not in checked.headers.get("Cache-Control", "")
