"""The forms. What is allowed is for the content and the services to say."""

from typing import Any

from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    DateField,
    HiddenField,
    IntegerField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
    URLField,
)
from wtforms.validators import InputRequired, NumberRange, Optional
from wtforms.widgets import CheckboxInput, ListWidget

from marketplace.accreditation.courses.content import (
    MOST_BODY,
    MOST_OPTIONS,
    MOST_QUESTIONS,
    CourseContent,
    Lesson,
    Question,
    QuestionKind,
)
from marketplace.identity.forms import at_most, choices_of, one_time_key
from marketplace.program.policy.document import Policy


def _whole(least: int, most: int) -> list[Any]:
    return [
        InputRequired("Enter a number."),
        NumberRange(least, most, f"From {least} to {most:,}."),
    ]


class NewCourseForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF is untyped
    """A new course: one, however often it is sent."""

    form_key = one_time_key()
    title = StringField("Title", [InputRequired("Give it a title."), at_most(200)])


class SettingsForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF is untyped
    """What a course is and how its quiz works."""

    seen = HiddenField()
    title = StringField("Title", [InputRequired("Give it a title."), at_most(200)])
    summary = TextAreaField("Summary", [at_most(2_000)])
    types = SelectMultipleField(
        "Kinds of partners",
        validate_choice=False,
        option_widget=CheckboxInput(),
        widget=ListWidget(prefix_label=False),
    )
    min_tier = SelectField("Lowest tier", validate_choice=False)
    validity_months = IntegerField(
        "Months that the credential is valid", [Optional(), NumberRange(1, 120, "From 1 to 120.")]
    )
    pass_percent = IntegerField("Percent to pass", _whole(1, 100))
    attempts_allowed = IntegerField("Attempts allowed", _whole(0, 50))
    wait_hours = IntegerField("Hours between attempts", _whole(0, 720))
    time_limit_minutes = IntegerField("Minutes for an attempt", _whole(0, 480))
    drawn = IntegerField("Questions for an attempt", _whole(0, MOST_QUESTIONS))
    is_certifying = BooleanField("Whoever passes counts as a certified person")
    is_trainer = BooleanField("Whoever passes may be registered as a trainer")

    def offer(self, policy: Policy | None) -> None:
        """The types and tiers to choose from; ones that are gone stay choosable."""
        types = {each.key: each.name for each in policy.types} if policy else {}
        tiers = {each.key: each.name for each in policy.tiers} if policy else {}
        for key in self.types.data or []:
            types.setdefault(key, key)
        if self.min_tier.data:
            tiers.setdefault(self.min_tier.data, self.min_tier.data)
        self.types.choices = choices_of(types.items())
        self.min_tier.choices = choices_of([("", "Every tier"), *tiers.items()])

    def show(self, content: CourseContent, seen: str) -> None:
        """Fill in a course."""
        for name in self.values():
            self[name].data = getattr(content, name)
        self.types.data = list(content.types)
        self.seen.data = seen

    def values(self) -> dict[str, Any]:
        """What was typed, by the content's names."""
        return {name: field.data for name, field in self._fields.items() if name in _SETTINGS}


_SETTINGS = frozenset(CourseContent.model_fields) - {"lessons", "questions"}


class LessonForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF is untyped
    """A lesson."""

    seen = HiddenField()
    title = StringField("Title", [InputRequired("Give it a title."), at_most(200)])
    body = TextAreaField("Text", [at_most(MOST_BODY)])
    video_url = URLField("Video", [at_most(500)])

    def show(self, lesson: Lesson, seen: str) -> None:
        """Fill in a lesson."""
        self.title.data, self.body.data = lesson.title, lesson.body
        self.video_url.data, self.seen.data = lesson.video_url, seen


class QuestionForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF is untyped
    """A question: its answers one a line, the right ones with a star in front."""

    seen = HiddenField()
    kind = RadioField(
        "How it is answered",
        choices=choices_of(
            [
                (QuestionKind.SINGLE.value, "One answer is right"),
                (QuestionKind.MULTIPLE.value, "Several answers are right"),
                (QuestionKind.TRUE_FALSE.value, "True or false"),
            ]
        ),
        default=QuestionKind.SINGLE.value,
        validate_choice=False,
    )
    text = TextAreaField("Question", [InputRequired("Ask something."), at_most(1_000)])
    options = TextAreaField("Answers", [InputRequired("Give answers."), at_most(2_000)])
    explanation = TextAreaField("Explanation", [at_most(2_000)])

    def show(self, question: Question, seen: str) -> None:
        """Fill in a question."""
        self.kind.data, self.text.data = question.kind.value, question.text
        self.options.data = "\n".join(
            ("* " if place in question.correct else "") + option
            for place, option in enumerate(question.options)
        )
        self.explanation.data, self.seen.data = question.explanation, seen

    def values(self) -> dict[str, Any]:
        """What was typed, by the content's names."""
        lines = [line.strip() for line in (self.options.data or "").splitlines() if line.strip()]
        return {
            "kind": self.kind.data or "",
            "text": self.text.data or "",
            "options": [line.removeprefix("*").strip() for line in lines[: MOST_OPTIONS + 1]],
            "correct": [place for place, line in enumerate(lines) if line.startswith("*")],
            "explanation": self.explanation.data or "",
        }


class TrainerForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF is untyped
    """Whom to register."""

    member = SelectField("Member", validate_choice=False)


class SessionForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF is untyped
    """A training that was held. `nonce` makes a second click harmless."""

    nonce = HiddenField()
    trainer = SelectField("Trainer", validate_choice=False)
    held_on = DateField("Day", [Optional()])
    title = StringField("What it was about", [at_most(200)])
    people = IntegerField("People who took part", [Optional()])
    notes = TextAreaField("Notes", [at_most(2_000)])
