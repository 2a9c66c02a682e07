"""Finance people decide nothing about affiliates, and nothing about holds, of their own."""

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from billing.models import Affiliate, AffiliateState, Earning, EarningKind
from billing.settlement.sales import HOLD
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.identity.models import Organization, Role
from tests.factories.affiliates import make_affiliate, make_program
from tests.factories.earnings import make_earning
from tests.factories.people import make_customer, make_member, make_organization, make_platform
from tests.factories.queries import count_queries

SignIn = Callable[..., FlaskClient]
HOLDS = "/staff/finance/holds"


def make_hold(affiliate: Organization, publisher: Organization, customer: Organization) -> Earning:
    earning = make_earning(
        affiliate.id,
        kind=EarningKind.AFFILIATE_COMMISSION,
        customer_id=customer.id,
        affiliate_organization_id=affiliate.id,
    )
    earning.line.publisher_id = publisher.id
    earning.freezes = {HOLD: "Self-referral"}
    earning.frozen_reason, earning.frozen_at = "Self-referral", clock.now()
    db.session.flush()
    return earning


@pytest.mark.parametrize("part", ["affiliate", "publisher", "customer"])
@pytest.mark.parametrize("role", [Role.FINANCE, Role.OWNER])
def test_nobody_releases_or_voids_what_their_own_organization_has_a_part_in(
    app: Flask, sign_in: SignIn, part: str, role: Role
) -> None:
    platform = make_platform()
    fay, finn = make_member(platform, role), make_member(platform, Role.FINANCE)
    parties = {
        "affiliate": make_organization("Bramble"),
        "publisher": make_organization("Quayside"),
        "customer": make_customer("Blue Kite"),
    }
    earning = make_hold(**parties)
    make_member(parties[part], Role.VIEWER, fay)
    db.session.commit()
    own, other = sign_in(fay, platform), sign_in(finn, platform)
    path = f"{HOLDS}/{earning.public_id}"
    assert own.post(f"{path}/release").status_code == 404
    assert own.get(f"{path}/void").status_code == 404
    assert own.post(f"{path}/void", data={"reason": "Ours now"}).status_code == 404
    db.session.expire_all()
    assert HOLD in earning.freezes
    assert earning.voided_at is None
    page = own.get(HOLDS).text
    assert "Somebody else decides" in page
    assert f"{path}/release" not in page
    assert f"{path}/release" in other.get(HOLDS).text
    assert other.post(f"{path}/release").status_code == 303
    db.session.expire_all()
    assert HOLD not in earning.freezes


def test_the_list_of_holds_costs_the_same_however_long_it_is(app: Flask, sign_in: SignIn) -> None:
    platform = make_platform()
    browser = sign_in(make_member(platform, Role.FINANCE), platform)
    parties = make_organization("Bramble"), make_organization("Quayside"), make_customer("Kite")
    make_hold(*parties)
    db.session.commit()
    browser.get(HOLDS)
    few = count_queries(lambda: browser.get(HOLDS))
    for _ in range(3):
        make_hold(*parties)
    db.session.commit()
    assert count_queries(lambda: browser.get(HOLDS)) == few


def test_nobody_decides_about_an_affiliate_of_the_platform_s_own_that_is_theirs(
    app: Flask, sign_in: SignIn
) -> None:
    platform = make_platform()
    fay, finn = make_member(platform, Role.FINANCE), make_member(platform, Role.FINANCE)
    bramble = make_organization("Bramble")
    program = make_program(None)
    affiliate = make_affiliate(program, bramble)
    affiliate.state = AffiliateState.PENDING
    make_member(bramble, Role.VIEWER, fay)
    db.session.commit()
    own, other = sign_in(fay, platform), sign_in(finn, platform)
    home = f"/staff/finance/affiliates/{program.public_id}"
    path = f"{home}/affiliates/{affiliate.public_id}"
    for verb in ("accept", "reject", "suspension", "reinstate", "codes"):
        assert own.post(f"{path}/{verb}", data={"note": "Yes"}).status_code == 404, verb
    assert own.get(path).status_code == 404
    db.session.expire_all()
    assert db.session.get_one(Affiliate, affiliate.id).state is AffiliateState.PENDING
    # The program is the platform's; its list leads to everybody but them.
    page = own.get(home)
    assert page.status_code == 200
    assert "Bramble" in page.text
    assert path not in page.text
    assert path in other.get(home).text
    assert other.post(f"{path}/accept").status_code == 303
    db.session.expire_all()
    assert db.session.get_one(Affiliate, affiliate.id).state is AffiliateState.ACTIVE
