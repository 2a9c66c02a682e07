"""The policy as code: plan, apply, export."""

import re
from pathlib import Path

import click
import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import func, select

from marketplace.core.database import db
from marketplace.program.policy.document import Policy
from marketplace.program.policy.live import live_policy
from marketplace.program.policy.models import PolicyVersion
from marketplace.program.policy.yaml_text import policy_to_yaml
from tests.factories.people import make_organization
from tests.factories.program import make_policy, make_standing, policy_document


def run(app: Flask, *words: object) -> Result:
    return app.test_cli_runner().invoke(args=["program", *(str(each) for each in words)])


def written(path: Path, **changes: object) -> Path:
    policy = Policy.model_validate(policy_document(**changes))
    file = path / "policy.yaml"
    file.write_text(policy_to_yaml(policy), encoding="utf-8")
    return file


def versions() -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(PolicyVersion)) or 0


def test_a_plan_says_what_changes_and_changes_nothing(app: Flask, tmp_path: Path) -> None:
    make_policy()
    make_standing(make_organization("Quayside"), "gold")
    db.session.commit()
    file = written(tmp_path, grace_days=60)
    done = run(app, "plan", file)
    assert done.exit_code == 0, done.output
    assert "Days of grace: 30 days → 60 days" in done.output
    assert "1 partner would move.\n  Quayside: Gold → Registered (also without it)" in done.output
    assert run(app, "plan", file, "--detailed-exitcode").exit_code == 2
    assert versions() == 1


def test_applying_twice_publishes_once(app: Flask, tmp_path: Path) -> None:
    file = written(tmp_path)
    first = run(app, "apply", file, "--yes")
    assert first.exit_code == 0, first.output
    assert "Version 1 is published." in first.output
    second = run(app, "apply", file, "--yes")
    assert "Nothing changes" in second.output
    assert run(app, "plan", file, "--detailed-exitcode").exit_code == 0
    assert versions() == 1


def test_what_is_exported_is_applied_without_a_change(app: Flask, tmp_path: Path) -> None:
    make_policy()
    db.session.commit()
    file = tmp_path / "out.yaml"
    assert run(app, "export", file).exit_code == 0
    assert file.read_text().startswith("# The partner program")
    assert "Nothing changes" in run(app, "apply", file, "--yes").output
    assert run(app, "export").output == file.read_text()


def test_a_day_to_come_is_applied_once_too(app: Flask, tmp_path: Path) -> None:
    make_policy()
    db.session.commit()
    file = written(tmp_path, grace_days=60)
    day = "2027-06-01T00:00Z"
    assert run(app, "apply", file, "--at", day, "--yes").exit_code == 0
    assert "Nothing changes" in run(app, "apply", file, "--at", day, "--yes").output
    assert versions() == 2


def test_nobody_publishes_without_being_asked(app: Flask, tmp_path: Path) -> None:
    assert run(app, "apply", written(tmp_path)).exit_code == 1
    assert versions() == 0


def test_nothing_is_applied_over_what_was_published_while_it_was_read(
    app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_policy()
    db.session.commit()

    def read_slowly(*_words: object, **_options: object) -> bool:
        make_policy(grace_days=45)
        db.session.commit()
        return True

    monkeypatch.setattr(click, "confirm", read_slowly)
    refused = run(app, "apply", written(tmp_path, grace_days=60))
    assert refused.exit_code == 1
    assert "Another version was published" in refused.output
    live = live_policy()
    assert live is not None
    assert (live.number, live.policy.grace_days) == (2, 45)


@pytest.mark.parametrize("name", ["api_platform", "saas_app_store", "reseller_channel"])
def test_a_template_is_a_file_to_begin_with(app: Flask, tmp_path: Path, name: str) -> None:
    file = tmp_path / "begin.yaml"
    assert run(app, "export", file, "--template", name).exit_code == 0
    assert run(app, "apply", file, "--yes").exit_code == 0
    assert versions() == 1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("points: 250", "points: much"), r"tiers\[2\]\.points: A whole number"),
        (("points: 250", "points: true"), r"tiers\[2\]\.points: A whole number"),
        (("points: 250", 'points: "250"'), r"tiers\[2\]\.points: A whole number"),
        (
            ("measure: deals_won", "measure: moon"),
            r"metrics\[2\]\.measure: There is no measure moon",
        ),
        (("currency: EUR", "currency: EURO"), r"currency: A currency of three"),
        (("name: Gold", "nmae: Gold"), r"tiers\[2\]\.nmae: There is no such field"),
    ],
)
def test_what_is_wrong_is_told_with_its_path(
    app: Flask, tmp_path: Path, change: tuple[str, str], words: str
) -> None:
    file = written(tmp_path, currency="EUR", goals=[])
    text = file.read_text()
    if change[0] not in text:
        text += "currency: EUR\n"
    file.write_text(text.replace(*change))
    done = run(app, "plan", file)
    assert done.exit_code == 1
    assert re.search(words, done.output), done.output


@pytest.mark.parametrize("at", ["tomorrow", "2020-01-01", "9999-12-31T23:59-12:00", "2200-01-01"])
def test_moments_that_cannot_be_are_refused(app: Flask, tmp_path: Path, at: str) -> None:
    done = run(app, "apply", written(tmp_path), "--at", at, "--yes")
    assert done.exit_code == 1
    assert isinstance(done.exception, SystemExit)
    assert versions() == 0


def test_without_a_policy_there_is_nothing_to_export(app: Flask) -> None:
    done = run(app, "export")
    assert done.exit_code == 1
    assert "--template" in done.output


def test_a_type_or_tier_that_partners_have_is_not_dropped_by_accident(
    app: Flask, tmp_path: Path
) -> None:
    make_policy()
    for name in ("Quayside", "Harbor"):
        make_standing(make_organization(name, partner_type="technology"), "gold")
    make_standing(make_organization("Three", partner_type="reseller"), "gold", state="lapsed")
    db.session.commit()
    was = policy_document()
    file = written(tmp_path, types=was["types"][1:2] + was["types"][3:], tiers=was["tiers"][:2])
    types = "2 partners are of the type Technology partner: they keep their listings"
    tiers = "2 partners are of the tier Gold: they go to what they have earned"
    planned = run(app, "plan", file)
    assert planned.exit_code == 0
    assert types in planned.output
    assert tiers in planned.output
    # Who has lapsed is no partner of the program today.
    assert "of the type Reseller" not in planned.output
    refused = run(app, "apply", file, "--yes")
    assert refused.exit_code == 1
    assert types in refused.output
    assert "--drop-types" in refused.output
    assert versions() == 1
    assert run(app, "apply", file, "--yes", "--drop-types").exit_code == 0
    assert versions() == 2
    # They have had no type since: nothing is dropped by what comes next.
    assert run(app, "apply", written(tmp_path, types=was["types"][1:2], tiers=was["tiers"][:2],
        grace_days=9), "--yes").exit_code == 0  # fmt: skip


def test_a_file_that_cannot_be_written_is_told_without_a_trace(app: Flask, tmp_path: Path) -> None:
    make_policy()
    db.session.commit()
    done = run(app, "export", tmp_path / "none" / "policy.yaml")
    assert done.exit_code == 1
    assert isinstance(done.exception, SystemExit)
    assert "cannot be written: No such file or directory" in done.output


def test_a_moment_that_is_past_is_told_before_anything_else(app: Flask, tmp_path: Path) -> None:
    done = run(app, "apply", written(tmp_path), "--at", "2020-01-01T00:00Z", "--yes")
    assert done.exit_code == 1
    assert done.output == "Error: --at: 2020-01-01 00:00 UTC is past.\n"
