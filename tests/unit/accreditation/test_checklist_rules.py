"""Checklists, and what certification decides about listings."""

from dataclasses import dataclass

import pytest

from marketplace.accreditation.certification.checklist import (
    Item,
    in_the_way,
    missing,
    percent_accepted,
    read_items,
)
from marketplace.accreditation.certification.listing_rules import Rule, why_hidden
from marketplace.accreditation.certification.models import EvidenceState, ListingRule
from marketplace.core.errors import InvalidError


@dataclass
class Row:
    """What was given."""

    item_key: str
    value: str = ""
    storage_key: str | None = None
    passed: bool | None = None
    state: EvidenceState = EvidenceState.GIVEN


ITEMS = read_items(
    [
        {"key": "words", "title": "Words", "weight": 3},
        {"key": "file", "title": "File", "evidence": "file", "mandatory": False},
        {
            "key": "look",
            "title": "Installs",
            "evidence": "automatic",
            "check": "live_installs",
            "weight": 0,
        },
    ]
)


def given(*rows: Row) -> dict[str, Row]:
    return {row.item_key: row for row in rows}


def test_what_is_mandatory_must_be_there() -> None:
    assert set(missing(ITEMS, {})) == {"words", "look"}
    assert set(missing(ITEMS, given(Row("words", "  "), Row("look", passed=False)))) == {
        "words",
        "look",
    }
    assert missing(ITEMS, given(Row("words", "yes"), Row("look", passed=True))) == {}


def test_weights_make_the_share() -> None:
    accepted = Row("words", "yes", state=EvidenceState.ACCEPTED)
    assert percent_accepted(ITEMS, given(accepted)) == 75
    assert percent_accepted(ITEMS, {}) == 0
    assert percent_accepted((Item(key="free", title="Free", weight=0),), {}) == 100


@pytest.mark.parametrize(
    ("rows", "percent", "reasons"),
    [
        ((), 100, 2),
        ((Row("words", "yes"), Row("look", passed=True, state=EvidenceState.ACCEPTED)), 0, 1),
        (
            (
                Row("words", "yes", state=EvidenceState.ACCEPTED),
                Row("look", passed=True, state=EvidenceState.ACCEPTED),
            ),
            100,
            1,
        ),
        (
            (
                Row("words", "yes", state=EvidenceState.ACCEPTED),
                Row("look", passed=True, state=EvidenceState.ACCEPTED),
            ),
            75,
            0,
        ),
    ],
)
def test_what_is_in_the_way_is_said(rows: tuple[Row, ...], percent: int, reasons: int) -> None:
    assert len(in_the_way(ITEMS, given(*rows), percent)) == reasons


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [{"key": "one", "title": ""}],
        [{"key": "One", "title": "Key"}],
        [{"key": "one", "title": "One"}, {"key": "one", "title": "Twice"}],
        [{"key": "one", "title": "One", "evidence": "automatic"}],
        [{"key": "one", "title": "One", "check": "verified"}],
        [{"key": "one", "title": "One", "weight": 2**63}],
        [{"key": "one", "title": "One", "extra": 1}],
        [{"key": f"item_{number}", "title": "Many"} for number in range(61)],
    ],
)
def test_a_checklist_that_cannot_be_is_refused(rows: list[dict[str, object]]) -> None:
    with pytest.raises(InvalidError):
        read_items(rows)


SERVICES = Rule(1, "Services", ListingRule.BADGE, 2, ("consulting",), ("service",))
UNLISTS = Rule(2, "Ready", ListingRule.UNLIST)
REQUIRED = Rule(3, "Assessment", ListingRule.REQUIRED, 0, ("technology",))


@pytest.mark.parametrize(
    ("rule", "partner_type", "kind", "in_force", "ever", "people", "hidden"),
    [
        (SERVICES, "consulting", "service", (), (), 1, True),
        (SERVICES, "consulting", "service", (), (), 2, False),
        (SERVICES, "consulting", "app", (), (), 0, False),
        (SERVICES, "technology", "service", (), (), 0, False),
        (UNLISTS, "technology", "app", (), (), 0, False),
        (UNLISTS, "technology", "app", (2,), (2,), 0, False),
        (UNLISTS, "technology", "app", (), (2,), 0, True),
        (UNLISTS, "technology", "app", (), (9,), 0, False),
        (REQUIRED, "technology", "app", (), (), 0, True),
        (REQUIRED, "technology", "app", (3,), (3,), 0, False),
        (REQUIRED, "reseller", "app", (), (), 0, False),
    ],
)
def test_a_program_decides_which_listings_are_shown(
    rule: Rule,
    partner_type: str,
    kind: str,
    in_force: tuple[int, ...],
    ever: tuple[int, ...],
    people: int,
    hidden: bool,
) -> None:
    reason = why_hidden(
        [rule],
        partner_type=partner_type,
        kind=kind,
        in_force=in_force,
        ever=ever,
        certified_people=people,
    )
    assert bool(reason) is hidden
