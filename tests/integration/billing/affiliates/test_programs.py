"""Programs, their members and links."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from billing.affiliates.joining import decide, join, leave, reinstate, suspend
from billing.affiliates.links import (
    affiliate_of_key,
    give_code,
    make_link,
    new_key,
    switch_link,
)
from billing.affiliates.programs import (
    ProgramTerms,
    RuleTerms,
    close_program,
    create_program,
    edit_program,
    pause_program,
    publish_rule,
    resume_program,
)
from billing.models import (
    Affiliate,
    AffiliateState,
    Discount,
    DiscountKind,
    Funder,
)
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError
from tests.factories.affiliates import make_affiliate, make_program
from tests.factories.people import make_organization

GOOD = ProgramTerms(name="Friends of tides")


def refused(call: Any) -> set[str]:
    with pytest.raises(InvalidError) as caught:
        call()
    return set(caught.value.fields)


def test_a_program_begins_with_the_first_version_of_its_rule(app: Flask) -> None:
    publisher = make_organization()
    program = create_program(publisher.id, GOOD, RuleTerms(bps=1_500), by_user_id=None)
    assert [(rule.version, rule.bps) for rule in program.rules] == [(1, 1_500)]
    assert program.funder is Funder.PUBLISHER
    assert program.public_id.startswith("apg_")


def test_there_is_one_running_program_for_the_same_listings(app: Flask) -> None:
    publisher = make_organization()
    program = make_program(publisher)
    assert refused(lambda: make_program(publisher)) == {"listing"}
    make_program(publisher, listing_id=7)
    make_program(None)
    close_program(program, by_user_id=None)
    make_program(publisher)


@pytest.mark.parametrize(
    ("terms", "rule", "fields"),
    [
        (replace(GOOD, name=" "), RuleTerms(bps=1), {"name"}),
        (replace(GOOD, window_days=0), RuleTerms(bps=1), {"window_days"}),
        (replace(GOOD, window_days=366), RuleTerms(bps=1), {"window_days"}),
        (replace(GOOD, minimum_payout=5), RuleTerms(bps=1), {"minimum_currency"}),
        (GOOD, RuleTerms(), {"percent"}),
        (GOOD, RuleTerms(bps=10_001), {"percent"}),
        (GOOD, RuleTerms(fixed=500), {"currency"}),
        (GOOD, RuleTerms(bps=1, cap=500), {"currency"}),
        (GOOD, RuleTerms(bps=1, cap=0, currency="EUR"), {"cap"}),
        (GOOD, RuleTerms(bps=1, payments=0), {"payments"}),
        (GOOD, RuleTerms(bps=1, hold_days=181), {"hold_days"}),
        (GOOD, RuleTerms(bps=1, steps=((1, 5),)), {"steps"}),
        (GOOD, RuleTerms(bps=1, steps=((2, 5), (2, 6))), {"steps"}),
    ],
)
def test_terms_that_make_no_sense_are_refused_at_their_field(
    app: Flask, terms: ProgramTerms, rule: RuleTerms, fields: set[str]
) -> None:
    assert refused(lambda: create_program(1, terms, rule, by_user_id=None)) == fields


def test_a_rule_is_never_changed_but_followed(app: Flask) -> None:
    program = make_program(make_organization())
    tomorrow = clock.now() + timedelta(days=1)
    publish_rule(
        program, RuleTerms(bps=500, currency="EUR"), effective_from=tomorrow, by_user_id=None
    )
    assert [(rule.version, rule.bps, rule.currency) for rule in program.rules] == [
        (1, 2_000, None),
        (2, 500, None),
    ]
    yesterday = clock.now() - timedelta(days=1)
    call = lambda: publish_rule(  # noqa: E731 - refused() calls it
        program, RuleTerms(bps=1), effective_from=yesterday, by_user_id=None
    )
    assert refused(call) == {"effective_from"}


def test_a_closed_program_stays_as_it_is(app: Flask) -> None:
    program = make_program(make_organization())
    assert pause_program(program, by_user_id=None)
    assert not pause_program(program, by_user_id=None)
    assert resume_program(program, by_user_id=None)
    assert close_program(program, by_user_id=None)
    assert not close_program(program, by_user_id=None)
    with pytest.raises(ConflictError):
        edit_program(program, GOOD, by_user_id=None)
    with pytest.raises(ConflictError):
        publish_rule(program, RuleTerms(bps=1), effective_from=clock.now(), by_user_id=None)
    with pytest.raises(ConflictError):
        join(program, make_organization().id, by_user_id=None)


def test_an_open_program_is_joined_at_once_and_only_once(app: Flask) -> None:
    program = make_program(make_organization())
    partner = make_organization("Bramble")
    first = join(program, partner.id, by_user_id=None)
    assert first.state is AffiliateState.ACTIVE
    assert join(program, partner.id, by_user_id=None).id == first.id
    assert db.session.scalar(select(func.count()).select_from(Affiliate)) == 1
    assert leave(first, by_user_id=None)
    assert join(program, partner.id, by_user_id=None).state is AffiliateState.ACTIVE


def test_nobody_joins_their_own_program(app: Flask) -> None:
    publisher = make_organization()
    with pytest.raises(ConflictError):
        join(make_program(publisher), publisher.id, by_user_id=None)


def test_a_program_by_application_is_decided_by_its_owner(app: Flask) -> None:
    program = make_program(make_organization(), is_open=False)
    assert refused(lambda: join(program, make_organization().id, by_user_id=None)) == {"pitch"}
    asked = join(program, make_organization().id, "We have a letter.", by_user_id=None)
    assert asked.state is AffiliateState.PENDING
    assert refused(lambda: decide(asked, accept=False, note=" ", by_user_id=None)) == {"note"}
    assert decide(asked, accept=False, note="Not now.", by_user_id=None)
    assert not decide(asked, accept=True, note="", by_user_id=None)
    with pytest.raises(ConflictError):
        join(program, asked.organization_id, "Please.", by_user_id=None)
    assert reinstate(asked, by_user_id=None)
    assert suspend(asked, note="Spam.", by_user_id=None)
    assert not suspend(asked, note="Spam.", by_user_id=None)


def test_a_link_leads_to_a_page_of_ours_and_has_a_code_of_its_own(app: Flask) -> None:
    affiliate = make_affiliate(make_program(make_organization()), make_organization("Bramble"))
    named = make_link(affiliate, "/listings/tides", code="Bramble-Tides", by_user_id=None)
    assert named.code == "bramble-tides"
    drawn = make_link(affiliate, "/", by_user_id=None)
    assert len(drawn.code) == 8
    for code in ("bramble-tides", "a", "-abc", "api", "a b c"):
        assert refused(lambda c=code: make_link(affiliate, "/", code=c, by_user_id=None)) == {
            "code"
        }
    for target in ("https://evil.example", "//evil.example", "x"):
        assert refused(lambda t=target: make_link(affiliate, t, by_user_id=None)) == {"target"}
    assert switch_link(named, on=False, by_user_id=None)
    assert not switch_link(named, on=False, by_user_id=None)


def test_a_code_is_for_the_owners_own_discounts(app: Flask) -> None:
    publisher = make_organization()
    affiliate = make_affiliate(make_program(publisher), make_organization("Bramble"))

    def discount(owner: int | None, **fields: Any) -> Discount:
        row = Discount(
            public_id=f"disc_{owner}_{len(fields)}",
            publisher_id=owner,
            name="Tenth",
            kind=DiscountKind.PERCENT,
            bps=1_000,
            funder=Funder.PUBLISHER,
            starts_at=clock.now(),
            **fields,
        )
        db.session.add(row)
        db.session.flush()
        return row

    own = discount(publisher.id)
    code = give_code(affiliate, own, "bramble10", by_user_id=None)
    assert (code.code, code.affiliate_id) == ("BRAMBLE10", affiliate.id)
    taken = lambda: give_code(affiliate, own, "BRAMBLE10", by_user_id=None)  # noqa: E731 - read beside its two calls
    assert refused(taken) == {"code"}
    for other in (discount(None), discount(publisher.id, is_automatic=True)):
        call = lambda d=other: give_code(affiliate, d, "X12", by_user_id=None)  # noqa: E731 - binds the loop's value
        assert refused(call) == {"discount"}


def test_a_key_is_kept_as_a_hash_and_replaced_at_once(app: Flask) -> None:
    affiliate = make_affiliate(make_program(make_organization()), make_organization("Bramble"))
    first = new_key(affiliate, by_user_id=None)
    assert affiliate.key_hash is not None
    assert first not in affiliate.key_hash
    assert affiliate_of_key(first) is affiliate
    second = new_key(affiliate, by_user_id=None)
    assert affiliate_of_key(first) is None
    assert affiliate_of_key(second) is affiliate
    leave(affiliate, by_user_id=None)
    assert affiliate_of_key(second) is None
