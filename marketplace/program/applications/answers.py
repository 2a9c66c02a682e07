"""Answers to the questions of a form: read from a request, checked, and shown again.

The name of a question's control is `answer_<key>`. Answers are JSON: texts are strings, numbers are
integers, several choices are a list, a ticked box is True, a date is `2026-05-01`. A question that
was not asked (its `when_field` says otherwise) has no answer.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from werkzeug.datastructures import MultiDict

from marketplace.identity.countries import COUNTRIES
from marketplace.program.applications.words import is_email, is_web_address, line, paragraphs
from marketplace.program.policy.document import FieldKind, FormField

MOST_OF_A_TEXT = 300
MOST_OF_A_LONG_TEXT = 5_000
MOST_OF_A_NUMBER = 10**12
YES_VALUE = "yes"


def control_name(key: str) -> str:
    """The name of a question's control in the form."""
    return f"answer_{key}"


def is_asked(field: FormField, answers: Mapping[str, Any]) -> bool:
    """Whether a question is asked, by the answers before it."""
    if field.when_field is None:
        return True
    return any(each in field.when_is for each in _as_texts(answers.get(field.when_field)))


def read_answers(
    form: Iterable[FormField], request_values: MultiDict[str, str]
) -> tuple[dict[str, Any], dict[str, str]]:
    """The answers and what is wrong with them, each by the question's key.

    A wrong answer is among the answers as it was typed, so that it can be shown again.
    """
    answers: dict[str, Any] = {}
    errors: dict[str, str] = {}
    for field in form:
        if not is_asked(field, answers):
            continue
        typed = request_values.getlist(control_name(field.key))
        value, problem = _read(field, typed)
        if value not in ("", [], None, False):
            answers[field.key] = value
        elif field.required and not problem:
            problem = _missing(field)
        if problem:
            errors[field.key] = problem
    return answers, errors


def shown_answers(
    form: Iterable[FormField], answers: Mapping[str, Any]
) -> list[tuple[FormField, str]]:
    """The questions that were asked with their answers in words, empty for no answer."""
    return [
        (field, _in_words(field, answers.get(field.key)))
        for field in form
        if is_asked(field, answers)
    ]


def form_of(data: Iterable[Mapping[str, Any]]) -> tuple[FormField, ...]:
    """The form that is frozen in a row."""
    return tuple(FormField.model_validate(each) for each in data)


def _read(field: FormField, typed: list[str]) -> tuple[Any, str]:
    first = typed[0] if typed else ""
    kind = field.kind
    if kind is FieldKind.YES:
        return bool(line(first)), ""
    if kind is FieldKind.CHOICES:
        chosen = list(dict.fromkeys(line(each) for each in typed if line(each)))
        known = [each for each in chosen if each in field.options]
        return known, "" if known == chosen else "Choose from the list."
    if kind is FieldKind.LONG_TEXT:
        text = paragraphs(first)
        return text, _too_long(text, MOST_OF_A_LONG_TEXT)
    text = line(first)
    if not text:
        return "", ""
    if kind is FieldKind.NUMBER:
        return _number(text)
    return text, _problem_of_line(kind, field, text)


def _problem_of_line(kind: FieldKind, field: FormField, text: str) -> str:
    if kind is FieldKind.CHOICE:
        return "" if text in field.options else "Choose from the list."
    if kind is FieldKind.COUNTRY:
        return "" if text in COUNTRIES else "Choose a country from the list."
    if kind is FieldKind.URL:
        return "" if is_web_address(text) else "Enter a whole address, like https://example.com."
    if kind is FieldKind.EMAIL:
        return "" if is_email(text) else "Enter an e-mail address, like you@example.com."
    if kind is FieldKind.DATE:
        return "" if _is_date(text) else "Enter a date, like 2026-05-01."
    return _too_long(text, MOST_OF_A_TEXT)


def _number(text: str) -> tuple[Any, str]:
    plain = text.replace(",", "").replace(" ", "")
    digits = plain.removeprefix("-")
    if not digits.isascii() or not digits.isdigit() or len(digits) > 15:
        return text[:40], "Enter a whole number."
    number = int(plain)
    if abs(number) > MOST_OF_A_NUMBER:
        return text[:40], f"Enter a number up to {MOST_OF_A_NUMBER:,}."
    # Nought is an answer, and not an empty one.
    return str(number) if number == 0 else number, ""


def _is_date(text: str) -> bool:
    try:
        return len(text) == 10 and 1900 <= date.fromisoformat(text).year <= 2200
    except ValueError:
        return False


def _too_long(text: str, most: int) -> str:
    return f"Use at most {most:,} characters." if len(text) > most else ""


def _missing(field: FormField) -> str:
    if field.kind is FieldKind.YES:
        return "Tick the box to go on."
    if field.kind in {FieldKind.CHOICE, FieldKind.CHOICES, FieldKind.COUNTRY}:
        return "Choose one." if field.kind is not FieldKind.CHOICES else "Choose at least one."
    return "Enter an answer."


def _as_texts(value: Any) -> list[str]:
    if value is True:
        return [YES_VALUE]
    if isinstance(value, list):
        return [str(each) for each in value]
    return [] if value in (None, False, "") else [str(value)]


def _in_words(field: FormField, value: Any) -> str:
    if field.kind is FieldKind.COUNTRY:
        return COUNTRIES.get(str(value), str(value or ""))
    if field.kind is FieldKind.YES:
        return "Yes" if value else "No"
    if field.kind is FieldKind.NUMBER and isinstance(value, int):
        return f"{value:,}"
    return ", ".join(_as_texts(value))
