"""A policy as YAML: what goes out comes back, and what cannot be read is told with its place."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marketplace.program.policy.document import Policy
from marketplace.program.policy.documents import DocumentError, read_policy
from marketplace.program.policy.yaml_text import (
    TEMPLATES,
    policy_from_yaml,
    policy_to_yaml,
    template,
)
from tests.factories.program import policy_document
from tests.parts import examples


@pytest.mark.parametrize("name", sorted(TEMPLATES))
def test_a_template_is_a_policy_that_survives_the_round(name: str) -> None:
    policy = template(name)
    assert policy_from_yaml(policy_to_yaml(policy)) == policy
    assert policy_to_yaml(policy_from_yaml(policy_to_yaml(policy))) == policy_to_yaml(policy)


def test_the_template_of_an_api_platform_has_every_type() -> None:
    assert len(template("api_platform").types) == 12


# Words that YAML takes for something else, and others that it must quote.
AWKWARD = st.one_of(
    st.sampled_from(["yes", "No", "null", "~", "1.5", "2026-01-01", "0x1f", "a: b", "- a", "#x",
                     "'", '"', "a\nb", "  a", "é ü 漢字", "🦋", "%", "@x", "`", "*a", "&a", "!x"]),
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=40),
)  # fmt: skip


@settings(max_examples=examples(150), deadline=None)
@given(name=AWKWARD, summary=AWKWARD, rate=st.integers(1, 10**12), flag=st.booleans())
def test_any_words_survive_the_round(name: str, summary: str, rate: int, flag: bool) -> None:
    changes: dict[str, Any] = {"summary": summary, "rates": {"USD": rate}}
    document = policy_document(**changes)
    document["tiers"][1]["name"] = name
    document["tiers"][1]["entitlements"] = {"api_preview": flag, "seats": 3}
    try:
        policy = read_policy(document)
    except DocumentError:
        return  # only space, or a character that is not kept
    again = policy_from_yaml(policy_to_yaml(policy))
    assert again == policy
    assert again.digest() == policy.digest()


@settings(max_examples=examples(150), deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_a_policy_or_an_error_in_words(content: bytes) -> None:
    with pytest.raises(DocumentError):
        policy_from_yaml(content)


def test_a_file_has_a_greatest_size() -> None:
    with pytest.raises(DocumentError, match="larger than 512 KB"):
        policy_from_yaml(b"x" * 600_000)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"a: 1\na: 2", "Line 2, column 1: a is there twice"),
        (b"a: &x [1]\nb: *x", "aliases"),
        (b"a: [1, 2", "Line 1"),
        (b"{" * 50_000, "nested too deeply"),
        (b"!!python/object/apply:os.system [x]", "Line 1, column 1: tags"),
        (b"summary: !!bool maybe", "Line 1, column 10: tags"),
        (b"summary: !!int ''", "tags"),
        (b"summary: !!float ''", "tags"),
        (b"summary: !!timestamp foo", "tags"),
        (b"summary: ! x", "tags"),
        (b"grace_days: 0x_", "no YAML that can be read"),
        (b"name: =", "could not determine a constructor"),
        (b"- 1", "names with values"),
        (b"grace_days: " + b"1:" * 250 + b"1.5", "grace_days: A whole number"),
        (b"grace_days: 1:30", "grace_days: A whole number"),
        (b"grace_days: 2026-99-99", "grace_days: A whole number"),
    ],
)
def test_what_is_no_yaml_here_is_told(text: bytes, words: str) -> None:
    with pytest.raises(DocumentError, match=words.replace("(", r"\(")):
        policy_from_yaml(text)


def given(value: object, *, kind: str) -> dict[str, Any]:
    return {
        "entitlements": [{"key": "seats", "name": "Seats", "kind": kind}],
        "tiers": [{"key": "aa", "name": "A", "entitlements": {"seats": value}}],
    }


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"currency": "XXX"}, "currency"),
        ({"rates": {"XXX": 5}}, "rates.XXX"),
        ({"rates": {"USD": 0}}, "rates.USD"),
        ({"grace_days": 400}, "grace_days"),
        ({"metrics": [{"key": "moon", "name": "M", "measure": "moon"}]}, "metrics[0].measure"),
        ({"types": [{"key": "aa", "name": "A", "modules": ["moon"]}]}, "types[0].modules[0]"),
        ({"tiers": [{"key": "aa", "name": "A", "yearly_cost": 10**16}]}, "tiers[0].yearly_cost"),
        (
            {"tiers": [{"key": "aa", "name": "A", "entitlements": {"seats": 1.5}}]},
            "tiers[0].entitlements.seats",
        ),
        (given("no", kind="flag"), "tiers[0].entitlements.seats"),
        (given(1, kind="flag"), "tiers[0].entitlements.seats"),
        (given("5", kind="limit"), "tiers[0].entitlements.seats"),
        (given(True, kind="limit"), "tiers[0].entitlements.seats"),
        (given(-1, kind="money"), "tiers[0].entitlements.seats"),
        (given(True, kind="text"), "tiers[0].entitlements.seats"),
        (
            {"types": [{"key": "aa", "name": "A", "entitlements": {"api_preview": "no"}}]},
            "types[0].entitlements.api_preview",
        ),
        ({"summary": "a\x00b"}, "summary"),
    ],
)
def test_what_is_wrong_is_told_with_its_path(change: dict[str, Any], place: str) -> None:
    with pytest.raises(DocumentError) as told:
        read_policy(policy_document(**change))
    assert place in [each.path for each in told.value.problems]


def test_the_past_may_name_what_there_is_no_more() -> None:
    document = policy_document(metrics=[{"key": "moon", "name": "M", "measure": "moon"}])
    assert Policy.model_validate(document).metrics[0].measure == "moon"
