"""Claims, credit, account hashes, territories and royalties: rules as tables."""

from datetime import UTC, datetime

import pytest

from marketplace.pipeline.account_checks.hashing import (
    is_signed,
    list_digest,
    mac_of,
    normal_entry,
    read_entries,
    sign,
)
from marketplace.pipeline.deals.claims import Share, amounts_of, claim_key, fault_of
from marketplace.pipeline.deals.models import CreditKind
from marketplace.pipeline.deals.queries import Period
from marketplace.pipeline.franchises.months import between, ends, following, parse_month
from marketplace.pipeline.franchises.overlap import (
    holds,
    parse_areas,
    royalty,
    same_places,
    same_time,
)

S, A = CreditKind.SOURCED, CreditKind.ASSISTED


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (("a.example", None, "Tide Tables"), ("a.example", None, "tide-tables"), True),
        (("a.example", None, "Café"), ("a.example", None, "CAFE"), True),
        (("a.example", None, "Tide"), ("b.example", None, "Tide"), False),
        (("a.example", None, "Tide"), ("eu.shop.a.example", None, "Tide"), True),
        (("a.co.uk", None, "Tide"), ("b.co.uk", None, "Tide"), False),
        (("a.example", 7, ""), ("a.example", 7, "whatever"), True),
        (("a.example", 7, ""), ("a.example", 8, ""), False),
    ],
)
def test_registrations_collide_by_domain_and_product(
    one: tuple[str, int | None, str], other: tuple[str, int | None, str], same: bool
) -> None:
    assert (claim_key(*one) == claim_key(*other)) is same


@pytest.mark.parametrize(
    ("shares", "fault"),
    [
        ([Share(1, S, 10_000)], ""),
        ([Share(1, S, 6_000), Share(2, A, 4_000)], ""),
        ([Share(1, S, 6_000), Share(1, A, 4_000)], ""),
        ([], "Name at least one partner."),
        ([Share(1, S, 0), Share(2, A, 10_000)], "A share is more than 0%"),
        ([Share(1, S, 5_000), Share(1, S, 5_000)], "A partner is there twice"),
        ([Share(1, S, 9_999)], "The shares are 99.99% together."),
        ([Share(1, S, 6_000), Share(2, A, 6_000)], "The shares are 120% together."),
    ],
)
def test_a_split_is_whole_or_says_what_is_wrong(shares: list[Share], fault: str) -> None:
    assert fault_of(shares).startswith(fault)
    assert bool(fault_of(shares)) is bool(fault)


@pytest.mark.parametrize(
    ("amount", "bps", "expected"),
    [
        (100_000, [6_667, 3_333], [66_670, 33_330]),
        (100, [3_333, 3_333, 3_334], [33, 33, 34]),
        (1, [5_000, 5_000], [1, 0]),
        (10_001, [3_334, 3_333, 3_333], [3_335, 3_333, 3_333]),
    ],
)
def test_the_parts_of_a_split_sum_to_the_deal(
    amount: int, bps: list[int], expected: list[int]
) -> None:
    parts = amounts_of(amount, [Share(n, S, each) for n, each in enumerate(bps)])
    assert parts == expected
    assert sum(parts) == amount


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("Ada@WWW.Blue-Kite.example", "blue-kite.example"),
        ("https://blue-kite.example/x", "blue-kite.example"),
        ("A.da+x@gmail.com", "ada@gmail.com"),
        ("gmail.com", ""),
        ("nonsense", ""),
    ],
)
def test_a_customer_is_compared_by_its_domain_or_its_free_address(
    typed: str, expected: str
) -> None:
    assert normal_entry(typed) == expected


def test_a_list_is_read_whole_or_not_at_all() -> None:
    found, fault = read_entries("\ufeffa.example, A.example;b.example\n\nc@c.example\n")
    assert (sorted(found), fault) == (["a.example", "b.example", "c.example"], "")
    assert read_entries("a.example\n=cmd()")[1].startswith("Line 2:")
    assert read_entries("\n".join(f"x{n}.example" for n in range(20_002)))[1].startswith("At most")


def test_hashes_differ_by_key_and_signatures_by_word() -> None:
    assert mac_of(b"1", "a.example") != mac_of(b"2", "a.example")
    assert list_digest(["b", "a"]) == list_digest(["a", "b"])
    body = {"customer": "a.example", "at": "2026-11-29"}
    assert is_signed(["new", "old"], body, sign("old", body))
    assert not is_signed(["new"], body, sign("old", body))
    assert not is_signed(["old"], {**body, "customer": "b.example"}, sign("old", body))


@pytest.mark.parametrize(
    ("one", "other", "overlap"),
    [
        (("DE", ""), ("DE", ""), True),
        (("DE", ""), ("DE", "20"), True),
        (("DE", "204"), ("DE", "20"), True),
        (("DE", "20"), ("DE", "21"), False),
        (("DE", "20"), ("AT", "20"), False),
        (("GB", "SW1"), ("GB", "SW"), True),
    ],
)
def test_places_overlap_when_one_prefix_begins_with_the_other(
    one: tuple[str, str], other: tuple[str, str], overlap: bool
) -> None:
    assert same_places(*one, *other) is overlap
    assert same_places(*other, *one) is overlap


def test_times_overlap_when_they_share_a_moment() -> None:
    day = [datetime(2026, 1, number, tzinfo=UTC) for number in range(1, 6)]
    assert same_time(day[0], day[2], day[1], day[3])
    assert not same_time(day[0], day[2], day[2], day[3])


@pytest.mark.parametrize(
    ("area", "country", "postal", "expected"),
    [
        (("DE", "20"), "DE", "20 457", True),
        (("DE", "20"), "DE", "", False),
        (("DE", ""), "DE", "", True),
        (("GB", "SW1A"), "GB", "sw1a 2aa", True),
        (("DE", ""), None, "20457", False),
    ],
)
def test_a_lead_lies_in_an_area(
    area: tuple[str, str], country: str | None, postal: str, expected: bool
) -> None:
    assert holds(*area, country, postal) is expected


@pytest.mark.parametrize(
    ("typed", "areas", "fault"),
    [
        ("de\nAT 10, 11", [("DE", ""), ("AT", "10"), ("AT", "11")], ""),
        ("GB sw-1 EC1", [("GB", "SW1"), ("GB", "EC1")], ""),
        ("", [], "Name at least one"),
        ("Germany", [], "Line 1"),
        ("DE 20*", [], "Line 1"),
        ("DE 20\nDE 201", [], "Line 2"),
        ("DE 1234567890123", [], "Line 1"),
    ],
)
def test_areas_are_read_line_by_line(typed: str, areas: list[tuple[str, str]], fault: str) -> None:
    found, wrong = parse_areas(typed)
    assert found == areas
    assert wrong.startswith(fault)
    assert bool(wrong) is bool(fault)


@pytest.mark.parametrize(
    ("base", "bps", "minimum", "expected"),
    [
        (1_224_567, 725, 5_000, 88_781),
        (13, 725, 0, 0),
        (14, 725, 0, 1),
        (0, 725, 5_000, 5_000),
        (-10_000, 725, 0, 0),
        (100, 10_000, 0, 100),
        (10**15, 1, 0, 10**11),
    ],
)
def test_a_royalty_is_rounded_down_and_at_least_the_minimum(
    base: int, bps: int, minimum: int, expected: int
) -> None:
    assert royalty(base, bps, minimum) == expected


def test_months_follow_each_other() -> None:
    assert following("2026-12") == "2027-01"
    assert following("2026-01", -1) == "2025-12"
    assert between("2026-11", "2027-01") == ["2026-11", "2026-12", "2027-01"]
    assert ends("2026-12") == datetime(2027, 1, 1, tzinfo=UTC)
    assert [parse_month(text) for text in ("2026-13", "26-1", "2026-01 ", "x")] == [
        None,
        None,
        "2026-01",
        None,
    ]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("2026", "2026"),
        ("2026-02", "2026-02"),
        ("2026-2", "2026-02"),
        ("2026-13", None),
        ("9", None),
    ],
)
def test_a_period_is_a_year_or_a_month(text: str, code: str | None) -> None:
    found = Period.parse(text)
    assert found.code == code if code else len(found.code) == 4
    assert found.begins < found.ends
