"""Domains, records and what follows from a check."""

from datetime import UTC, datetime, timedelta

import pytest

from marketplace.accreditation.verification.domains import (
    DomainRefusedError,
    is_at,
    is_role_address,
    lookalikes,
    registrable,
    shown,
    tidy_domain,
)
from marketplace.accreditation.verification.models import ProofState
from marketplace.accreditation.verification.rechecking import Outcome, next_step
from marketplace.accreditation.verification.records import (
    LookupFailedError,
    look_up,
    record_text,
)

NOW = datetime(2026, 5, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("typed", "domain"),
    [
        ("example.com", "example.com"),
        ("  HTTPS://www.Example.COM/path?x=1 ", "example.com"),
        ("info@acme.co.uk", "acme.co.uk"),
        ("shop.acme.co.uk:8443", "shop.acme.co.uk"),
        ("münchen.de", "xn--mnchen-3ya.de"),
        ("tides.example.", "tides.example"),
        ("tides.example\u3002", "tides.example"),
        ("www\uff0etides\uff0eexample\uff61", "tides.example"),
        ("live.example", "live.example"),
    ],
)
def test_what_was_typed_becomes_a_domain(typed: str, domain: str) -> None:
    assert tidy_domain(typed) == domain


@pytest.mark.parametrize(
    "typed",
    ["", "co.uk", "github.io", "com", "127.0.0.1", "[::1]", "gmail.com", "localhost",
     "yahoo.co.uk", "hotmail.be", "outlook.de", "gmx.at", "pm.me", "tutanota.com", "163.com",
     "ymail.com", "mail.yahoo.com", "gmail.com\u3002", "\u3002", "a..com", "a b.com",
     "-bad-.com", "exa\x00mple.com", "x" * 10_000, "..", "example.123", "😀", "_dmarc.example.com"],
)  # fmt: skip
def test_what_nobody_can_own_is_refused(typed: str) -> None:
    with pytest.raises(DomainRefusedError):
        tidy_domain(typed)


@pytest.mark.parametrize(
    ("domain", "other", "alike"),
    [
        ("paypa1.com", "paypal.com", True),
        ("xn--pypal-4ve.com", "paypal.com", True),  # with a Cyrillic а
        ("rnodern.com", "modern.com", True),
        ("harbour.example", "harbor.example", True),
        ("quay-side.example", "quayside.net", True),
        ("tides.example", "tables.example", False),
        ("ab.example", "ac.example", False),
        ("same.example", "same.example", False),
    ],
)
def test_lookalikes_are_noticed(domain: str, other: str, alike: bool) -> None:
    assert bool(lookalikes(domain, [(other, 7)])) is alike


def test_a_domain_is_shown_as_people_read_it_and_as_machines_do() -> None:
    assert shown("xn--mnchen-3ya.de") == "münchen.de (xn--mnchen-3ya.de)"
    assert shown("example.com") == "example.com"
    assert registrable("mail.acme.co.uk") == "acme.co.uk"


@pytest.mark.parametrize(
    ("email", "is_role"),
    [
        ("postmaster@acme.example", True),
        ("Info@acme.example", True),
        ("ceo@acme.example", False),
        ("postmaster@other.example", False),
        ("postmaster@acme.example.evil.example", False),
        ("postmaster@acme.example\u3002", True),
    ],
)
def test_only_role_addresses_of_the_domain_count(email: str, is_role: bool) -> None:
    assert is_role_address(email, "acme.example") is is_role


@pytest.mark.parametrize(
    ("email", "counts"),
    [
        ("ada@uni.example", True),
        ("ada@cs.uni.example", True),
        ("ada@notuni.example", False),
        ("ada@uni.example.evil.example", False),
        ("", False),
        (None, False),
        ("@uni.example", True),
    ],
)
def test_an_address_is_at_a_domain_or_below_it(email: str | None, counts: bool) -> None:
    assert is_at(email, ["uni.example"]) is counts


class Texts:
    """A resolver with given answers."""

    def __init__(self, *texts: str, fails: bool = False) -> None:
        self._texts, self._fails = texts, fails

    def txt(self, name: str) -> list[str]:
        assert name == "_portico.acme.example"
        if self._fails:
            raise LookupFailedError
        return list(self._texts)


def test_the_record_among_others_is_found() -> None:
    answer = look_up("acme.example", "abc", Texts("v=spf1", record_text("abc")))
    assert answer.matches
    assert not look_up("acme.example", "abc", Texts(record_text("abcd"))).matches


def test_what_others_wrote_is_shown_short_and_printable() -> None:
    answer = look_up("acme.example", "abc", Texts("x\x07y" + "z" * 500, *["other"] * 9))
    assert answer.found is not None
    assert answer.found[0].startswith("x?y")
    assert len(answer.found[0]) <= 121
    assert len(answer.found) == 5


def test_no_answer_says_nothing() -> None:
    answer = look_up("acme.example", "abc", Texts(fails=True))
    assert answer.found is None
    assert "did not answer" in answer.in_words("_portico.acme.example")


@pytest.mark.parametrize(
    ("state", "failed", "grace", "matches", "answered", "becomes", "outcome"),
    [
        (ProofState.PENDING, 0, None, True, True, ProofState.VERIFIED, Outcome.VERIFIED),
        (ProofState.REOPENED, 3, None, True, True, ProofState.VERIFIED, Outcome.VERIFIED),
        (ProofState.PENDING, 0, None, False, True, ProofState.PENDING, Outcome.NOTHING),
        (ProofState.VERIFIED, 0, None, True, True, ProofState.VERIFIED, Outcome.NOTHING),
        (ProofState.VERIFIED, 0, None, False, True, ProofState.FAILING, Outcome.FAILING),
        (ProofState.VERIFIED, 0, None, False, False, ProofState.VERIFIED, Outcome.NOTHING),
        (ProofState.FAILING, 1, 3, False, True, ProofState.FAILING, Outcome.NOTHING),
        (ProofState.FAILING, 9, 3, False, True, ProofState.FAILING, Outcome.NOTHING),
        (ProofState.FAILING, 1, -1, False, True, ProofState.FAILING, Outcome.NOTHING),
        (ProofState.FAILING, 2, -1, False, True, ProofState.REOPENED, Outcome.REOPENED),
        (ProofState.FAILING, 2, -1, False, False, ProofState.FAILING, Outcome.NOTHING),
        (ProofState.FAILING, 2, -1, True, True, ProofState.VERIFIED, Outcome.RECOVERED),
        (ProofState.DISPUTED, 0, None, False, True, ProofState.DISPUTED, Outcome.NOTHING),
        (ProofState.DISPUTED, 0, None, True, True, ProofState.VERIFIED, Outcome.VERIFIED),
        (ProofState.DISPUTED, 2, None, False, False, ProofState.DISPUTED, Outcome.NOTHING),
        (ProofState.DISPUTED, 2, None, False, True, ProofState.PENDING, Outcome.UNDISPUTED),
    ],
)
def test_a_check_moves_a_proof(
    state: ProofState,
    failed: int,
    grace: int | None,
    matches: bool,
    answered: bool,
    becomes: ProofState,
    outcome: Outcome,
) -> None:
    until = NOW + timedelta(days=grace) if grace is not None else None
    step = next_step(state, failed, until, matches=matches, answered=answered, at=NOW)
    assert (step.state, step.outcome) == (becomes, outcome)


@pytest.mark.parametrize("answered", [True, False])
def test_nobody_asks_for_ever(answered: bool) -> None:
    step = next_step(ProofState.PENDING, 39, None, matches=False, answered=answered, at=NOW)
    assert step.next_check_at is None
