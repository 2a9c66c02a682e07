"""The quick start does what it says: its commands are run against a real server."""

import os
import re
import shutil
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from html import unescape
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from marketplace.config import ROOT
from marketplace.core.database import db
from marketplace.identity.models import Role
from marketplace.identity.sessions import COOKIE
from marketplace.installs.developer.quick_start_steps import (
    CALLBACK,
    HELPERS,
    STEPS,
    settings_command,
)
from marketplace.installs.models import (
    App,
    DeliveryState,
    Environment,
    Installation,
    OAuthGrant,
    WebhookDelivery,
)
from marketplace.installs.webhooks.dispatcher import run_until_stopped
from tests.factories.apps import make_app
from tests.factories.people import make_customer, make_member, make_organization
from tests.journeys.developer.test_apps import form_hidden, settings_form, shown_secrets

SignIn = Callable[..., FlaskClient]
GUIDE = ROOT / "docs" / "quick-start.md"
# What the developer's browser does: look at the consent page, and choose to install.
BROWSER = """#!{python}
import re, sys
import requests

session = requests.Session()
session.cookies.set({cookie!r}, {token!r}, domain="127.0.0.1")
page = session.get(sys.argv[1], timeout=10)
page.raise_for_status()
form = re.search(r'<form[^>]*\\saction="(/oauth/authorize[^"]*)".*?</form>', page.text, re.S)
fields = dict(re.findall(r'<input type="hidden"\\s+name="([^"]+)"\\s+value="([^"]*)"', form[0]))
base = "/".join(sys.argv[1].split("/")[:3])
answer = session.post(base + form[1].replace("&amp;", "&"), data=fields, timeout=10)
answer.raise_for_status()
# And what every browser asks for by itself.
session.get("/".join(answer.url.split("/")[:3]) + "/favicon.ico", timeout=10)
session.get(answer.url.partition("?")[0], timeout=10)
"""


def blocks() -> list[str]:
    return re.findall(r"^```sh\n(.*?)^```$", GUIDE.read_text(), re.S | re.M)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_the_guide_and_the_portals_page_have_the_same_commands() -> None:
    settings, *commands = blocks()
    assert [command.rstrip("\n") for command in commands] == [step.command for step in STEPS]
    assert settings.endswith(HELPERS + "\n")
    names = re.findall(r"export (\w+)=", settings)
    assert re.findall(r"export (\w+)=", settings_command("https://x.example", "pct_1")) == names


def test_the_commands_use_nothing_but_a_few_tools() -> None:
    text = "\n".join(re.sub(r"<<'PYTHON'.*?^PYTHON$", "", b, flags=re.S | re.M) for b in blocks())
    tools = {"curl", "openssl", "python3"}
    assert {name for name in ("jq", "node", "pip", "wget", "httpie") if name in text} == set()
    assert all(name in text for name in tools)


@pytest.mark.timeout(90)
def test_the_commands_of_the_guide_work_as_written(
    app: Flask, site: str, sign_in: SignIn, tmp_path: Path
) -> None:
    for tool in ("bash", "curl", "openssl", "python3"):
        assert shutil.which(tool), f"the quick start needs {tool}"
    partner = make_organization("Quayside")
    developer = sign_in(make_member(partner, Role.DEVELOPER), partner)
    port = free_port()
    # Before you begin: by hand in the portal.
    assert developer.post("/partner/sandbox/making").status_code == 303
    made = developer.post("/partner/apps/new", data={"name": "Tides", "kind": "confidential"})
    test_tab = made.headers["Location"]
    page = developer.get(test_tab).text
    saved = developer.post(
        f"{test_tab}/settings",
        data={
            "seen": form_hidden(settings_form(page), "seen"),
            "redirect_uris-0": f"http://127.0.0.1:{port}/callback",
            "kind": "confidential",
        },
    )
    assert saved.status_code == 303
    (secret,) = shown_secrets(developer.post(f"{test_tab}/secrets", data={"seen": ""}).text)
    row = db.session.scalars(select(App)).one()
    client_id = next(c.client_id for c in row.clients if c.environment is Environment.TEST)
    added = developer.post(
        "/partner/webhooks/new",
        data={"url": f"http://127.0.0.1:{port}/webhooks", "environment": "test", "app": ""},
    )
    assert added.status_code == 303, added.text[:500]
    found = re.search(r"whsec_[A-Za-z0-9+/=]+", unescape(developer.get(added.location).text))
    assert found
    webhook_secret = found[0]
    cookie = developer.get_cookie(COOKIE)
    assert cookie is not None
    browser = tmp_path / "browser"
    browser.write_text(BROWSER.format(python=sys.executable, cookie=COOKIE, token=cookie.value))
    browser.chmod(browser.stat().st_mode | stat.S_IXUSR)
    script = tmp_path / "quick-start.sh"
    script.write_text("set -euo pipefail\n" + "\n".join(blocks()))

    stop = threading.Event()
    worker = threading.Thread(target=run_until_stopped, args=(app, stop))
    worker.start()
    try:
        done = subprocess.run(
            ["bash", str(script)],
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(tmp_path),
                "TMPDIR": str(tmp_path),
                "PORTICO_URL": site,
                "CLIENT_ID": client_id,
                "CLIENT_SECRET": secret,
                "WEBHOOK_SECRET": webhook_secret,
                "LISTENER_PORT": str(port),
                "BROWSER": str(browser),
            },
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    finally:
        stop.set()
        worker.join()
    assert done.returncode == 0, done.stdout + done.stderr
    for said in (
        "The state is ours.",
        "The issuer is right.",
        "Installed as inst_",
        '"name": "Quayside sandbox"',
        "The next access token ends in 3600 seconds.",
        "The signature is right.",
        '"type": "installation.installed"',
        "The API answers 401",
    ):
        assert said in done.stdout, (said, done.stdout, done.stderr)
    db.session.rollback()
    installation = db.session.scalars(select(Installation)).one()
    assert installation.environment is Environment.TEST
    assert installation.connected_at is not None
    grants = db.session.scalars(
        select(OAuthGrant).where(OAuthGrant.installation_id == installation.id)
    ).all()
    assert all(grant.revoked_at is not None for grant in grants)
    assert db.session.scalars(select(WebhookDelivery.state)).all() == [DeliveryState.DELIVERED]


def test_the_page_fills_in_the_partners_own_ids_and_no_secret(app: Flask, sign_in: SignIn) -> None:
    partner = make_organization()
    browser = sign_in(make_member(partner, Role.DEVELOPER), partner)
    empty = browser.get("/partner/developers").text
    assert "Register an app" in empty
    assert "paste the client ID of the test client" in empty
    first, second = make_app(publisher=partner), make_app(publisher=partner)
    second.name = "Moon Phases"
    db.session.commit()
    page = browser.get(f"/partner/developers?app={second.public_id}").text
    ids = {client.environment: client.client_id for client in second.clients}
    assert f"export CLIENT_ID=&#34;{ids[Environment.TEST]}&#34;" in page
    assert ids[Environment.LIVE] not in page
    assert CALLBACK in page
    assert "pcs_" not in page
    assert first.public_id in page
    for wrong in ("app_0", "%00", first.public_id):
        assert browser.get(f"/partner/developers?app={wrong}").status_code == 200
    assert sign_in(make_member(make_customer())).get("/partner/developers").status_code == 403


def test_the_step_with_the_webhook_ends_when_none_comes(tmp_path: Path) -> None:
    (step,) = [step.command for step in STEPS if step.title == "Verify a webhook"]
    (tmp_path / "sleep").write_text("#!/bin/sh\n")
    (tmp_path / "sleep").chmod(0o700)
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", f'WORK="{tmp_path}"\n{step}'],
        env={"PATH": f"{tmp_path}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "reset the sandbox" in done.stdout
