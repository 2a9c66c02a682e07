"""The program in a real browser: a manager changes the rules and gives a grant, and somebody whom
nobody knew joins as a reseller and rises to the highest tier of these rules."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import pytest
import yaml
from playwright.sync_api import Page, expect

from marketplace.config import ROOT
from marketplace.demo.program.course_texts import PROTECT, Text
from tests.browser.conftest import Demo
from tests.browser.people import sign_in

pytestmark = [pytest.mark.browser, pytest.mark.timeout(480)]
OpenPage = Callable[..., Page]


@pytest.fixture
def demo(fresh_demo: Demo) -> Demo:
    """These stories change the rules for everybody, so each has a demo of its own."""
    return fresh_demo


def of_person(new_page: OpenPage, name: str, **options: object) -> Page:
    """A page on which that person of the demo is signed in."""
    page = new_page(**options)
    sign_in(page, name)
    return page


def test_a_manager_changes_the_rules_and_gives_a_grant(new_page: OpenPage, demo: Demo) -> None:
    manager = of_person(new_page, "Daniel Osei")
    # A template comes in as a draft, is compared, and is given up.
    manager.goto("/staff/policy/upload")
    template = ROOT / "marketplace" / "program" / "policy" / "templates" / "reseller_channel.yaml"
    manager.get_by_label("File").set_input_files(template)
    manager.get_by_role("button", name="Begin a draft").click()
    expect(manager.get_by_role("heading", name="What changes")).to_be_visible()
    manager.get_by_role("link", name="Discard the draft").click()
    manager.get_by_role("button", name="Discard").click()

    # The way to Gold gets shorter; who moves is seen before anybody does.
    manager.goto("/staff/policy")
    manager.get_by_role("button", name="New draft").click()
    draft = manager.url
    manager.goto(f"{draft}/parts/tiers/items/gold")
    manager.get_by_label("Points", exact=True).fill("110")
    manager.get_by_role("button", name="Save").click()
    manager.goto(draft)
    expect(manager.locator("main")).to_contain_text("110")
    manager.get_by_role("link", name="Publish", exact=True).click()
    moves = manager.get_by_role("table", name="Who would move")
    expect(moves.get_by_role("row").filter(has_text="Tidewater Labs")).to_contain_text("Gold")
    manager.get_by_role("button", name="Publish now").click()
    manager.goto("/program")
    expect(manager.locator("main")).to_contain_text("110")

    partner = of_person(new_page, "Maya Lindgren", width=390, dark=True)
    partner.goto("/partner/scorecard")
    partner.get_by_role("button", name="Evaluate now").click()
    expect(partner.locator("main")).to_contain_text("Promoted: Silver → Gold")

    # A grant: a round, an application, a score, an award, a milestone.
    manager.goto("/staff/rounds/new?kind=grant")
    today = datetime.now(UTC).date()
    manager.get_by_label("Name", exact=True).fill("Field data grant")
    manager.get_by_label("First day").fill(str(today))
    manager.get_by_label("Last day").fill(str(today + timedelta(days=30)))
    manager.get_by_label("Budget").fill("5000")
    manager.get_by_role("button", name="Save draft").click()
    manager.get_by_role("button", name="Open it").click()
    partner.goto("/partner/rounds")
    partner.get_by_role("link", name="Field data grant").first.click()
    partner.get_by_role("link", name="Apply").first.click()
    partner.get_by_label("What do you want to do?").fill("Offline routes for forty field teams.")
    partner.locator("main form").get_by_role("button", name="Apply").click()
    expect(partner.locator("main")).to_contain_text("Field data grant")

    manager.goto("/staff/applications?q=Field+data+grant")
    manager.get_by_role("table", name="Applications").get_by_role("link").first.click()
    case = manager.url
    for reviewer in (manager, of_person(new_page, "Ines Moreau")):
        score(reviewer, case)
    manager.goto(case)
    manager.get_by_role("link", name="Accept").click()
    manager.get_by_label("Grant").fill("3000")
    manager.get_by_role("button", name="Accept and send").click()
    expect(manager.locator("main")).to_contain_text("Accepted")
    manager.goto("/staff/rounds")
    manager.get_by_role("link", name="Field data grant").click()
    expect(manager.locator("main")).to_contain_text("€3,000.00 of €5,000.00")
    manager.get_by_role("link", name="Tidewater Labs").click()
    manager.get_by_label("What is shown").fill("Ten teams drive by it")
    manager.get_by_label("Paid for it").fill("3000")
    manager.get_by_role("button", name="Set it").click()
    place = manager.url
    partner.goto("/partner/rounds")
    partner.locator("main a[href*='/places/']", has_text="Field data grant").click()
    partner.get_by_text("Hand in evidence").click()
    partner.get_by_label("Evidence", exact=True).fill("Logs of ten teams over a week.")
    partner.get_by_role("button", name="Hand in", exact=True).click()
    manager.goto(place)
    expect(manager.locator("main")).to_contain_text("Logs of ten teams over a week.")
    manager.get_by_role("button", name="Accept and pay €3,000.00").click()
    expect(manager.locator("main")).to_contain_text("Accepted")
    partner.reload()
    expect(partner.locator("main")).to_contain_text("payable since")


def score(page: Page, case: str) -> None:
    """Give a high score wherever one is asked for."""
    page.goto(case)
    fields = page.locator("input[name^=score_]")
    expect(fields.first).to_be_visible()
    for number in range(fields.count()):
        fields.nth(number).fill("90")
    page.get_by_role("button", name="Score").click()
    expect(page.locator("main")).to_contain_text("90 of 100")


# What resellers must reach in this story; everything else stays as the template says.
EASIER = {"silver": (10, {"certified_people": 1}), "gold": (20, {"certified_people": 1})}
RESELLER = "Fairway Resale"
ADDRESS = "nils@fairway-resale.example"
CUSTOMER = "lakeside-clinics.example"


def easier_policy() -> str:
    """The template for an API platform, in which resellers rise sooner."""
    path = ROOT / "marketplace" / "program" / "policy" / "templates" / "api_platform.yaml"
    policy = yaml.safe_load(path.read_text(encoding="utf-8"))
    for tier in policy["tiers"]:
        if tier["key"] in EASIER:
            tier["points"], wanted = EASIER[tier["key"]]
            for each in tier["requirements"]:
                each["types"] = [key for key in each["types"] if key != "reseller"]
            tier["requirements"] += [
                {"metric": metric, "threshold": threshold, "types": ["reseller"]}
                for metric, threshold in wanted.items()
            ]
    return yaml.safe_dump(policy, sort_keys=False)


def test_a_reseller_joins_and_rises_to_gold(new_page: OpenPage, demo: Demo) -> None:
    manager = of_person(new_page, "Daniel Osei")
    manager.goto("/staff/policy/upload")
    manager.get_by_label("File").set_input_files(
        {"name": "policy.yaml", "mimeType": "text/yaml", "buffer": easier_policy().encode()}
    )
    manager.get_by_role("button", name="Begin a draft").click()
    manager.get_by_role("link", name="Publish", exact=True).click()
    manager.get_by_role("button", name="Publish now").click()
    expect(manager.locator("main")).to_contain_text("In force")

    # Somebody whom nobody knows applies as a reseller, and watches it by a link.
    person = new_page()
    person.goto("/join/reseller")
    person.get_by_label("Organization", exact=True).fill(RESELLER)
    person.get_by_label("Website").fill("fairway-resale.example")
    person.get_by_label("Country").select_option("SE")
    person.get_by_label("Your name").fill("Nils Ekdal")
    person.get_by_label("Your e-mail address").fill(ADDRESS)
    person.get_by_label("Where do you sell?").fill("Sweden and Norway, to clinics.")
    person.get_by_label("What do you expect to sell").select_option("20,000 to 100,000")
    person.get_by_label("Do you give first-line support").select_option("Yes")
    person.get_by_label("At which hours?").fill("Weekdays, 8 to 17")
    person.get_by_role("button", name="Apply").click()
    expect(person.locator("main")).to_contain_text("Look into your mail")
    open_mail(person, demo, ADDRESS, "application")
    expect(person.locator("main")).to_contain_text("In review")

    manager.goto(f"/staff/applications?q={quote(RESELLER)}")
    manager.get_by_role("table", name="Applications").get_by_role("link").first.click()
    score(manager, manager.url)
    manager.get_by_role("link", name="Accept").click()
    manager.get_by_role("button", name="Accept and send").click()
    expect(manager.locator("main")).to_contain_text("Accepted")

    open_mail(person, demo, ADDRESS, "is ready for you")
    sign_in_anew(person, "Nils Ekdal", ADDRESS)
    person.get_by_role("button", name="Accept").first.click()

    person.goto("/partner/verification")
    person.get_by_label("Domain", exact=True).fill("fairway-resale.example")
    person.get_by_label("A mail to an address at the domain").check()
    person.get_by_label("Address at the domain optional").fill(ADDRESS)
    person.get_by_role("button", name="Add the domain").click()
    open_mail(person, demo, ADDRESS, "fairway-resale.example")
    person.get_by_role("button", name="Confirm").click()
    person.goto("/partner/verification")
    expect(person.get_by_role("table", name="Domains")).to_contain_text("Proven")

    pass_course(person, PROTECT)
    person.goto("/partner/scorecard")
    person.get_by_role("button", name="Evaluate now").click()
    expect(person.locator("main")).to_contain_text("Promoted: Registered → Silver")

    # Who names a customer first has it; a rival learns that it is taken, and not by whom.
    deal = register_deal(person, "Calendar for the clinics")
    rival = of_person(new_page, "Owen Hartley", width=390, dark=True)
    rival_deal = register_deal(rival, "Clinics by the lake")
    expect(rival.locator("main")).to_contain_text("Already registered")
    expect(rival.locator("body")).not_to_contain_text(RESELLER)
    for address, button in ((deal, "Approve"), (rival_deal, "Refuse this one")):
        manager.goto(address.replace("/partner/", "/staff/"))
        if button != "Approve":
            manager.get_by_label("Reason").fill("The customer was registered before.")
        manager.get_by_role("button", name=button).click()
    rival.reload()
    expect(rival.locator("main")).to_contain_text("The customer was registered before.")

    person.goto(deal)
    person.get_by_label("Stage").select_option("won")
    person.get_by_role("button", name="Move").click()
    finance = of_person(new_page, "Greta Holm")
    finance.goto(deal.replace("/partner/", "/staff/") + "/credit")
    share = finance.get_by_role("group", name="Share 1")
    share.get_by_label("Partner").fill(RESELLER)
    share.get_by_label("Share").fill("100")
    finance.get_by_role("button", name="Split the credit").click()

    person.goto("/partner/scorecard")
    person.get_by_role("button", name="Evaluate now").click()
    expect(person.locator("main")).to_contain_text("Promoted: Silver → Gold")


def open_mail(page: Page, demo: Demo, to: str, subject: str) -> None:
    """Follow the first link in the newest mail of that subject, which comes after a moment."""
    host, _colon, port = demo.url.rpartition(":")
    subjects = page.locator(".person-name", has_text=subject)
    newest = page.locator("main a").filter(has=subjects).first
    for _try in range(120):
        page.goto(f"{host}:{int(port) + 1}/mail?to={quote(to)}")
        if newest.count():
            break
        page.wait_for_timeout(500)
    newest.click()
    page.locator("main a", has_text=demo.url).first.click()


def sign_in_anew(page: Page, name: str, address: str) -> None:
    """Sign in, from the page that asks for it, as somebody of whom the provider has not heard."""
    page.locator("main").get_by_role("link", name="Sign in").click()
    page.get_by_text("Demo people").first.click()
    page.get_by_label("Name").fill(name)
    page.get_by_label("E-mail address").fill(address)
    page.get_by_role("button", name="Sign in as somebody new").click()
    page.wait_for_url(lambda url: "authorize" not in url)


def pass_course(page: Page, text: Text) -> None:
    """Read all lessons and answer everything right."""
    right = {
        words: [option.removeprefix("* ") for option in options if option.startswith("* ")]
        for words, options, _explanation in text.questions
    }
    page.goto("/partner/courses")
    page.get_by_role("link", name=text.settings["title"]).click()
    page.get_by_role("link", name="Begin", exact=True).click()
    for _lesson in text.lessons:
        page.get_by_role("button", name="Done").click()
    page.get_by_role("button", name="Begin the quiz").click()
    questions = page.locator("fieldset.course-question")
    expect(questions.first).to_be_visible()
    for place in range(questions.count()):
        question = questions.nth(place)
        words = question.locator("legend").inner_text().partition(". ")[2]
        for answer in right[words]:
            question.get_by_label(answer, exact=True).check()
    page.get_by_role("button", name="Submit your answers").click()
    expect(page.locator("main")).to_contain_text("100")


def register_deal(page: Page, title: str) -> str:
    """Register the same customer and product under that title; the deal's address."""
    page.goto("/partner/deals/register")
    page.get_by_label("Customer", exact=True).fill("Lakeside Clinics")
    page.get_by_label("The customer's domain").fill(CUSTOMER)
    page.get_by_label("Name of the deal").fill(title)
    page.get_by_label("Or another product").fill("Shift calendar")
    page.get_by_label("What it is worth").fill("4800")
    page.get_by_role("button", name="Register", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(title)
    return page.url
