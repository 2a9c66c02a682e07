"""What a course may say, and how its quiz is judged, without a database."""

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from pydantic import ValidationError

from marketplace.accreditation.courses import rules
from marketplace.accreditation.courses.content import (
    CourseContent,
    Lesson,
    digest_of,
    new_key,
    problems,
)
from marketplace.accreditation.courses.rules import Taken
from tests.factories.courses import course_content, question

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
FAILED, PASSED = Taken(NOW, False), Taken(NOW, True)


@pytest.mark.parametrize(
    ("right", "of", "needed", "score", "passed"),
    [
        (5, 5, 80, 100, True),
        (4, 5, 80, 80, True),
        (3, 5, 80, 60, False),
        (2, 3, 67, 66, False),  # rounded down
        (2, 3, 66, 66, True),
        (0, 5, 1, 0, False),
    ],
)
def test_a_score_is_the_share_of_right_answers_rounded_down(
    right: int, of: int, needed: int, score: int, passed: bool
) -> None:
    content = course_content(
        questions=[question(number) for number in range(1, of + 1)], pass_percent=needed
    )
    drawn = [each.key for each in content.questions]
    answers = {key: [0 if place < right else 1] for place, key in enumerate(drawn)}
    result = rules.judge(content, drawn, answers)
    assert (result.score, result.passed) == (score, passed)
    assert sum(result.right.values()) == right


@pytest.mark.parametrize(
    ("chosen", "is_right"),
    [([0, 2], True), ([2, 0], True), ([0], False), ([0, 1, 2], False), ([], False), (None, False)],
)
def test_a_question_with_several_right_answers_wants_exactly_those(
    chosen: list[int] | None, is_right: bool
) -> None:
    content = course_content(questions=[question(1, kind="multiple", correct=[0, 2])])
    key = content.questions[0].key
    answers = {} if chosen is None else {key: chosen}
    assert rules.judge(content, [key], answers).right == {key: is_right}


def test_an_attempt_without_questions_passes_nobody() -> None:
    assert not rules.judge(course_content(), [], {}).passed
    assert not rules.judge(course_content(), ["q_0000000000ff"], {"q_0000000000ff": [0]}).passed


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (["0"], [0]),
        (["2", "0"], [0]),  # one answer alone to a question of one answer
        (["3"], []),
        (["-1"], []),
        (["x", "\x00", "²", "99999999999999999999"], []),
        ([], []),
    ],
)
def test_of_what_is_posted_only_offered_choices_are_kept(given: list[str], kept: list[int]) -> None:
    content = course_content()
    key = content.questions[0].key
    found = rules.clean_answers(content, [key], {key: given, "q_ffffffffffff": ["0"], "x": ["1"]})
    assert found == {key: kept}


def test_a_draw_has_as_many_different_questions_as_the_course_asks() -> None:
    content = course_content(drawn=3)
    draws = {tuple(rules.draw(content, Random(seed))) for seed in range(50)}
    assert all(len(set(each)) == 3 for each in draws)
    assert len(draws) > 10
    assert content.questions_asked == 3
    assert course_content(drawn=0).questions_asked == 5


@pytest.mark.parametrize(
    ("taken", "left"),
    [
        ([], 3),
        ([FAILED], 2),
        ([FAILED, FAILED, FAILED], 0),
        ([FAILED] * 5, 0),
        ([FAILED, FAILED, PASSED], 3),
        ([FAILED, PASSED, FAILED], 2),
        ([Taken(NOW, False, is_forgiven=True), FAILED], 2),
    ],
)
def test_attempts_are_counted_since_the_last_pass(taken: list[Taken], left: int) -> None:
    assert rules.attempts_left(course_content(attempts_allowed=3), taken) == left
    assert rules.attempts_left(course_content(attempts_allowed=0), taken) is None


def test_after_a_failed_attempt_one_waits_and_after_a_pass_one_does_not() -> None:
    content = course_content(wait_hours=24)
    soon = NOW + timedelta(hours=23)
    assert rules.next_attempt_at(content, [FAILED], soon) == NOW + timedelta(hours=24)
    assert rules.next_attempt_at(content, [FAILED], NOW + timedelta(hours=24)) is None
    assert rules.next_attempt_at(content, [FAILED, PASSED], soon) is None
    assert rules.next_attempt_at(content, [], soon) is None
    assert rules.next_attempt_at(course_content(wait_hours=0), [FAILED], NOW) is None


def test_what_was_right_is_told_after_passing_or_when_nothing_is_left() -> None:
    content = course_content(attempts_allowed=2)
    assert not rules.shows_explanations(content, [FAILED], False)
    assert rules.shows_explanations(content, [FAILED, FAILED], False)
    assert rules.shows_explanations(content, [PASSED], True)


@pytest.mark.parametrize(
    ("at", "months", "then"),
    [
        ("2026-01-31", 1, "2026-02-28"),
        ("2024-02-29", 12, "2025-02-28"),
        ("2026-12-15", 1, "2027-01-15"),
        ("2026-08-31", 120, "2036-08-31"),
    ],
)
def test_months_end_on_the_same_day_or_the_last(at: str, months: int, then: str) -> None:
    found = rules.add_months(datetime.fromisoformat(at).replace(tzinfo=UTC), months)
    assert found.date().isoformat() == then


@pytest.mark.parametrize(
    "changes",
    [
        {"title": ""},
        {"title": "x" * 201},
        {"title": "a\x00b"},
        {"title": "a\u202eb"},
        {"pass_percent": 0},
        {"pass_percent": 101},
        {"pass_percent": 2**63},
        {"validity_months": 0},
        {"attempts_allowed": -1},
        {"lessons": [{"key": "x", "title": "t"}]},
        {"questions": [question(1, options=["one"])]},
        {"questions": [question(1, options=["same", "same"])]},
        {"questions": [question(1, correct=[])]},
        {"questions": [question(1, kind="essay")]},
        {"nonsense": 1},
    ],
)
def test_what_makes_no_course_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        course_content(**changes)


@pytest.mark.parametrize(
    "address", ["http://a.example", "javascript:alert(1)", "https://", "https://a b", "https://["]
)
def test_a_video_is_a_safe_address(address: str) -> None:
    with pytest.raises(ValidationError):
        Lesson(key=new_key("l"), title="t", video_url=address)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({}, None),
        ({"lessons": []}, "Write at least one lesson."),
        ({"questions": []}, "Write at least one question for the quiz."),
        ({"drawn": 9}, "An attempt draws 9 questions, but there are 5."),
        ({"questions": [question(1, correct=[7])]}, "Mark what is right: “Question 1?”."),
        ({"questions": [question(1, correct=[0, 1])]}, "Mark what is right: “Question 1?”."),
    ],
)
def test_a_draft_says_what_keeps_it_from_being_published(
    changes: dict[str, Any], problem: str | None
) -> None:
    found = problems(course_content(**changes))
    assert (found[0] if found else None) == problem


def test_a_digest_changes_with_what_is_said() -> None:
    content = course_content()
    assert digest_of(content.lessons[0]) == digest_of(course_content().lessons[0])
    assert digest_of(content.lessons[0]) != digest_of(content.lessons[1])
    assert CourseContent.model_validate(content.as_data()) == content
