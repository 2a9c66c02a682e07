"""Normalising, masking, routing and reading files of leads: rules as tables."""

import codecs

import pytest

from marketplace.pipeline.leads.fields import read_fields
from marketplace.pipeline.leads.importing import ImportFileError, read_file
from marketplace.pipeline.leads.masking import HIDDEN, initials_of, mask, masked_text
from marketplace.pipeline.leads.models import Method
from marketplace.pipeline.leads.normalizing import company_domain, normal_domain, normal_email
from marketplace.pipeline.leads.progress import percent_of
from marketplace.pipeline.leads.services.choosing import (
    Ask,
    Candidate,
    Rule,
    Turns,
    choose,
)


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("Ada@Blue-Kite.example", "ada@blue-kite.example"),
        (" ada+news@bluekite.example ", "ada@bluekite.example"),
        ("A.d.a+x@GoogleMail.com", "ada@gmail.com"),
        ("a.d.a@bluekite.example", "a.d.a@bluekite.example"),
        ("ada@bücher.example", "ada@xn--bcher-kva.example"),
        ("no address", "no address"),
        ("+@x.example", "+@x.example"),
    ],
)
def test_an_address_is_the_same_however_it_was_typed(typed: str, expected: str) -> None:
    assert normal_email(typed) == expected


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("https://www.BlueKite.example/contact?x=1", "bluekite.example"),
        ("bluekite.example.", "bluekite.example"),
        ("ada@mail.bluekite.example", "mail.bluekite.example"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("bluekite.example:8443", "bluekite.example"),
        ("localhost", ""),
        ("10.0.0.1", ""),
        ("http://[::1", ""),
        ("a b.example", ""),
        ("-x.example", ""),
        ("", ""),
        (f"{'a' * 64}.example", ""),
        ("x." * 140 + "example", ""),
    ],
)
def test_a_domain_is_the_same_however_it_was_typed(typed: str, expected: str) -> None:
    assert normal_domain(typed) == expected


def test_free_mail_says_nothing_of_a_company() -> None:
    assert company_domain("ada@gmail.com") == ""
    assert company_domain("ada@gmail.com", "www.bluekite.example") == "bluekite.example"
    assert company_domain("ada@bluekite.example", "gmail.com") == "bluekite.example"


@pytest.mark.parametrize(
    ("text", "secrets", "expected"),
    [
        ("Write to ada@blue.example now", (), f"Write to {HIDDEN} now"),
        ("Write to ada (at) blue.example", (), f"Write to {HIDDEN}"),
        ("See https://blue.example/a and www.blue.io.", (), f"See {HIDDEN} and {HIDDEN}"),
        ("See blue-kite.example/about", (), f"See {HIDDEN}"),
        ("Skype: ada.k, or @ada_k there", (), f"{HIDDEN} {HIDDEN} there"),
        ("Slack: alerts; WhatsApp messages", (), "Slack: alerts; WhatsApp messages"),
        ("Call +49 (30) 123-4567.", (), f"Call {HIDDEN}."),
        ("Tel.0301234567", (), f"Tel.{HIDDEN}"),
        ("Call me,030 1234567", (), f"Call me,{HIDDEN}"),
        ("0301234567x12", (), f"{HIDDEN}x12"),
        ("+49 30 1234567ext 5", (), f"{HIDDEN}ext 5"),
        ("From 1,234,567 to 3.14159265 tons", (), "From 1,234,567 to "),
        ("12 ships, 3.5 tons, 2026-11-29", (), f"12 ships, 3.5 tons, {HIDDEN}"),
        ("Blue Kite wants it; blue sky", ("Blue Kite Ltd",), f"{HIDDEN} {HIDDEN} wants it"),
        ("Ada Okafor of Kite", ("Ada Okafor",), f"{HIDDEN} of Kite"),
        ("okafor asks", ("Ada Okafor",), f"{HIDDEN} asks"),
    ],
)
def test_a_text_keeps_nothing_that_tells_who(
    text: str, secrets: tuple[str, ...], expected: str
) -> None:
    assert masked_text(text, *secrets).startswith(expected)


def test_the_company_is_hidden_by_all_its_names() -> None:
    found = mask(
        name="Ada Okafor",
        company="BMW AG",
        email="ada@kitewell.example",
        domain="bluekite.example",
        need="Kitewell and BlueKite are one. BMW ships with us, an AG as others. Sea charts!",
    )
    assert found.need == (
        f"{HIDDEN} and {HIDDEN} are one. {HIDDEN} ships with us, an AG as others. Sea charts!"
    )
    free = mask(name="A", company="", email="a@gmail.com", domain="", need="We use Gmail.")
    assert free.need == "We use Gmail."


def test_a_masked_contact_has_initials_alone() -> None:
    found = mask(
        name="Ada Okafor",
        company="Blue Kite",
        email="ada.okafor@bluekite.example",
        domain="bluekite.example",
        need="Bluekite (ada.okafor) needs tide tables. Ask Ada.",
    )
    assert found.initials == "A. O."
    assert found.need == f"{HIDDEN} ({HIDDEN}) needs tide tables. Ask {HIDDEN}."
    assert initials_of("李 雷") == "李. 雷."
    assert initials_of("( )") == ""


def _partner(number: int, **fields: object) -> Candidate:
    values: dict[str, object] = {
        "organization_id": number, "partner_type": "technology", "country": "DE",
        "tier": "silver", "rank": 1, **fields,
    }  # fmt: skip
    return Candidate(**values)  # type: ignore[arg-type]  # a table of fields


ALL = Rule(id=1, name="All")


@pytest.mark.parametrize(
    ("rule", "ask", "chosen"),
    [
        (ALL, Ask("DE"), 1),
        (Rule(id=1, name="r", countries=("FR",)), Ask("DE"), None),
        (Rule(id=1, name="r", countries=("FR",)), Ask(None), None),
        (Rule(id=1, name="r", categories=("crm",)), Ask("DE", "crm"), 1),
        (Rule(id=1, name="r", categories=("crm",)), Ask("DE"), None),
        (Rule(id=1, name="r", partner_types=("agency",)), Ask("DE"), 2),
        (Rule(id=1, name="r", same_country=True), Ask("FR"), 3),
        (Rule(id=1, name="r", same_country=True), Ask(None), None),
        (Rule(id=1, name="r", least_tier="gold", least_rank=2), Ask("DE"), 3),
        # A tier that the policy no longer knows lets nobody through.
        (Rule(id=1, name="r", least_tier="old", least_rank=-1), Ask("DE"), None),
        (Rule(id=1, name="r", capacity=3), Ask("DE"), 2),
    ],
)
def test_a_rule_says_who_may_have_a_lead(rule: Rule, ask: Ask, chosen: int | None) -> None:
    partners = [
        _partner(1, open_leads=3),
        _partner(2, partner_type="agency", open_leads=2),
        _partner(3, country="FR", tier="gold", rank=2),
    ]
    found = choose([rule], ask, partners, {})
    assert (found.organization_id if found else None) == chosen


def test_turns_go_round_and_weights_say_how_often() -> None:
    partners = [_partner(1), _partner(2, tier="gold", rank=2)]
    for method, expected in (
        (Method.ROUND_ROBIN, [1, 2, 1, 2, 1, 2]),
        (Method.WEIGHTED, [2, 1, 2, 2, 1, 2]),
    ):
        rule = Rule(id=1, name="r", method=method, weights={"gold": 2})
        turns: dict[tuple[int, int], Turns] = {}
        order = []
        for number in range(1, 7):
            found = choose([rule], Ask("DE"), partners, turns)
            assert found is not None
            had = turns.get((1, found.organization_id), Turns())
            turns[(1, found.organization_id)] = Turns(had.offers + 1, number)
            order.append(found.organization_id)
        assert order.count(2) == expected.count(2), method
        assert order[:2] == expected[:2], method


def test_the_first_rule_that_allows_somebody_decides_and_says_why() -> None:
    rules = [
        Rule(id=1, name="Gold first", least_tier="gold", least_rank=2),
        Rule(id=2, name="Everybody", capacity=5),
    ]
    partners = [_partner(1, open_leads=4), _partner(2)]
    found = choose(rules, Ask("DE"), partners, {}, but=[2])
    assert found is not None
    assert (found.rule_id, found.organization_id) == (2, 1)
    assert found.reasons == (
        "Rule “Everybody”",
        "It holds 4 of at most 5 open leads",
        "0 offers by this rule so far",
        "The only partner that this rule allows",
    )
    assert choose(rules, Ask("DE"), partners, {}, but=[1, 2]) is None


@pytest.mark.parametrize(
    ("value", "whole", "expected"),
    [(4, 5, 80), (2, 3, 66), (0, 5, 0), (7, 5, 100), (-1, 5, 0), (3, 0, 0)],
)
def test_a_percentage_is_rounded_down(value: int, whole: int, expected: int) -> None:
    assert percent_of(value, whole) == expected


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({}, set()),
        ({"name": "\x00 "}, {"name"}),
        ({"email": "nobody"}, {"email"}),
        ({"email": "a@b.example" + "x" * 300}, {"email"}),
        ({"country": "XX"}, {"country"}),
        ({"postal_code": "20 457"}, set()),
        ({"postal_code": "<script>"}, {"postal_code"}),
        ({"postal_code": "1" * 40}, {"postal_code"}),
        ({"need": "x" * 4_001}, {"need"}),
        ({"website": "not a site"}, {"website"}),
        ({"budget": "all of it", "time_frame": 2**63}, {"budget", "time_frame"}),
        ({"name": None, "email": None, "need": None}, {"name", "email", "need"}),
    ],
)
def test_fields_say_what_is_wrong(changes: dict[str, object], wrong: set[str]) -> None:
    values = {"name": "Ada", "email": "ada@bluekite.example", "need": "Tides", **changes}
    assert set(read_fields(values)[1]) == wrong


HEAD = "Name,E-mail,Company,Need\n"


@pytest.mark.parametrize(
    "data",
    [
        (HEAD + "Ada Öz,ada@bluekite.example,Blue Kite,Tides\n").encode(),
        codecs.BOM_UTF8 + (HEAD + "Ada Öz,ada@bluekite.example,Blue Kite,Tides\n").encode(),
        (HEAD + "Ada Öz,ada@bluekite.example,Blue Kite,Tides\n").encode("cp1252"),
        (HEAD + "Ada Öz,ada@bluekite.example,Blue Kite,Tides\n").encode("utf-16"),
        (HEAD + "Ada Öz,ada@bluekite.example,Blue Kite,Tides\n").replace(",", ";").encode(),
        (HEAD + "Ada Öz,ada@bluekite.example,Blue Kite,Tides\r\n").replace(",", "\t").encode(),
    ],
)
def test_files_of_common_programs_are_read(data: bytes) -> None:
    (row,) = read_file(data)
    assert row.errors == {}
    assert row.values["name"] == "Ada Öz"
    assert row.line == 2


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "empty"),
        (b"name,email\nAda,a@b.example\n", "Missing: company"),
        (HEAD.encode(), "no rows"),
        (b"\x00\x01\x02", "no text"),
        (codecs.BOM_UTF16_LE + b"x", "broken"),
        ((HEAD + "a,b,c,d\n" * 501).encode(), "At most 500"),
        (b"x" * (512 * 1024 + 1), "larger"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(data: bytes, message: str) -> None:
    with pytest.raises(ImportFileError, match=message):
        read_file(data)


def test_each_row_has_its_own_errors() -> None:
    rows = read_file(
        (
            HEAD
            + "Ada,ada@bluekite.example,Blue Kite,Tides\n"
            + ",nobody,,\n"
            + "Eve,ADA+x@bluekite.example,Kite,Tides\n"
            + "Bo,bo@birch.example,Birch,'=1+1,too many\n"
        ).encode()
    )
    assert [sorted(row.errors) for row in rows] == [
        [],
        ["company", "email", "name", "need"],
        ["email"],
        ["row"],
    ]
    assert rows[3].values["need"] == "=1+1"
