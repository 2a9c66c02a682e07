"""O edits the playbook; new partners get dated tasks, identical for one type and day."""

import io
from datetime import UTC, datetime, timedelta
from typing import Any

import yaml
from sqlalchemy import select

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.identity.models import Organization
from marketplace.program.onboarding.jobs import remind_of_tasks
from marketplace.program.onboarding.models import PartnerTask
from marketplace.program.policy.document import Policy
from marketplace.program.policy.models import PolicyVersion
from tests.factories.contacts_world import make_staff
from tests.factories.forms import publication_of
from tests.factories.mails import mails
from tests.factories.people import make_platform, make_user
from tests.factories.program import make_policy, policy_document

PLAYBOOK = [
    {"key": "kick_off", "title": "Kick-off call", "due_days": 7},
    {"key": "plan", "title": "Write a joint plan", "due_days": 30},
    {"key": "logo", "title": "Add the logo", "due_days": 3, "side": "operator"},
]


def join(sign_in: Any, name: str) -> tuple[Any, Organization]:
    browser = sign_in(make_user(name, f"ann@{name.lower()}.example"))
    joined = browser.post(
        "/join/affiliate",
        data={"organization": "new", "organization_name": name, "country": "SE"},
    )
    assert joined.status_code == 200
    found = db.session.scalars(select(Organization).where(Organization.name == name)).one()
    return browser, found


def tasks_of(organization: Organization) -> list[tuple[str, str, str, datetime]]:
    rows = db.session.scalars(
        select(PartnerTask)
        .where(PartnerTask.organization_id == organization.id)
        .order_by(PartnerTask.place)
    )
    return [(row.key, row.title, row.side.value, row.due_at) for row in rows]


def test_017_standardize_engagements(sign_in: Any) -> None:
    make_policy()
    daniel = make_staff(make_platform(), "Daniel Osei")
    desk = sign_in(daniel)
    _, before = join(sign_in, "Early")
    assert tasks_of(before) == []

    # The operator edits the playbook and publishes.
    document = policy_document()
    document["types"][3]["playbook"] = PLAYBOOK
    file = yaml.safe_dump(Policy.model_validate(document).as_data(), sort_keys=False).encode()
    begun = desk.post(
        "/staff/policy/upload",
        data={"file": (io.BytesIO(file), "policy.yaml")},
        content_type="multipart/form-data",
    )
    assert begun.status_code == 303, begun.text
    db.session.rollback()
    draft = db.session.scalars(select(PolicyVersion).order_by(PolicyVersion.id.desc())).first()
    assert draft is not None
    publish = f"/staff/policy/{draft.public_id}/publish"
    published = desk.post(publish, data=publication_of(desk.get(publish).text))
    assert published.status_code == 303, published.text

    # Same type, same day: identical tasks, each until the end of its day in UTC.
    kitewell, one = join(sign_in, "Kitewell")
    _, two = join(sign_in, "Quillbright")
    assert tasks_of(one) == tasks_of(two)
    assert len(tasks_of(one)) == 3
    today = clock.now().astimezone(UTC).date()
    assert [row[3].date() - today for row in tasks_of(one)] == [
        timedelta(days=7),
        timedelta(days=30),
        timedelta(days=3),
    ]
    # Who joined before keeps what was promised then.
    db.session.rollback()
    assert tasks_of(before) == []

    page = kitewell.get("/partner/tasks").text
    assert "Kick-off call" in page
    assert "Write a joint plan" in page
    assert "Add the logo" in page
    task = db.session.scalars(
        select(PartnerTask).where(
            PartnerTask.organization_id == one.id, PartnerTask.key == "kick_off"
        )
    ).one()
    assert kitewell.post(f"/partner/tasks/{task.public_id}/done").status_code == 303
    queue = desk.get("/staff/tasks").text
    assert "Add the logo" in queue
    assert "Kick-off call" not in queue
    assert "Kitewell" in queue
    assert "Kitewell,Add the logo" in desk.get("/staff/tasks.csv?q=kite").text

    ours = db.session.scalars(
        select(PartnerTask).where(PartnerTask.organization_id == one.id, PartnerTask.key == "logo")
    ).one()
    given = desk.post(f"/staff/tasks/{ours.public_id}/assignee", data={"person": str(daniel.id)})
    assert given.status_code == 303
    db.session.commit()

    # Three days before, and when late: one reminder each, for both sides.
    with clock.frozen(clock.now() + timedelta(days=8)):
        for _ in range(2):
            remind_of_tasks({})
            db.session.commit()
        late = [each for each in mails() if each["subject"].endswith("are late")]
        assert sorted(each["to"] for each in late) == [
            "ann@quillbright.example",
            str(daniel.email),
        ]
        desk = sign_in(daniel)
        assert "Late" in desk.get("/staff/tasks?show=late").text
        assert desk.post(f"/staff/tasks/{ours.public_id}/done").status_code == 303
        assert "Kitewell" not in desk.get("/staff/tasks?show=late").text
