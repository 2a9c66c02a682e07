"""What a course says, as one validated value: its rules, lessons and questions.

A draft may be incomplete; `problems` says what keeps it from being published. A published version
never changes, and an attempt is judged by the version that it was begun with.
"""

import enum
import hashlib
import json
import re
import secrets
from typing import Annotated, Any, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator

MOST_LESSONS = 60
MOST_QUESTIONS = 200
MOST_OPTIONS = 8
MOST_BODY = 40_000

Key = Annotated[str, StringConstraints(pattern=r"^[lq]_[0-9a-f]{12}$")]
Line = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]
Paragraph = Annotated[str, StringConstraints(max_length=2_000, strip_whitespace=True)]


# NUL, and what makes a text read as something it is not.
_UNFIT = re.compile(r"[\x00\u202a-\u202e\u2066-\u2069]")


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    @field_validator("*", mode="before")
    @classmethod
    def _storable(cls, value: Any) -> Any:
        if isinstance(value, str) and _UNFIT.search(value):
            raise ValueError("it holds a character that cannot be stored or turns the text round")
        return value


class QuestionKind(enum.StrEnum):
    """How a question is answered."""

    SINGLE = "single"
    MULTIPLE = "multiple"
    TRUE_FALSE = "true_false"


class Lesson(_Part):
    """A page of Markdown. `video_url` is linked, never embedded."""

    key: Key
    title: Line
    body: Annotated[str, StringConstraints(max_length=MOST_BODY)] = ""
    video_url: Annotated[str, StringConstraints(max_length=500, strip_whitespace=True)] = ""

    @field_validator("video_url")
    @classmethod
    def _is_https(cls, value: str) -> str:
        if value:
            try:
                parts = urlsplit(value)
            except ValueError:
                raise ValueError("this is not a valid address") from None
            if parts.scheme != "https" or not parts.netloc or any(c.isspace() for c in value):
                raise ValueError("the address must begin with https://")
        return value


class Question(_Part):
    """A question; `correct` are places in `options`."""

    key: Key
    kind: QuestionKind
    text: Annotated[str, StringConstraints(min_length=1, max_length=1_000, strip_whitespace=True)]
    options: tuple[Line, ...]
    correct: tuple[int, ...]
    explanation: Paragraph = ""

    @field_validator("options")
    @classmethod
    def _enough(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not 2 <= len(value) <= MOST_OPTIONS:
            raise ValueError(f"give from 2 to {MOST_OPTIONS} answers")
        if len(set(value)) != len(value):
            raise ValueError("an answer is there twice")
        return value

    @field_validator("correct")
    @classmethod
    def _some(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        if not value:
            raise ValueError("mark what is right")
        return tuple(sorted(set(value)))


class CourseContent(_Part):
    """A whole course. Zeros stand for no limit, and `drawn` 0 for all questions."""

    title: Line
    summary: Paragraph = ""
    # Types of partners that it is for, and the lowest tier; empty: everybody.
    types: tuple[str, ...] = ()
    min_tier: Annotated[str, StringConstraints(max_length=40)] = ""
    validity_months: int | None = Field(default=12, ge=1, le=120)
    pass_percent: int = Field(default=80, ge=1, le=100)
    attempts_allowed: int = Field(default=3, ge=0, le=50)
    wait_hours: int = Field(default=0, ge=0, le=720)
    time_limit_minutes: int = Field(default=0, ge=0, le=480)
    drawn: int = Field(default=0, ge=0, le=MOST_QUESTIONS)
    # Whoever passes counts among the certified people of the organization.
    is_certifying: bool = True
    # Whoever passes may be registered as a trainer.
    is_trainer: bool = False
    lessons: Annotated[tuple[Lesson, ...], Field(max_length=MOST_LESSONS)] = ()
    questions: Annotated[tuple[Question, ...], Field(max_length=MOST_QUESTIONS)] = ()

    def lesson(self, key: str) -> Lesson | None:
        """The lesson of that key."""
        return next((each for each in self.lessons if each.key == key), None)

    def question(self, key: str) -> Question | None:
        """The question of that key."""
        return next((each for each in self.questions if each.key == key), None)

    @property
    def questions_asked(self) -> int:
        """How many questions an attempt has."""
        return min(self.drawn, len(self.questions)) if self.drawn else len(self.questions)

    def with_changes(self, **changes: Any) -> Self:
        """A copy with other values, validated. Raises pydantic's ValidationError."""
        return type(self).model_validate({**self.as_data(), **changes})

    def as_data(self) -> dict[str, Any]:
        """The course as JSON."""
        return self.model_dump(mode="json")


def problems(content: CourseContent) -> list[str]:
    """What keeps a draft from being published, in sentences."""
    found = []
    if not content.lessons:
        found.append("Write at least one lesson.")
    found += [
        f"The lesson “{each.title}” is empty."
        for each in content.lessons
        if not each.body.strip() and not each.video_url
    ]
    if not content.questions:
        found.append("Write at least one question for the quiz.")
    for each in content.questions:
        wrong = [place for place in each.correct if not 0 <= place < len(each.options)]
        if wrong or (each.kind is not QuestionKind.MULTIPLE and len(each.correct) != 1):
            found.append(f"Mark what is right: “{each.text[:80]}”.")
    if content.drawn > len(content.questions):
        found.append(
            f"An attempt draws {content.drawn} questions, but there are {len(content.questions)}."
        )
    return found


def new_key(kind: str) -> str:
    """A key for a new lesson (`l`) or question (`q`)."""
    return f"{kind}_{secrets.token_hex(6)}"


def digest_of(part: BaseModel) -> str:
    """A short mark of what a part says, by which two editors notice each other."""
    text = json.dumps(part.model_dump(mode="json"), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]
