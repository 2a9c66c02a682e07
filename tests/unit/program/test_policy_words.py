"""What differs between two policies, amounts as typed, and what editing does."""

from typing import Any

import pytest

from marketplace.program.policy import editing
from marketplace.program.policy.amounts import (
    NumberError,
    as_typed,
    from_typed,
    in_words,
    rate_as_typed,
    rate_from_typed,
)
from marketplace.program.policy.difference import differences
from marketplace.program.policy.document import Policy, Unit
from marketplace.program.policy.yaml_text import template
from tests.factories.program import policy_document


def told(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    return [
        str(each)
        for each in differences(Policy.model_validate(before), Policy.model_validate(after))
    ]


def test_the_same_words_differ_in_nothing() -> None:
    assert told(policy_document(), policy_document()) == []


def test_every_difference_is_told_in_words() -> None:
    after = policy_document(grace_days=45, rates={"USD": 950_000, "GBP": 1_150_000})
    after["tiers"][2]["points"] = 300
    after["tiers"][2]["entitlements"] = {"seats": 12, "api_preview": False}
    after["tiers"][1]["requirements"] = [{"metric": "revenue", "threshold": 500_000}]
    after["types"][0]["playbook"] = [{"key": "kick_off", "title": "Kick-off call", "due_days": 14}]
    after["types"] = [*after["types"][1:3], after["types"][0]]
    assert told(policy_document(), after) == [
        "General, Days of grace: 30 days → 45 days",
        "General, Rate of GBP: None → GBP: 1.15",
        "General, Rate of USD: USD: 0.9 → USD: 0.95",
        "Types of partners: Affiliate: removed",
        "Types of partners: Technology partner: moved from place 1 to 3",
        "Types of partners: Technology partner, playbook: Kick-off call, Days after joining: "
        "7 days → 14 days",
        "Tiers: Silver, Requirement: Not asked for → Net revenue: at least €5,000.00",
        "Tiers: Gold, Points: 250 → 300",
        "Tiers: Gold, Test seats: 10 → 12",
        "Tiers: Gold, Preview API: None → No",
    ]


def test_yes_is_not_one() -> None:
    before, after = policy_document(), policy_document()
    before["tiers"][2]["entitlements"] = {"seats": 1}
    after["tiers"][2]["entitlements"] = {"seats": True}
    assert told(before, after) == ["Tiers: Gold, Test seats: 1 → Yes"]


def test_templates_can_be_compared_with_each_other() -> None:
    names = ("api_platform", "saas_app_store", "reseller_channel")
    for one in names:
        for other in names:
            assert bool(differences(template(one), template(other))) is (one != other)


@pytest.mark.parametrize(
    ("value", "unit", "typed", "words"),
    [
        (123_450, Unit.MONEY, "1234.50", "€1,234.50"),
        (450, Unit.STARS, "4.50", "4.5 stars"),
        (1, Unit.DAYS, "1", "1 day"),
        (90, Unit.MINUTES, "90", "90 minutes"),
        (75, Unit.PERCENT, "75", "75%"),
        (12_345, Unit.COUNT, "12345", "12,345"),
    ],
)
def test_amounts_are_typed_and_read_in_their_unit(
    value: int, unit: Unit, typed: str, words: str
) -> None:
    assert as_typed(value, unit, "EUR") == typed
    assert from_typed(typed, unit, "EUR") == value
    assert in_words(value, unit, "EUR") == words


@pytest.mark.parametrize("typed", ["", "much", "1e9", "٣", "1" * 40, "--1", "4.567"])
@pytest.mark.parametrize("unit", [Unit.MONEY, Unit.STARS, Unit.COUNT])
def test_what_is_no_amount_is_told(typed: str, unit: Unit) -> None:
    with pytest.raises(NumberError):
        from_typed(typed, unit, "EUR")


@pytest.mark.parametrize("millionths", [1, 900_000, 1_000_000, 12_345_678])
def test_rates_survive_the_form(millionths: int) -> None:
    assert rate_from_typed(rate_as_typed(millionths)) == millionths


@pytest.mark.parametrize("name", ["Gold", "4 seasons", "Über Gold!", "漢字", "x", "a" * 90, "--"])
def test_a_key_is_made_of_any_name(name: str) -> None:
    key = editing.new_key(name, set())
    document = policy_document()
    document["goals"] = [{"key": key, "name": "A", "measure": "deals_won", "target": 1}]
    assert Policy.model_validate(document).goals[0].key == key
    assert editing.new_key(name, {key}) != key


def test_removing_takes_along_what_speaks_of_it() -> None:
    document = policy_document(spaces=[{"key": "talk", "name": "Talk", "reply": "gold"}])
    document["tiers"][1]["requirements"] = [
        {"metric": "deals", "threshold": 1, "types": ["reseller"]},
        {"metric": "revenue", "threshold": 1, "types": ["reseller", "technology"]},
    ]
    without = Policy.model_validate(editing.remove(document, "types", "reseller"))
    assert [each.metric for each in without.tiers[1].requirements] == ["revenue"]
    assert without.tiers[1].requirements[0].types == ("technology",)
    without = Policy.model_validate(editing.remove(document, "metrics", "deals"))
    assert [each.metric for each in without.tiers[1].requirements] == ["revenue"]
    # The highest tier is gone: its right falls to the one below, the only one left above.
    without = Policy.model_validate(editing.remove(document, "tiers", "gold"))
    assert without.spaces[0].reply == "silver"
    without = Policy.model_validate(editing.remove(document, "entitlements", "seats"))
    assert without.tiers[2].entitlements == {}
    assert "gold" in str(document)


def test_moving_stops_at_the_ends() -> None:
    document = policy_document()
    keys = [each["key"] for each in document["metrics"]]
    assert editing.move(document, "metrics", keys[0], by=-1) == document
    moved = editing.move(document, "metrics", keys[0], by=1)
    assert [each["key"] for each in moved["metrics"]] == [keys[1], keys[0], keys[2]]
