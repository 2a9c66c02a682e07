"""Publishers run programs, partners join them, staff decides what is held: over HTTP."""

import gc
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from billing.models import (
    Affiliate,
    AffiliateLink,
    AffiliateProgram,
    AffiliateState,
    CommissionClearance,
    CommissionRule,
    Discount,
    DiscountKind,
    Earning,
    EarningKind,
    Funder,
    PromotionCode,
)
from billing.settlement.sales import HOLD
from marketplace.catalogue.models import Listing
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.identity.models import Organization, Role, User
from marketplace.sales.affiliates.queries.figures import figures_by_sub_id
from tests.factories.affiliates import (
    make_affiliate,
    make_affiliate_link,
    make_click,
    make_paid_order,
    make_plan,
    make_program,
)
from tests.factories.listings import make_listing
from tests.factories.mails import mails
from tests.factories.people import (
    make_customer,
    make_member,
    make_organization,
    make_platform,
)
from tests.factories.queries import count_queries
from tests.factories.selling import make_discount

SignIn = Callable[..., FlaskClient]
RULE = {
    "percent": "20",
    "recurring": "some",
    "payments": "12",
    "steps-0-from_sales": "10",
    "steps-0-percent": "25",
    "cap": "50",
    "currency": "EUR",
    "hold_days": "30",
}
PROGRAM = RULE | {
    "name": "Friends of tides",
    "description": "Write about sailing.",
    "listing": "",
    "joining": "open",
    "attribution": "last_click",
    "window_days": "30",
}


@dataclass
class Two:
    """A publisher and a partner, each with an owner who is signed in."""

    listing: Listing
    publisher: FlaskClient
    partner: FlaskClient
    partner_organization: Organization
    owner: User


@pytest.fixture
def two(app: Flask, sign_in: SignIn) -> Two:
    listing = make_listing()
    owner = make_member(listing.publisher)
    partner = make_organization("Bramble")
    other = make_member(partner)
    db.session.commit()
    return Two(
        listing,
        sign_in(owner, listing.publisher),
        sign_in(other, partner),
        partner,
        owner,
    )


def one(model: Any, *where: Any) -> Any:
    db.session.rollback()
    return db.session.scalar(select(model).where(*where).order_by(model.id.desc()).limit(1))


def test_a_publisher_starts_a_program_and_a_partner_joins_and_makes_a_link(two: Two) -> None:
    assert "No program yet" in two.publisher.get("/partner/affiliate-programs").text
    made = two.publisher.post("/partner/affiliate-programs/new", data=PROGRAM)
    assert made.status_code == 303
    page = two.publisher.get(made.headers["Location"])
    assert "20%, at most €50.00 of the first 12 payments" in page.text
    assert "25% from the 10th sale on" in page.text
    rule = one(CommissionRule)
    assert (rule.bps, rule.cap, rule.currency, rule.payments) == (2_000, 5_000, "EUR", 12)
    program = one(AffiliateProgram)
    found = two.partner.get("/partner/affiliate/programs?q=tides")
    assert "Friends of tides" in found.text
    terms = two.partner.get(f"/partner/affiliate/programs/{program.public_id}")
    assert "Join the program" in terms.text
    joined = two.partner.post(f"/partner/affiliate/programs/{program.public_id}/join")
    own = joined.headers["Location"]
    made = two.partner.post(
        f"{own}/links", data={"target": two.listing.slug, "name": "Letter", "code": "letter"}
    )
    assert made.status_code == 303
    page = two.partner.get(made.headers["Location"])
    assert "http://localhost/r/letter" in page.text
    assert one(AffiliateLink).target == f"/listings/{two.listing.slug}"
    svg = two.partner.get(made.headers["Location"] + "/qr.svg")
    assert (svg.content_type, svg.data[:5]) == ("image/svg+xml", b"<?xml")
    png = two.partner.get(made.headers["Location"] + "/qr.png")
    assert (png.content_type, png.data[1:4]) == ("image/png", b"PNG")
    switched = two.partner.post(made.headers["Location"] + "/disable", follow_redirects=True)
    assert "leads on" in switched.text
    two.partner.post(made.headers["Location"] + "/enable")
    assert one(AffiliateLink).disabled_at is None
    page = two.publisher.get(f"/partner/affiliate-programs/{program.public_id}")
    assert "Bramble" in page.text
    assert "Friends of tides" in two.partner.get("/partner/affiliate").text


def test_bad_input_is_told_at_its_field_and_what_was_typed_is_kept(two: Two) -> None:
    response = two.publisher.post(
        "/partner/affiliate-programs/new",
        data=PROGRAM | {"percent": "120", "cap": "ten", "name": "", "window_days": "400"},
    )
    assert response.status_code == 422
    assert "From 0% to 100%." in response.text
    assert "Type an amount like 12.50." in response.text
    assert 'value="ten"' in response.text
    response = two.publisher.post(
        "/partner/affiliate-programs/new", data=PROGRAM | {"name": "", "window_days": "400"}
    )
    assert response.status_code == 422
    assert "Give it a name." in response.text
    assert "From 1 to 365 days." in response.text
    assert 'value="400"' in response.text
    assert one(AffiliateProgram) is None


def test_steps_are_added_and_removed_without_javascript(two: Two) -> None:
    more = two.publisher.post(
        "/partner/affiliate-programs/new", data=PROGRAM | {"add_row": "steps"}
    )
    assert more.status_code == 200
    assert more.text.count('name="steps-') == 4
    assert 'value="25"' in more.text
    less = two.publisher.post(
        "/partner/affiliate-programs/new", data=PROGRAM | {"remove_row": "steps-0"}
    )
    assert less.text.count('name="steps-') == 2
    assert 'value="25"' not in less.text


def test_what_is_paid_changes_by_a_new_version_from_a_day_on(two: Two) -> None:
    program = make_program(two.listing.publisher)
    db.session.commit()
    path = f"/partner/affiliate-programs/{program.public_id}"
    assert 'value="20"' in two.publisher.get(f"{path}/rule").text
    day = (clock.now() + timedelta(days=30)).date()
    published = two.publisher.post(
        f"{path}/rule",
        data={"percent": "15", "recurring": "all", "hold_days": "30", "effective_from": str(day)},
    )
    assert published.status_code == 303
    page = two.publisher.get(path)
    assert "15% of every payment" in page.text
    past = two.publisher.post(
        f"{path}/rule",
        data={
            "percent": "15",
            "recurring": "all",
            "hold_days": "30",
            "effective_from": "2020-01-01",
        },
    )
    assert past.status_code == 422
    assert "cannot count for what is past" in past.text


def test_settings_pause_and_closing(two: Two) -> None:
    program = make_program(two.listing.publisher)
    db.session.commit()
    path = f"/partner/affiliate-programs/{program.public_id}"
    two.publisher.post(
        f"{path}/settings",
        data={
            "name": "Pilots",
            "joining": "ask",
            "attribution": "first_click",
            "window_days": "60",
            "minimum_payout": "25.00",
            "minimum_currency": "EUR",
        },
    )
    page = two.publisher.get(path)
    assert "The first click within 60 days" in page.text
    assert "€25.00" in page.text
    assert 'value="25.00"' in two.publisher.get(f"{path}/settings").text
    assert "It is paused" in two.publisher.post(f"{path}/pause", follow_redirects=True).text
    two.publisher.post(f"{path}/resume")
    assert one(AffiliateProgram).paused_at is None
    assert "cannot be opened again" in two.publisher.get(f"{path}/closing").text
    two.publisher.post(f"{path}/closing")
    assert one(AffiliateProgram).closed_at is not None


def test_a_program_by_application(two: Two) -> None:
    program = make_program(two.listing.publisher, is_open=False)
    db.session.commit()
    address = f"/partner/affiliate/programs/{program.public_id}/join"
    assert two.partner.post(address, data={"pitch": ""}).status_code == 422
    two.partner.post(address, data={"pitch": "We have a letter for sailors."})
    asked = one(Affiliate)
    assert asked.state is AffiliateState.PENDING
    assert "Bramble asks to join Friends" in [mail["subject"] for mail in mails()]
    path = f"/partner/affiliate-programs/{program.public_id}/affiliates/{asked.public_id}"
    assert "We have a letter for sailors." in two.publisher.get(path).text
    refused = two.publisher.post(f"{path}/reject", data={"note": ""})
    assert refused.status_code == 422
    two.publisher.post(f"{path}/reject", data={"note": "Not yet."})
    assert "Not yet." in two.partner.get(f"/partner/affiliate/memberships/{asked.public_id}").text
    two.publisher.post(f"{path}/reinstate")
    assert "reads this" in two.publisher.get(f"{path}/suspension").text
    assert two.publisher.post(f"{path}/suspension", data={"note": " "}).status_code == 422
    two.publisher.post(f"{path}/suspension", data={"note": "Spam."})
    assert one(Affiliate).state is AffiliateState.SUSPENDED
    assert "Friends has suspended you" in [mail["subject"] for mail in mails()]


def test_accepting_tells_the_affiliate(two: Two) -> None:
    program = make_program(two.listing.publisher, is_open=False)
    affiliate = make_affiliate(program, two.partner_organization)
    db.session.commit()
    path = f"/partner/affiliate-programs/{program.public_id}/affiliates/{affiliate.public_id}"
    two.publisher.post(f"{path}/accept")
    assert one(Affiliate).state is AffiliateState.ACTIVE
    assert "You are an affiliate of Friends" in [mail["subject"] for mail in mails()]


def test_a_publisher_gives_an_affiliate_a_code(two: Two) -> None:
    program = make_program(two.listing.publisher)
    affiliate = make_affiliate(program, two.partner_organization)
    discount = Discount(
        public_id="disc_a",
        publisher_id=two.listing.publisher_id,
        name="Autumn",
        kind=DiscountKind.PERCENT,
        bps=1_000,
        funder=Funder.PUBLISHER,
        starts_at=clock.now(),
    )
    db.session.add(discount)
    db.session.commit()
    path = f"/partner/affiliate-programs/{program.public_id}/affiliates/{affiliate.public_id}"
    bad = two.publisher.post(f"{path}/codes", data={"code": "A", "discount": str(discount.id)})
    assert bad.status_code == 422
    two.publisher.post(f"{path}/codes", data={"code": "bramble10", "discount": str(discount.id)})
    assert one(PromotionCode).code == "BRAMBLE10"
    assert (
        "BRAMBLE10" in two.partner.get(f"/partner/affiliate/memberships/{affiliate.public_id}").text
    )


def test_an_affiliate_makes_a_key_and_leaves(two: Two) -> None:
    affiliate = make_affiliate(make_program(two.listing.publisher), two.partner_organization)
    db.session.commit()
    path = f"/partner/affiliate/memberships/{affiliate.public_id}"
    shown = two.partner.post(f"{path}/key")
    key = re.search(r"paf_[\w-]+", shown.text)
    assert key is not None
    assert key[0] not in two.partner.get(path).text
    assert "stays yours" in two.partner.get(f"{path}/leaving").text
    two.partner.post(f"{path}/leaving")
    assert one(Affiliate).state is AffiliateState.LEFT


def test_the_affiliate_sees_sales_without_the_customers_name(two: Two) -> None:
    affiliate = make_affiliate(make_program(two.listing.publisher), two.partner_organization)
    customer = make_customer("Secret Harbour")
    sell(customer, two.listing, affiliate)
    db.session.commit()
    page = two.partner.get(f"/partner/affiliate/memberships/{affiliate.public_id}").text
    assert "€9.80" in page
    assert "Secret Harbour" not in page


def test_pages_cost_the_same_however_many_there_are(two: Two) -> None:
    program = make_program(two.listing.publisher)
    own = make_affiliate(program, two.partner_organization)
    sell(make_customer(), two.listing, own)
    make_click(make_affiliate_link(own), sub_id="first")
    db.session.commit()
    pages = [
        (two.publisher, "/partner/affiliate-programs"),
        (two.publisher, f"/partner/affiliate-programs/{program.public_id}"),
        (two.partner, "/partner/affiliate"),
        (two.partner, "/partner/affiliate/programs"),
        (two.partner, f"/partner/affiliate/memberships/{own.public_id}"),
    ]

    def cost() -> list[int]:
        for browser, path in pages:
            browser.get(path)
        # What the factories made and nobody holds would be loaded again row by row; a request of
        # its own has none of it.
        gc.collect()
        return [count_queries(lambda b=browser, p=path: b.get(p)) for browser, path in pages]

    before = cost()
    for number in range(4):
        other = make_program(make_organization(f"Publisher {number}"))
        make_affiliate(other, two.partner_organization)
        make_program(two.listing.publisher, listing_id=1_000 + number)
        affiliate = make_affiliate(program, make_organization(f"Partner {number}"))
        sell(make_customer(), two.listing, affiliate)
        sell(make_customer(), two.listing, own)
        make_click(make_affiliate_link(own), sub_id=f"s{number}")
    db.session.commit()
    after = cost()
    assert after == before


def sell(
    customer: Organization,
    listing: Listing,
    affiliate: Affiliate,
    *,
    hold: str = "",
) -> Earning:
    """A sale with the commission that settlement would make, without its postings."""
    order = make_paid_order(
        customer,
        listing,
        affiliate=affiliate,
        commission_base=4_900,
        commission_bps=2_000,
        commission_amount=980,
        commission_hold_reason=hold,
        commission_funder=Funder.PUBLISHER,
    )
    earning = Earning(
        public_id=f"ern_{order.id}",
        order_line_id=order.lines[0].id,
        order_id=order.id,
        partner_id=affiliate.organization_id,
        kind=EarningKind.AFFILIATE_COMMISSION,
        currency="EUR",
        base=4_900,
        rate_bps=2_000,
        amount=980,
        release_at=clock.now() + timedelta(days=30),
        freezes={HOLD: hold} if hold else {},
        frozen_reason=hold,
        frozen_at=clock.now() if hold else None,
    )
    db.session.add(earning)
    db.session.flush()
    return earning


def test_finance_releases_what_is_held(two: Two, sign_in: SignIn) -> None:
    affiliate = make_affiliate(make_program(two.listing.publisher), two.partner_organization)
    reason = "Self-referral: the affiliate is the customer."
    earning = sell(make_customer(), two.listing, affiliate, hold=reason)
    platform = make_platform()
    finance = make_member(platform, Role.FINANCE)
    support = make_member(platform, Role.SUPPORT)
    db.session.commit()
    staff = sign_in(finance, platform)
    page = staff.get("/staff/finance/holds")
    assert reason in page.text
    assert "€9.80" in page.text
    assert sign_in(support, platform).get("/staff/finance/holds").status_code == 403
    path = f"/staff/finance/holds/{earning.public_id}"
    assert "loses it for good" in staff.get(f"{path}/void").text
    assert staff.post(f"{path}/void", data={"reason": " "}).status_code == 422
    assert staff.post(f"{path}/release").status_code == 303
    assert one(Earning).frozen_at is None
    assert "Nothing is held" in staff.get("/staff/finance/holds").text
    assert "Released" in staff.get("/staff/finance/holds?show=all").text
    decided = one(CommissionClearance)
    assert (decided.decided_by_id, decided.reason) == (finance.id, reason)
    assert f"by {finance.name}," in staff.get("/staff/finance/holds?show=all").text


def test_finance_runs_the_platforms_own_programs(two: Two, sign_in: SignIn) -> None:
    platform = make_platform()
    finance = make_member(platform, Role.FINANCE)
    db.session.commit()
    staff = sign_in(finance, platform)
    made = staff.post("/staff/finance/affiliates/new", data=PROGRAM | {"name": "Harbor friends"})
    assert made.status_code == 303
    assert made.headers["Location"].startswith("/staff/finance/affiliates/")
    page = staff.get(made.headers["Location"])
    assert "All listings of the marketplace" in page.text
    assert one(AffiliateProgram).publisher_id is None
    assert "Harbor friends" in two.partner.get("/partner/affiliate/programs").text
    # A publisher's program is not the staff's to change.
    program = make_program(two.listing.publisher)
    db.session.commit()
    assert staff.get(f"/staff/finance/affiliates/{program.public_id}").status_code == 404
    assert two.publisher.get("/staff/finance/affiliates").status_code == 403
    assert (
        two.publisher.get(
            made.headers["Location"].replace(
                "/staff/finance/affiliates", "/partner/affiliate-programs"
            )
        ).status_code
        == 404
    )


@pytest.mark.parametrize("role", [Role.EDITOR, Role.DEVELOPER, Role.VIEWER])
def test_only_people_who_deal_with_money_see_programs(
    app: Flask, sign_in: SignIn, role: Role
) -> None:
    partner = make_organization()
    person = make_member(partner, role)
    db.session.commit()
    browser = sign_in(person, partner)
    for path in ("/partner/affiliate-programs", "/partner/affiliate", "/partner/resale"):
        assert browser.get(path).status_code == 403


def test_a_code_of_one_listing_has_an_address_and_qr_codes(two: Two, sign_in: SignIn) -> None:
    plan = make_plan(two.listing)
    make_plan(make_listing(two.listing.publisher, name="Night Watch"))
    affiliate = make_affiliate(make_program(two.listing.publisher), two.partner_organization)
    discount = make_discount(two.listing.publisher, "BRAMBLE10", plan_ids=[plan.id])
    wide = make_discount(two.listing.publisher, "BRAMBLE20")
    for each in (discount, wide):
        each.codes[0].affiliate_id = affiliate.id
    db.session.commit()
    path = f"/partner/affiliate/memberships/{affiliate.public_id}"
    page = two.partner.get(path).text
    address = f"/buy/{two.listing.slug}?code=BRAMBLE10"
    assert address in page
    assert "only a code of one listing that is for sale has one" in page
    assert two.partner.get(address).status_code == 200
    qr = f"{path}/codes/{discount.codes[0].id}/qr"
    svg, png = two.partner.get(f"{qr}.svg"), two.partner.get(f"{qr}.png")
    assert (svg.status_code, svg.content_type) == (200, "image/svg+xml")
    assert png.data.startswith(b"\x89PNG")
    assert two.partner.get(f"{path}/codes/{wide.codes[0].id}/qr.svg").status_code == 404
    assert two.partner.get(f"{path}/codes/999/qr.svg").status_code == 404
    assert two.publisher.get(f"{qr}.svg").status_code == 404


def test_sub_ids_show_what_they_sold_and_earned(two: Two) -> None:
    affiliate = make_affiliate(make_program(two.listing.publisher), two.partner_organization)
    link = make_affiliate_link(affiliate)
    for sub_id, clicks in (("letter", 3), ("fair", 1)):
        for _ in range(clicks):
            make_click(link, sub_id=sub_id)
    for _ in range(2):
        sell(make_customer(), two.listing, affiliate).line.sub_id = "fair"
    sell(make_customer(), two.listing, affiliate).line.sub_id = "server"
    db.session.commit()
    found = figures_by_sub_id(affiliate.id)
    assert [(each.name, each.clicks, each.sales, each.earned) for each in found] == [
        ("fair", 1, 2, {"EUR": 1_960}),
        ("server", 0, 1, {"EUR": 980}),
        ("letter", 3, 0, {}),
    ]
    page = two.partner.get(f"/partner/affiliate/memberships/{affiliate.public_id}").text
    assert "€19.60" in page


def test_an_affiliate_s_code_ends_when_its_publisher_says(two: Two) -> None:
    affiliate = make_affiliate(make_program(two.listing.publisher), two.partner_organization)
    discount = make_discount(two.listing.publisher, "OTHER")
    db.session.commit()
    path = (
        f"/partner/affiliate-programs/{affiliate.program.public_id}"
        f"/affiliates/{affiliate.public_id}/codes"
    )
    data = {"code": "BRAMBLE10", "discount": str(discount.id)}
    wrong = two.publisher.post(path, data={**data, "expires_at": "2020-01-01"})
    assert wrong.status_code == 422
    assert "A day to come, within ten years." in wrong.text
    until = (clock.now() + timedelta(days=5)).date()
    assert two.publisher.post(path, data={**data, "expires_at": until}).status_code == 303
    code = one(PromotionCode)
    assert (code.code, code.publisher_id) == ("BRAMBLE10", two.listing.publisher_id)
    assert code.expires_at.date() == until
