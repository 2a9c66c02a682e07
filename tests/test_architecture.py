"""House rules that a tool cannot say in its settings."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from marketplace.config import ROOT
from marketplace.core.permissions import known_actions

PACKAGES = ("marketplace", "search", "billing")
MAY_COMMIT = {"marketplace/core/unit_of_work.py"}
# A module that only lists things may be long; code may not.
LONGEST_MODULE = 500


def modules() -> Iterator[Path]:
    for package in PACKAGES:
        yield from sorted((ROOT / package).rglob("*.py"))


def test_the_import_contracts_hold() -> None:
    done = subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_only_the_unit_of_work_commits() -> None:
    found = []
    for path in modules():
        name = str(path.relative_to(ROOT))
        for node in ast.walk(ast.parse(path.read_text())):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr == "commit"
                and "session" in ast.unparse(node.func.value)
                and name not in MAY_COMMIT
            ):
                found.append(f"{name}:{node.lineno}")
    assert found == []


def test_no_module_does_everything() -> None:
    long = {
        str(path.relative_to(ROOT)): lines
        for path in modules()
        if (lines := len(path.read_text().splitlines())) > LONGEST_MODULE
    }
    assert long == {}
    assert not [path for path in modules() if path.stem in {"util", "utils", "helpers", "misc"}]


def test_the_current_time_is_asked_of_the_clock_only() -> None:
    found = []
    for path in modules():
        if path == ROOT / "marketplace" / "core" / "clock.py":
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in {
                "datetime.now",
                "datetime.utcnow",
                "date.today",
                "datetime.today",
            }:
                found.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert found == []


def test_every_route_has_a_permission_or_says_why_it_is_public(app: Flask) -> None:
    bare = [
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if rule.endpoint != "static" and not _permission_of(app.view_functions[rule.endpoint])
    ]
    assert bare == []


def test_every_permission_that_a_route_names_has_a_rule(app: Flask) -> None:
    named = {_permission_of(view) for view in app.view_functions.values()}
    actions = {name for name in named if name and not name.startswith(("public: ", "token: "))}
    assert actions - set(known_actions()) == set()


def test_what_is_public_and_changes_something_is_a_short_known_list(app: Flask) -> None:
    changing = {
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if (rule.methods or set()) & {"POST", "PUT", "PATCH", "DELETE"}
        and (_permission_of(app.view_functions[rule.endpoint]) or "").startswith("public: ")
    }
    assert changing <= PUBLIC_CHANGES, changing - PUBLIC_CHANGES


# Each has its own guard: a rate limit, a signed token, or nothing but the actor's own session.
PUBLIC_CHANGES = {
    "applications.status_answer",  # the secret of the link; thirty an hour for one address
    "applications.status_withdraw",  # likewise
    "contacts.write",  # a message to us; ten an hour for one address
    "joining.ask",  # signed by the form before; five an hour, and owners hear of few
    "joining.sign_up",  # ten an hour for one address, five mails a day to one
    "affiliates.forget",  # takes back a cookie of the caller's own browser
    "affiliates.remember",  # sets it, with the form's token; thirty a minute
    "campaigns.consent_give",  # the link in the mail is signed, open for two weeks
    "campaigns.landing_answer",  # ten an hour for one address; nothing is told of others
    "credentials.verify_posted",  # changes nothing; twenty a minute for one address
    "engagement.report",  # five an hour for one address
    "engagement.unsubscribe",  # the link in the mail is signed
    "identity.logout",  # ends nothing but the caller's own session
    "leads.remove_brief",  # the link in the mail is signed
    "leads.send_brief",  # eight an hour for one address, a field that traps machines
    "oauth_endpoints.introspect",  # the client authenticates itself
    "oauth_endpoints.par",  # likewise
    "oauth_endpoints.revoke",  # likewise
    "oauth_endpoints.token",  # likewise
    "passport_receipts.receive",  # the receiver of the passport signs it
    "stripe_webhooks.stripe_webhook",  # Stripe signs it
    "search_pages.record",  # counts a word, limited for one address
    "verification.confirm",  # the link in the mail holds a token, good once
}


def _permission_of(view: object) -> str:
    view_class = getattr(view, "view_class", None)
    return str(
        getattr(view, "portico_permission", "") or getattr(view_class, "portico_permission", "")
    )


@pytest.mark.parametrize("folder", ["templates"])
def test_templates_carry_no_inline_script_or_style(folder: str) -> None:
    found = []
    for path in sorted((ROOT / folder).rglob("*.html")):
        text = path.read_text()
        for number, line in enumerate(text.splitlines(), 1):
            lowered = line.lower()
            inline = (
                " style=" in lowered
                or "<style" in lowered
                or " onclick=" in lowered
                or " onsubmit=" in lowered
                or " onchange=" in lowered
                or "javascript:" in lowered
                or ("<script" in lowered and "src=" not in lowered and "ld+json" not in lowered)
            )
            if inline:
                found.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()[:80]}")
    assert found == []
