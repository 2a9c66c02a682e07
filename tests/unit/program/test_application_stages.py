"""The pure rules of applications: stages, answers, letters, figures."""

from datetime import UTC, datetime
from typing import Any

import pytest
from werkzeug.datastructures import MultiDict

from marketplace.core.errors import InvalidError
from marketplace.program.applications.answers import read_answers, shown_answers
from marketplace.program.applications.forms import key_of
from marketplace.program.applications.letters import merge
from marketplace.program.applications.stages import mean_of, next_stage, result_of
from marketplace.program.applications.texts import in_unit, plain_in_unit, typed_in_unit
from marketplace.program.applications.tracking import progress_of
from marketplace.program.applications.words import domain_of, is_web_address, line, paragraphs
from marketplace.program.policy.document import FormField, Stage

STAGES = tuple(Stage(key=key, name=key.title()) for key in ("technical", "business", "finance"))


@pytest.mark.parametrize(
    ("scores", "mean"),
    [([], None), ([80], 80), ([80, 71], 76), ([1, 2], 2), ([0, 0, 1], 0), ([100, 100], 100)],
)
def test_the_mean_is_rounded_half_up(scores: list[int], mean: int | None) -> None:
    assert mean_of(scores) == mean


@pytest.mark.parametrize(
    ("reviewers", "pass_score", "scores", "passes"),
    [
        (0, 0, [], True),
        (1, 0, [], False),
        (2, 60, [80], False),
        (2, 60, [80, 40], True),
        (2, 60, [80, 30], False),
        (0, 60, [], False),
        (0, 60, [60], True),
    ],
)
def test_a_stage_passes_with_enough_scores_of_a_mean(
    reviewers: int, pass_score: int, scores: list[int], passes: bool
) -> None:
    stage = Stage(key="review", name="Review", reviewers=reviewers, pass_score=pass_score)
    found = result_of(stage, scores)
    assert found.passes is passes
    assert bool(found.hindrance) is not passes


def test_stages_follow_each_other() -> None:
    assert next_stage(STAGES, "technical") == STAGES[1]
    assert next_stage(STAGES, "finance") is None
    assert next_stage(STAGES, "gone") is None
    assert next_stage((), "") is None


def field(kind: str, key: str = "it", **more: Any) -> FormField:
    return FormField(key=key, label="It", kind=kind, **more)  # type: ignore[arg-type]  # validated


@pytest.mark.parametrize(
    ("kind", "typed", "value", "is_wrong"),
    [
        ("text", " a\x00 b ", "a b", False),
        ("text", "", None, True),
        ("text", "x" * 301, "x" * 301, True),
        ("long_text", "a\r\nb", "a\nb", False),
        ("long_text", "x" * 5_001, "x" * 5_001, True),
        ("number", "1,234", 1_234, False),
        ("number", "0", "0", False),
        ("number", "-5", -5, False),
        ("number", "9" * 30, "9" * 30, True),
        ("number", str(2**63), str(2**63), True),
        ("number", "1e3", "1e3", True),
        ("url", "https://example.com/x", "https://example.com/x", False),
        ("url", "javascript:alert(1)", "javascript:alert(1)", True),
        ("url", "http://[::1", "http://[::1", True),
        ("email", "ada@example.com", "ada@example.com", False),
        ("email", "ada@@example", "ada@@example", True),
        ("date", "2026-05-01", "2026-05-01", False),
        ("date", "2026-02-30", "2026-02-30", True),
        ("date", "20260501", "20260501", True),
        ("country", "DE", "DE", False),
        ("country", "XX", "XX", True),
        ("yes", "yes", True, False),
        ("yes", "", None, True),
    ],
)
def test_answers_are_read_and_checked(kind: str, typed: str, value: Any, is_wrong: bool) -> None:
    answers, errors = read_answers([field(kind)], MultiDict({"answer_it": typed}))
    assert answers.get("it") == value
    assert ("it" in errors) is is_wrong


def test_choices_are_of_the_list_and_each_once() -> None:
    form = [field("choices", options=("Red", "Blue"))]
    typed = MultiDict([("answer_it", "Red"), ("answer_it", "Red"), ("answer_it", "Green")])
    answers, errors = read_answers(form, typed)
    assert answers == {"it": ["Red"]}
    assert errors == {"it": "Choose from the list."}
    assert read_answers(form, MultiDict({"answer_it": "Blue"})) == ({"it": ["Blue"]}, {})


def test_a_question_is_asked_only_where_another_answer_says_so() -> None:
    form = (
        field("choice", "kind", options=("Agency", "Builder")),
        field("text", "clients", when_field="kind", when_is=("Agency",)),
        field("text", "more", when_field="clients", when_is=("Many",)),
    )
    typed = {"answer_kind": "Builder", "answer_clients": "Many", "answer_more": "x"}
    answers, errors = read_answers(form, MultiDict(typed))
    assert (answers, errors) == ({"kind": "Builder"}, {})
    assert [each.key for each, _ in shown_answers(form, answers)] == ["kind"]
    answers, errors = read_answers(form, MultiDict({"answer_kind": "Agency"}))
    assert set(errors) == {"clients"}


def test_a_letter_fills_in_its_fields_and_no_others() -> None:
    def letter(text: str) -> str:
        return merge(
            text,
            name="Ada",
            organization="{title}",
            title="Seed",
            site="Harbor",
            now=datetime(2026, 3, 1, tzinfo=UTC),
            again_from=datetime(2026, 3, 31, tzinfo=UTC),
        )

    assert letter("Dear {name}, {again_from}") == "Dear Ada, 31 March 2026"
    # What is filled in is text, not another field.
    assert letter("{organization}") == "{title}"
    for wrong in ("{nobody}", "", "x" * 5_001):
        with pytest.raises(InvalidError):
            letter(wrong)


@pytest.mark.parametrize(
    ("start", "value", "target", "higher", "share"),
    [
        (0, 0, 10, True, 0),
        (0, 3, 10, True, 30),
        (0, 12, 10, True, 100),
        (4, 7, 10, True, 50),
        (0, -3, 10, True, 0),
        (9, 9, 10, True, 0),
        (60, 45, 30, False, 50),
        (60, 30, 30, False, 100),
        (10, 12, 30, False, 100),
        (0, None, 10, True, None),
        (20, 15, 20, True, 0),
    ],
)
def test_progress_is_the_share_of_the_way(
    start: int, value: int | None, target: int, higher: bool, share: int | None
) -> None:
    figure = {"metric": "m", "name": "M", "unit": "count", "target": target, "start": start}
    (found,) = progress_of([figure], {"m": value}, {"m": higher})
    assert found.share == share
    assert found.is_met is (share == 100)


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("25", "count", 25),
        ("1,234", "count", 1_234),
        ("-1", "count", None),
        ("9" * 5_000, "count", 10**30 - 1),
        ("25,000.50", "EUR", 2_500_050),
        ("1.005", "EUR", None),
        ("4.5", "stars", 450),
        ("x", "stars", None),
    ],
)
def test_figures_are_typed_in_their_unit(text: str, unit: str, value: int | None) -> None:
    assert typed_in_unit(text, unit) == value
    if value is not None and unit != "count":
        assert typed_in_unit(plain_in_unit(value, unit), unit) == value
        assert in_unit(value, unit)


@pytest.mark.parametrize(
    ("label", "key"),
    [
        ("Why do you apply?", "why_do_you_apply"),
        ("3 references", "question_3_references"),
        ("Ünïcode", "question_ncode"),
        ("???", "question"),
        ("x" * 90, "x" * 40),
    ],
)
def test_a_question_gets_a_key_that_a_form_takes(label: str, key: str) -> None:
    assert key_of(label) == key or FormField(key=key_of(label), label="It")


def test_words_lose_what_a_database_does_not_take() -> None:
    assert line(" a\x00\x1f b\ud800 ") == "a b"
    assert line("pay\u202eexe") == "payexe"
    assert line(None) == ""
    assert paragraphs(" a\r\nb\x00 ") == "a\nb"
    assert domain_of("Ada@Example.COM") == "example.com"
    assert domain_of("nobody") == ""
    assert not is_web_address("https://user@example.com")
