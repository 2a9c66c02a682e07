"""Staff write the policy in forms, see what changes, and publish it."""

import io
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from billing.models import Discount, DiscountKind, FeeKind, FeeRule, Funder
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.identity.models import Role, User
from marketplace.pipeline.leads.models import RoutingRule
from marketplace.program.applications.models import RoundState
from marketplace.program.policy.document import Policy
from marketplace.program.policy.live import forget_current_policy, live_policy
from marketplace.program.policy.models import PolicyState, PolicyVersion
from marketplace.program.policy.queries import version_in_force_at
from marketplace.program.policy.services import drafting
from marketplace.program.policy.yaml_text import TEMPLATES, policy_to_yaml, template
from marketplace.program.scorecards import movers
from marketplace.program.scorecards.models import MoversPreview
from marketplace.program.scorecards.services import previews
from marketplace.program.standing.models import TierOverride
from tests.factories.certification_world import make_program
from tests.factories.courses import make_course
from tests.factories.desk import make_schedule
from tests.factories.forms import publication_of
from tests.factories.people import make_member, make_organization, make_platform
from tests.factories.program import make_policy, make_standing, policy_document
from tests.factories.queries import count_queries
from tests.factories.rounds import make_round

SignIn = Callable[..., FlaskClient]


@pytest.fixture
def manager(app: Flask) -> User:
    return make_member(make_platform(), Role.PROGRAM_MANAGER)


@pytest.fixture
def staff(manager: User, sign_in: SignIn) -> FlaskClient:
    return sign_in(manager)


def begin(**changes: object) -> PolicyVersion:
    draft = drafting.begin(Policy.model_validate(policy_document(**changes)), by_user_id=None)
    db.session.commit()
    return draft


def reread(draft: PolicyVersion) -> PolicyVersion:
    db.session.rollback()
    return db.session.scalars(select(PolicyVersion).where(PolicyVersion.id == draft.id)).one()


def page(client: FlaskClient, url: str, status: int = 200) -> str:
    response = client.get(url)
    assert response.status_code == status, response.text[-500:]
    return response.text


def item_url(draft: PolicyVersion, part: str, item: str = "") -> str:
    tail = f"items/{item}" if item else "new"
    return f"/staff/policy/{draft.public_id}/parts/{part}/{tail}"


def fields_of(html: str) -> dict[str, object]:
    """The form of the page as a browser would send it: text, selects, boxes."""
    form = re.search(r'<form method="post"[^>]*data-guard.*?</form>', html, re.S)
    assert form is not None
    found: dict[str, object] = {}
    for tag in re.findall(r"<input[^>]*>", form[0]):
        name = re.search(r' name="([^"]*)"', tag)
        kind = re.search(r' type="([^"]*)"', tag)
        value = re.search(r' value="([^"]*)"', tag)
        if name is None or (kind and kind[1] == "checkbox" and " checked" not in tag):
            continue
        entry = (value[1] if value else "").replace("&#39;", "'").replace("&amp;", "&")
        kept = found.get(name[1])
        found[name[1]] = (
            entry if kept is None else [*(kept if isinstance(kept, list) else [kept]), entry]
        )
    for name, body in re.findall(
        r'<textarea[^>]* name="([^"]*)"[^>]*>(.*?)</textarea>', form[0], re.S
    ):
        found[name] = body.strip()
    for name, body in re.findall(r'<select[^>]* name="([^"]*)"[^>]*>(.*?)</select>', form[0], re.S):
        chosen = re.findall(r'<option selected value="([^"]*)"', body)
        if chosen:
            found[name] = chosen if len(chosen) > 1 else chosen[0]
    return found


def test_without_a_policy_staff_choose_a_template(staff: FlaskClient) -> None:
    html = page(staff, "/staff/policy")
    assert "API platform" in html
    assert "Reseller channel" in html
    response = staff.post("/staff/policy/drafts", data={"source": "saas_app_store"})
    assert response.status_code == 303
    assert "App store partners" in page(staff, response.location)
    assert live_policy() is None


@pytest.mark.parametrize(
    "part", ["types", "tiers", "metrics", "entitlements", "benefits", "goals", "spaces",
             "types.technology.form", "types.technology.stages", "types.technology.playbook",
             "types.technology.getting_started"],
)  # fmt: skip
def test_every_item_is_saved_as_it_was_shown(staff: FlaskClient, part: str) -> None:
    staff.post("/staff/policy/drafts", data={"source": "api_platform"})
    draft = db.session.scalars(select(PolicyVersion)).one()
    digest = draft.digest
    base = f"/staff/policy/{draft.public_id}/parts/{part}"
    keys = re.findall(rf'href="{base}/items/([a-z_]+)"', page(staff, base))
    assert keys
    for key in keys:
        html = page(staff, f"{base}/items/{key}")
        saved = staff.post(f"{base}/items/{key}", data=fields_of(html))
        assert saved.status_code == 303, re.findall(r"form-error.*?</p>", saved.text)
        assert reread(draft).digest == digest, key
    assert reread(draft).edition == 1


def test_what_comes_later_is_kept_and_taken_back_in_the_editor(staff: FlaskClient) -> None:
    later = {"key": "roadmap", "name": "Road map", "announced": True}
    draft = begin(entitlements=[*policy_document()["entitlements"], later])
    base = f"/staff/policy/{draft.public_id}/parts/entitlements"
    assert "comes later" in page(staff, base)
    url = f"{base}/items/roadmap"
    typed = fields_of(page(staff, url))
    assert staff.post(url, data=typed).status_code == 303
    assert Policy.model_validate(reread(draft).document).is_announced("roadmap")
    typed = {name: value for name, value in typed.items() if name != "announced"}
    assert staff.post(url, data=typed).status_code == 303
    assert not Policy.model_validate(reread(draft).document).is_announced("roadmap")


def test_a_tier_is_changed_by_its_form(staff: FlaskClient) -> None:
    draft = begin()
    url = item_url(draft, "tiers", "gold")
    sent = fields_of(page(staff, url))
    sent |= {
        "points": "260",
        "yearly_cost": "1,200.50",
        "requirements-0-metric": "revenue",
        "requirements-0-threshold": "5,000",
        "requirements-0-types": ["technology", "reseller"],
        "entitlements_seats": "12",
        "entitlements_api_preview": "yes",
    }
    assert staff.post(url, data=sent).status_code == 303
    gold = Policy.model_validate(reread(draft).document).tier("gold")
    assert gold is not None
    assert (gold.points, gold.yearly_cost) == (260, 120_050)
    assert gold.requirements[0].threshold == 500_000
    assert gold.requirements[0].types == ("technology", "reseller")
    assert gold.entitlements == {"api_preview": True, "seats": 12}


def test_new_items_get_a_key_of_their_name(staff: FlaskClient) -> None:
    draft = begin()
    for part, data, key in (
        ("tiers", {"name": "Platinum & more", "points": "400"}, "platinum_more"),
        ("goals", {"name": "Deals", "measure": "deals_won", "how": "sum", "target": "90"}, "deals"),
        ("benefits", {"name": "Exam voucher", "per_year_gold": "5"}, "exam_voucher"),
        ("spaces", {"name": "Lounge", "see": "", "reply": "silver", "create": "gold"}, "lounge"),
        ("entitlements", {"name": "Road map", "kind": "flag"}, "road_map"),
        (
            "metrics",
            {"name": "Rating", "measure": "rating", "how": "average", "unit": "stars", "per": "1"},
            "rating",
        ),
        ("types", {"name": "Agency", "entry": "email", "is_open": "y"}, "agency"),
        (
            "types.technology.playbook",
            {"title": "Call", "side": "partner", "due_days": "3"},
            "call",
        ),
        (
            "types.technology.stages",
            {"name": "Board", "reviewers": "3", "criteria": "a\nb"},
            "board",
        ),
        (
            "types.technology.form",
            {"label": "Which?", "kind": "choice", "options": "One\nTwo", "required": "y"},
            "which",
        ),
        ("types.technology.getting_started", {"title": "Sell", "done_by": "order.paid"}, "sell"),
    ):
        edition = reread(draft).edition
        response = staff.post(item_url(draft, part), data={"edition": edition, **data})
        assert response.status_code == 303, (part, re.findall(r"form-error.*?</p>", response.text))
        assert key in page(staff, f"/staff/policy/{draft.public_id}/parts/{part}")
    policy = Policy.model_validate(reread(draft).document)
    assert policy.benefits[0].per_year == {"gold": 5}
    assert policy.spaces[0].create == "gold"
    question = policy.types[0].form[-1]
    assert question.options == ("One", "Two")


@pytest.mark.parametrize(
    ("part", "data", "words"),
    [
        ("tiers", {"name": "", "points": "5"}, "This is needed."),
        ("tiers", {"name": "X" * 81}, "At most 80 characters."),
        ("tiers", {"name": "A", "points": "many"}, "Type a whole number."),
        ("tiers", {"name": "A", "points": str(2**70)}, "This number is too large."),
        ("tiers", {"name": "A", "points": "9" * 5000}, "Type a whole number."),
        ("tiers", {"name": "A", "points": "-1"}, "At least 0."),
        ("tiers", {"name": "A", "yearly_cost": "much"}, "Type an amount like 12.50."),
        ("tiers", {"name": "A", "key": "gold"}, "gold is there twice"),
        ("tiers", {"name": "A", "key": "Not A Key"}, "Small letters"),
        ("tiers", {"name": "A", "requirements-0-metric": "gone", "requirements-0-threshold": "1"},
         "Choose a metric."),
        ("tiers", {"name": "A", "requirements-0-metric": "deals"}, "Type a whole number."),
        ("tiers", {"name": "A", "types": "nobody"}, "there is no type nobody"),
        ("tiers", {"name": "A\x00"}, "invisible character"),
        ("metrics", {"name": "A", "measure": "moon", "how": "sum", "unit": "count"},
         "There is no measure moon"),
        ("metrics", {"name": "A", "measure": "rating", "how": "x", "unit": "count"}, "is needed"),
        ("metrics", {"name": "A", "measure": "rating", "how": "sum", "unit": "x", "per": "0"},
         "is needed"),
        ("goals", {"name": "A", "measure": "deals_won", "how": "sum", "target": "0"},
         "At least 1."),
        ("benefits", {"name": "A", "per_year_gold": "-3"}, "From 0 to 10,000."),
        ("spaces", {"name": "A", "see": "moon"}, "there is no tier moon"),
        ("types", {"name": "A", "entry": "magic"}, "is needed"),
        ("types", {"name": "A", "entry": "email", "modules": "moon"}, "There is no part moon"),
        ("types.technology.form", {"label": "A", "kind": "choice", "options": "One"},
         "at least two options"),
        ("types.technology.form", {"label": "A", "kind": "text", "when_field": "why"},
         "Say which answers"),
        ("types.technology.playbook", {"title": "A", "side": "moon", "due_days": "1"},
         "Either partner or operator."),
        ("types.technology.playbook", {"title": "A", "side": "partner", "due_days": ""},
         "A whole number is needed"),
        ("types.technology.getting_started", {"title": "A", "done_by": "x", "link": "//evil"},
         "The path of a page here"),
    ],
)  # fmt: skip
def test_bad_input_is_told_at_its_field_and_kept(
    staff: FlaskClient, part: str, data: dict[str, str], words: str
) -> None:
    draft = begin()
    response = staff.post(item_url(draft, part), data={"edition": 1, **data})
    assert response.status_code == 422
    assert "error-summary" in response.text
    assert words in response.text
    assert reread(draft).edition == 1


def test_rows_of_requirements_come_and_go_without_script(staff: FlaskClient) -> None:
    draft = begin()
    url = item_url(draft, "tiers", "gold")
    sent = fields_of(page(staff, url)) | {
        "requirements-0-metric": "deals",
        "requirements-0-threshold": "3",
    }
    more = staff.post(url, data={**sent, "add_row": "requirements"})
    assert more.status_code == 200
    assert 'name="requirements-1-metric"' in more.text
    less = staff.post(url, data={**sent, "remove_row": "requirements-0"})
    assert 'name="requirements-1-metric"' not in less.text
    general = f"/staff/policy/{draft.public_id}/general"
    assert staff.post(general, data={"add_row": "rates"}).status_code == 200


def test_two_editors_notice_each_other_and_lose_nothing(staff: FlaskClient) -> None:
    draft = begin()
    url = item_url(draft, "tiers", "gold")
    mine = fields_of(page(staff, url)) | {"points": "300"}
    drafting.save(draft, policy_document(grace_days=45), edition=1, by_user_id=None)
    db.session.commit()
    refused = staff.post(url, data=mine)
    assert refused.status_code == 409
    assert "Somebody else has changed this draft" in refused.text
    assert 'value="300"' in refused.text
    assert staff.post(url, data=fields_of(refused.text)).status_code == 303
    policy = Policy.model_validate(reread(draft).document)
    gold = policy.tier("gold")
    assert gold is not None
    assert (policy.grace_days, gold.points) == (45, 300)


def test_items_are_moved_and_removed_with_what_speaks_of_them(staff: FlaskClient) -> None:
    draft = begin(
        spaces=[{"key": "talk", "name": "Talk", "see": "silver"}],
        benefits=[{"key": "pass", "name": "Pass", "per_year": {"silver": 1, "gold": 2}}],
    )
    base = f"/staff/policy/{draft.public_id}/parts/metrics/items/deals"
    assert staff.post(f"{base}/move", data={"to": "up", "edition": 1}).status_code == 303
    assert [each["key"] for each in reread(draft).document["metrics"]][1] == "deals"
    tier = f"/staff/policy/{draft.public_id}/parts/tiers/items/silver/remove"
    asked = page(staff, tier)
    assert "Talk" in asked
    assert "Pass" in asked
    assert staff.post(tier, data={"edition": 2}).status_code == 303
    policy = Policy.model_validate(reread(draft).document)
    assert [each.key for each in policy.tiers] == ["registered", "gold"]
    assert policy.spaces[0].see == "gold"
    assert policy.benefits[0].per_year == {"gold": 2}


def test_a_tier_that_gives_none_stays_so_when_the_benefit_is_saved(staff: FlaskClient) -> None:
    draft = begin(benefits=[{"key": "pass", "name": "Pas", "per_year": {"silver": 5, "gold": 0}}])
    url = item_url(draft, "benefits", "pass")
    sent = {**fields_of(page(staff, url)), "name": "Pass"}
    assert staff.post(url, data=sent).status_code == 303
    policy = Policy.model_validate(reread(draft).document)
    assert policy.benefits[0].name == "Pass"
    assert policy.benefits[0].per_year == {"silver": 5, "gold": 0}


def test_the_last_tier_cannot_be_removed(staff: FlaskClient) -> None:
    draft = begin(tiers=[{"key": "registered", "name": "Registered"}], metrics=[])
    url = f"/staff/policy/{draft.public_id}/parts/tiers/items/registered/remove"
    assert "cannot be removed yet" in page(staff, url)
    assert staff.post(url, data={"edition": 1}).status_code == 303
    assert len(reread(draft).document["tiers"]) == 1


def test_publishing_shows_what_changes_and_who_moves(staff: FlaskClient) -> None:
    make_policy()
    partner = make_organization("Quayside")
    make_standing(partner, "gold")
    draft = begin(grace_days=60)
    html = page(staff, f"/staff/policy/{draft.public_id}/publish")
    assert "30 days" in html
    assert "60 days" in html
    # The partner has gold and has measured nothing.
    assert "Quayside" in html
    response = staff.post(f"/staff/policy/{draft.public_id}/publish", data=publication_of(html))
    assert response.status_code == 303
    forget_current_policy()
    live = live_policy()
    assert live is not None
    assert (live.number, live.policy.grace_days) == (2, 60)
    assert "In force" in page(staff, f"/staff/policy/{draft.public_id}")


def test_what_partners_have_is_dropped_only_when_that_is_ticked(staff: FlaskClient) -> None:
    make_policy()
    make_standing(make_organization("Quayside", partner_type="technology"), "silver")
    draft = begin()
    said = "1 partner is of the type Technology partner: it keeps its listings"
    removal = f"{item_url(draft, 'types', 'technology')}/remove"
    assert said in page(staff, removal)
    assert "of the type" not in page(staff, f"{item_url(draft, 'types', 'reseller')}/remove")
    edition = {"edition": draft.edition}
    assert staff.post(removal, data=edition).status_code == 303
    url = f"/staff/policy/{draft.public_id}/publish"
    html = page(staff, url)
    assert said in html
    refused = staff.post(url, data=publication_of(html))
    assert refused.status_code == 422
    assert "Tick this if that is meant." in refused.text
    assert reread(draft).state is PolicyState.DRAFT
    done = staff.post(url, data={**publication_of(refused.text), "drop": "y"})
    assert done.status_code == 303
    assert reread(draft).state is PolicyState.PUBLISHED


def test_a_day_to_come_is_shown_in_both_zones(manager: User, staff: FlaskClient) -> None:
    manager.timezone = "America/New_York"
    draft = begin()
    day = (clock.now() + timedelta(days=40)).date()
    url = f"/staff/policy/{draft.public_id}/publish"
    html = page(staff, f"{url}?at={day}T09:00")
    assert "America/New_York" in html
    assert re.search(r"1[34]:00 UTC", html)
    assert staff.post(url, data=publication_of(html)).status_code == 303
    db.session.rollback()
    assert live_policy() is None
    assert live_policy(clock.now() + timedelta(days=41)) is not None
    # The way out is said where somebody looks for it.
    assert "What is published is not taken back." in page(staff, f"/staff/policy/{draft.public_id}")


@pytest.mark.parametrize("at", ["2020-01-01T00:00", "0001-01-01T00:00", "9999-12-31T23:59", "soon"])
def test_moments_that_cannot_be_are_refused(staff: FlaskClient, at: str) -> None:
    draft = begin()
    url = f"/staff/policy/{draft.public_id}/publish"
    page(staff, f"{url}?at={at}")
    sent = {"digest": draft.digest, "effective_at": at}
    assert staff.post(url, data=sent).status_code == 422
    assert reread(draft).state is PolicyState.DRAFT


def test_a_draft_of_nothing_that_can_be_named_begins_with_what_is_in_force(
    staff: FlaskClient,
) -> None:
    make_policy()
    db.session.commit()
    for source in ("a\x00b", "\x00", "pol_none"):
        assert staff.post("/staff/policy/drafts", data={"source": source}).status_code == 303
    assert db.session.query(PolicyVersion).count() == 4


def test_nobody_publishes_what_they_have_not_seen(staff: FlaskClient) -> None:
    draft = begin()
    seen = draft.digest
    drafting.save(draft, policy_document(grace_days=1), edition=1, by_user_id=None)
    db.session.commit()
    response = staff.post(f"/staff/policy/{draft.public_id}/publish", data={"digest": seen})
    assert response.status_code == 409
    assert reread(draft).state is PolicyState.DRAFT


def test_nobody_undoes_what_a_colleague_published_meanwhile(staff: FlaskClient) -> None:
    make_policy()
    draft = begin(grace_days=60)
    url = f"/staff/policy/{draft.public_id}/publish"
    seen = publication_of(page(staff, url))
    make_policy(grace_days=45)
    db.session.commit()
    refused = staff.post(url, data=seen)
    assert refused.status_code == 409
    assert "Another version was published" in refused.text
    assert "45 days" in refused.text
    assert reread(draft).state is PolicyState.DRAFT
    assert staff.post(url, data=publication_of(refused.text)).status_code == 303
    assert reread(draft).number == 3


def test_a_day_to_come_is_compared_with_what_is_published_for_it(staff: FlaskClient) -> None:
    make_policy()
    soon, later = (clock.now() + timedelta(days=days) for days in (30, 60))
    make_policy(grace_days=45, effective_at=soon)
    draft = begin(grace_days=60)
    url = f"/staff/policy/{draft.public_id}/publish"
    html = page(staff, f"{url}?at={later:%Y-%m-%dT%H:%M}")
    assert "Against version 2" in html
    assert "45 days" in html
    assert "is already published from" not in html
    now = page(staff, url)
    assert "Against version 1" in now
    assert "is already published from" in now
    # What was seen for one day is not published for another.
    sent = {**publication_of(now), "effective_at": publication_of(html)["effective_at"]}
    assert staff.post(url, data=sent).status_code == 409
    assert staff.post(url, data=publication_of(html)).status_code == 303


def test_a_published_version_is_read_and_begun_anew(staff: FlaskClient) -> None:
    make_policy()
    version = db.session.scalars(select(PolicyVersion)).one()
    db.session.commit()
    base = f"/staff/policy/{version.public_id}"
    assert "Add a tier" not in page(staff, f"{base}/parts/tiers")
    assert "250" in page(staff, f"{base}/parts/tiers/items/gold")
    assert (
        staff.post(f"{base}/parts/tiers/items/gold/remove", data={"edition": 1}).status_code == 303
    )
    assert staff.post(f"{base}/general", data={"name": "x", "edition": 1}).status_code in (303, 422)
    again = staff.post("/staff/policy/drafts", data={"source": version.public_id})
    assert "Nothing." in page(staff, again.location)
    assert "They say the same" in page(
        staff, f"{again.location}/changes?against={version.public_id}"
    )


def test_a_file_goes_out_and_comes_back_the_same(staff: FlaskClient) -> None:
    staff.post("/staff/policy/drafts", data={"source": "api_platform"})
    draft = db.session.scalars(select(PolicyVersion)).one()
    text = staff.get(f"/staff/policy/{draft.public_id}/policy.yaml").data
    response = staff.post("/staff/policy/upload", data={"file": (io.BytesIO(text), "policy.yaml")})
    assert response.status_code == 303
    digests = set(db.session.scalars(select(PolicyVersion.digest)))
    assert len(digests) == 1


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "Choose a file"),
        (b"\xff\xfe\x00", "not UTF-8"),
        (b"name: x\nname: y", "is there twice"),
        (b"a: &a [x]\nb: *a", "aliases"),
        (b"[" * 90_000, "nested too deeply"),
        (b"name: A\ntypes: [{key: aa, name: A}]\ntiers: [{key: t1, name: T, points: 1.5}]",
         "tiers[0].points"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_policy_is_told_where(
    staff: FlaskClient, content: bytes, words: str
) -> None:
    name = "policy.yaml" if content else ""
    response = staff.post("/staff/policy/upload", data={"file": (io.BytesIO(content), name)})
    assert response.status_code == 422
    assert words in response.text


@pytest.mark.parametrize(
    ("role", "reads", "edits"),
    [
        (Role.PROGRAM_MANAGER, True, True),
        (Role.OWNER, True, True),
        (Role.REVIEWER, True, False),
        (Role.FINANCE, True, False),
        (Role.SUPPORT, True, False),
    ],
)
def test_all_staff_read_it_and_few_write_it(
    app: Flask, sign_in: SignIn, role: Role, reads: bool, edits: bool
) -> None:
    draft = begin()
    client = sign_in(make_member(make_platform(), role))
    assert (client.get(f"/staff/policy/{draft.public_id}").status_code == 200) is reads
    goal = {"edition": 1, "name": "A", "target": "1", "measure": "deals_won", "how": "sum"}
    edited = client.post(item_url(draft, "goals"), data=goal)
    assert (edited.status_code == 303) is edits
    assert (client.get(f"/staff/policy/{draft.public_id}/publish").status_code == 200) is edits


def test_partners_know_nothing_of_drafts(app: Flask, sign_in: SignIn) -> None:
    draft = begin()
    client = sign_in(make_member(make_organization()))
    assert client.get("/staff/policy").status_code in (403, 404)
    assert client.get(f"/staff/policy/{draft.public_id}").status_code == 404


@pytest.mark.parametrize(
    "path", ["nothing", "types.nobody.form", "types.technology.moon", "types."]
)
def test_lists_that_there_are_not_are_not_found(staff: FlaskClient, path: str) -> None:
    draft = begin()
    base = f"/staff/policy/{draft.public_id}/parts/{path}"
    for url in (base, f"{base}/new", f"{base}/items/x", f"{base}/items/x/remove"):
        assert staff.get(url).status_code == 404
    assert staff.post(f"{base}/new", data={"edition": "1"}).status_code == 404


@pytest.mark.parametrize("name", sorted(TEMPLATES))
def test_every_step_of_a_template_leads_to_a_page(app: Flask, name: str) -> None:
    pages = app.url_map.bind("localhost")
    links = {step.link for kind in template(name).types for step in kind.getting_started}
    for link in links - {""}:
        pages.match(link, method="GET")


def test_whoever_is_held_at_a_tier_that_goes_is_among_those_who_move(staff: FlaskClient) -> None:
    make_policy()
    held, graced = make_organization("Quillbright"), make_organization("Tidewater")
    make_standing(held, "gold")
    make_standing(graced, "silver", grace_until=clock.now() + timedelta(days=3))
    db.session.add(
        TierOverride(
            public_id="ovr_held",
            organization_id=held.id,
            tier="gold",
            reason="Until spring",
            expires_at=clock.now() + timedelta(days=90),
        )
    )
    draft = begin(tiers=policy_document()["tiers"][:2])
    html = page(staff, f"/staff/policy/{draft.public_id}/publish")
    moves = html[html.index("Who would move") :]
    assert re.search(r"Quillbright</th>.*?Gold.*?Registered", moves, re.S)
    # What the version in force does to somebody already is no effect of this one.
    assert moves.count("Also without this version") == 1
    assert "Also without" in moves[moves.index("Tidewater") :]


def test_of_many_partners_it_is_worked_out_in_the_background_who_moves(
    staff: FlaskClient, monkeypatch: pytest.MonkeyPatch, run_jobs: Callable[[], int]
) -> None:
    monkeypatch.setattr(previews, "AT_ONCE", 2)
    monkeypatch.setattr(movers, "BATCH", 2)
    make_policy()
    for name in ("Amber", "Basalt", "Coral", "Dune", "Ebb"):
        make_standing(make_organization(name), "registered" if name == "Ebb" else "silver")
    draft = begin(name="Stricter")
    url = f"/staff/policy/{draft.public_id}/publish"
    html = page(staff, url)
    assert "Work out who would move" in html
    assert "Publish now" not in html
    # Whoever publishes all the same is told to look first.
    blind = {
        "digest": draft.digest,
        "against": version_in_force_at(clock.now()).public_id,
        "edition": draft.edition,
    }
    refused = staff.post(url, data=blind)
    assert refused.status_code == 409
    assert "Look at who would move first." in refused.text

    for _click in range(2):
        assert staff.post(f"/staff/policy/{draft.public_id}/preview").status_code == 303
    assert db.session.query(MoversPreview).count() == 1
    html = page(staff, url)
    assert "0 of 5" in html
    followed = html.split('id="publication"')[1]
    assert 'hx-select="#publication"' in followed
    assert staff.post(url, data=blind).status_code == 409
    run_jobs()
    html = page(staff, url)
    assert "4 partners move." in html
    # What the page follows brings the form along, and is followed no more.
    followed = html.split('id="publication"')[1]
    assert "Publish now" in followed
    assert "hx-get" not in followed
    assert html.index("Amber") < html.index("Dune")
    assert "Ebb" not in html.split('id="movers"')[1]
    queries = count_queries(lambda: page(staff, url))

    # Another draft is another question.
    monkeypatch.setattr(previews, "PER_PAGE", 2)
    assert count_queries(lambda: page(staff, f"{url}?page=2")) == queries
    assert "Coral" in page(staff, f"{url}?page=2")
    draft = reread(draft)
    drafting.save(
        draft, {**draft.document, "grace_days": 5}, edition=draft.edition, by_user_id=None
    )
    db.session.commit()
    assert "Work out who would move" in page(staff, url)
    staff.post(f"/staff/policy/{draft.public_id}/preview")
    run_jobs()
    html = page(staff, url)
    assert staff.post(url, data=publication_of(html)).status_code == 303
    assert reread(draft).state is PolicyState.PUBLISHED


def test_what_was_worked_out_for_another_day_or_long_ago_does_not_count(
    staff: FlaskClient, monkeypatch: pytest.MonkeyPatch, run_jobs: Callable[[], int]
) -> None:
    monkeypatch.setattr(previews, "AT_ONCE", 0)
    make_policy()
    make_standing(make_organization("Amber"), "silver")
    draft = begin(name="Stricter")
    url = f"/staff/policy/{draft.public_id}/publish"
    day = f"{clock.now() + timedelta(days=9):%Y-%m-%dT%H:%M}"
    assert (
        staff.post(f"/staff/policy/{draft.public_id}/preview", data={"at": day}).status_code == 303
    )
    run_jobs()
    html = page(staff, f"{url}?at={day}")
    assert "1 partner moves." in html
    # Confirmed too late, the page asks for the same day again.
    with clock.frozen(clock.now() + timedelta(hours=2)):
        late = staff.post(url, data=publication_of(html))
    assert late.status_code == 409
    assert f'name="at" value="{day}"' in " ".join(late.text.split())
    assert "Work out who would move" in page(staff, url)
    wrong = staff.post(f"/staff/policy/{draft.public_id}/preview", data={"at": "then"})
    assert wrong.status_code == 422
    with clock.frozen(clock.now() + timedelta(hours=2)):
        assert "Work out who would move" in page(staff, f"{url}?at={day}")
    with clock.frozen(clock.now() + timedelta(days=2)):
        staff.post(f"/staff/policy/{draft.public_id}/preview")
    assert db.session.query(MoversPreview).count() == 1


def what_speaks_of_silver_and_resellers() -> set[str]:
    """Rows of every part that refer to the tier or the type; how they are named."""
    make_schedule(
        FeeRule(kind=FeeKind.SALE, tier="silver", bps=1_500),
        FeeRule(kind=FeeKind.SALE, bps=2_000),
        version=7,
    )
    make_schedule(
        FeeRule(kind=FeeKind.SALE, tier="silver", bps=1),
        effective_from=clock.now() - timedelta(days=9),
        version=6,
    )
    make_round(name="Autumn grants", types=["reseller"], least_tier="silver")
    make_round(name="Past grants", least_tier="silver", state=RoundState.CLOSED)
    make_course(title="Selling well", types=["reseller"])
    make_program(title="Ready to resell", partner_types=["reseller"])
    db.session.add_all(
        [
            RoutingRule(
                public_id="lrr_1", name="North", position=1, least_tier="silver", weights={}
            ),
            Discount(
                public_id="dis_1", name="For friends", kind=DiscountKind.PERCENT, bps=500,
                funder=Funder.PLATFORM, tiers=["silver"], starts_at=clock.now(),
            ),
        ]
    )  # fmt: skip
    db.session.commit()
    return {
        "Fee schedule 7, Schedule 7, refers to the tier Silver.",
        "Round Autumn grants refers to the type Reseller.",
        "Round Autumn grants refers to the tier Silver.",
        "Course Selling well refers to the type Reseller.",
        "Certification Ready to resell refers to the type Reseller.",
        "Routing rule North refers to the tier Silver.",
        "Discount For friends refers to the tier Silver.",
    }


def sentences_of(html: str) -> set[str]:
    """What a page says under the heading of references."""
    if "Elsewhere refers to what goes" not in html:
        return set()
    listed = html.split("Elsewhere refers to what goes")[1].split("</ul>")[0]
    plain = [re.sub(r"<[^>]+>", "", each) for each in listed.split("<li>")[1:]]
    return {" ".join(each.split()) for each in plain}


def test_pages_name_what_refers_to_a_type_or_tier_that_goes(staff: FlaskClient) -> None:
    make_policy()
    expected = what_speaks_of_silver_and_resellers()
    draft = begin()
    tier, kind = item_url(draft, "tiers", "silver"), item_url(draft, "types", "reseller")
    assert sentences_of(page(staff, f"/staff/policy/{draft.public_id}/publish")) == set()
    removal = sentences_of(page(staff, f"{tier}/remove"))
    assert removal == {each for each in expected if each.endswith("the tier Silver.")}
    for url in (tier, kind):
        edition = reread(draft).edition
        assert staff.post(f"{url}/remove", data={"edition": edition}).status_code == 303
    for name in ("publish", "changes"):
        html = page(staff, f"/staff/policy/{draft.public_id}/{name}")
        assert sentences_of(html) == expected
        for href in set(re.findall(r'<li>\s*<a href="([^"]+)"', html)):
            assert staff.get(href).status_code == 200, href


def test_a_plan_names_what_refers_to_what_goes(app: Flask, tmp_path: Path) -> None:
    make_policy()
    expected = what_speaks_of_silver_and_resellers()
    document = policy_document()
    document["tiers"] = [each for each in document["tiers"] if each["key"] != "silver"]
    document["types"] = [each for each in document["types"] if each["key"] != "reseller"]
    file = tmp_path / "policy.yaml"
    file.write_text(policy_to_yaml(Policy.model_validate(document)), encoding="utf-8")
    done = app.test_cli_runner().invoke(args=["program", "plan", str(file)])
    assert done.exit_code == 0, done.output
    listed = done.output.split("Elsewhere refers to what it leaves out:\n")[1].splitlines()
    assert {each.strip() for each in listed if each.startswith("  ")} == expected
