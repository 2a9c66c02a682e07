"""The forms. What is allowed is for the services to say; here fields are shaped and read."""

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from flask import request
from flask_wtf import FlaskForm
from wtforms import (
    DateField,
    FieldList,
    Form,
    FormField,
    HiddenField,
    IntegerField,
    SelectField,
    StringField,
    TextAreaField,
    URLField,
)
from wtforms.validators import Optional

from billing.formatting import parse_amount
from marketplace.identity.forms import choices_of, one_time_key
from marketplace.program.applications.models import BusinessPlan, PlanActivity
from marketplace.program.applications.services.plans import Activity
from marketplace.program.applications.services.rounds import MOST_OF_A_BUDGET
from marketplace.program.applications.stages import criteria_of
from marketplace.program.applications.texts import plain_in_unit, typed_in_unit
from marketplace.program.applications.tracking import unit_of
from marketplace.program.applications.words import line
from marketplace.program.policy.document import Policy, Stage


def key_of(label: str, prefix: str = "question") -> str:
    """A key made of a label, like `why_do_you_apply`."""
    key = re.sub(r"[^a-z0-9]+", "_", label.lower().encode("ascii", "ignore").decode()).strip("_")
    key = key if key[:1].isalpha() else f"{prefix}_{key}".strip("_")
    return key[:40].rstrip("_") if len(key) > 1 else f"{prefix}_{key}"[:40]


def start_of(day: date | None) -> datetime | None:
    """The first moment of a day in UTC."""
    return datetime.combine(day, time(0), tzinfo=UTC) if day else None


def end_of(day: date | None) -> datetime | None:
    """The first moment after a day in UTC."""
    try:
        return start_of(day + timedelta(days=1)) if day else None
    except OverflowError:
        return None


def change_rows(form: Any, names: tuple[str, ...]) -> bool:
    """Add or remove a row of a list, for browsers without JavaScript; whether that was asked."""
    added, removed = request.form.get("add_row", ""), request.form.get("remove_row", "")
    if not added and not removed:
        return False
    for name in names:
        rows = form[name]
        if added == name:
            rows.append_entry()
        if removed.rpartition("-")[0] == name:
            kept = [entry.data for entry in rows.entries if entry.name != removed]
            while rows.entries:
                rows.pop_entry()
            for data in kept or [{}]:
                rows.append_entry(data)
    return True


class AnswerForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """The token of a form whose fields are questions."""


class QuestionForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """What the applicant is asked."""

    question = TextAreaField("Question")


class ReplyForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """What the applicant answers."""

    answer = TextAreaField("Your answer")


class ConflictForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """What connects a reviewer with the applicant."""

    reason = StringField("What connects you")


class AssignForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """Who is asked to review."""

    reviewer = SelectField("Reviewer", validate_choice=False)


class DecisionForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """A decision with its letter."""

    decision = HiddenField()
    award = StringField("Grant", description="Without tax. It is paid by milestones.")
    letter = TextAreaField("Letter")

    def award_in(self, currency: str) -> int | None:
        """The amount in minor units; None when nothing was typed.

        Raises AmountError for what is no amount.
        """
        typed = line(self.award.data)
        return parse_amount(typed, currency, most=MOST_OF_A_BUDGET) if typed else None


def score_form(stage: Stage) -> Any:
    """A form with a field for each criterion of a stage: `score_0`, `score_1`…"""
    fields: dict[str, Any] = {
        f"score_{place}": IntegerField(criterion, [Optional()])
        for place, criterion in enumerate(criteria_of(stage))
    }
    fields["comment"] = TextAreaField("Comment", description="Only the staff reads it.")
    return type("ScoreForm", (FlaskForm,), fields)


class FigureRow(Form):  # type: ignore[misc]  # wtforms has no types
    """One figure of an accelerator, or a goal of a plan."""

    metric = SelectField("Metric", validate_choice=False)
    target = StringField("Target")


def offer_metrics(rows: Any, policy: Policy | None) -> None:
    """Fill the metrics to choose from in each row."""
    metrics = [(each.key, each.name) for each in policy.metrics] if policy else []
    for entry in rows.entries:
        entry.form.metric.choices = choices_of([("", "Choose one"), *metrics])


def read_figures(rows: Any, policy: Policy | None) -> tuple[list[tuple[str, int]], str]:
    """Metrics with their targets, and what could not be read."""
    found: list[tuple[str, int]] = []
    problem = ""
    for row in rows.data:
        key = line(row["metric"])
        if not key:
            continue
        metric = policy.metric(key) if policy else None
        target = (
            typed_in_unit(line(row["target"]), unit_of(policy, metric))
            if policy and metric
            else None
        )
        if target is None:
            problem = "Choose a metric and enter a target for each, like 25 or 1,000.00."
        else:
            found.append((key, target))
    return found, problem


def show_figures(rows: Any, figures: list[dict[str, Any]], policy: Policy | None) -> None:
    """A row for each figure."""
    for each in figures:
        metric = policy.metric(each["metric"]) if policy else None
        unit = unit_of(policy, metric) if policy and metric else str(each.get("unit", "count"))
        rows.append_entry(
            {"metric": each["metric"], "target": plain_in_unit(int(each["target"]), unit)}
        )


class MilestoneForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """A milestone, or a criterion of a proof of concept: set once, however often it is sent."""

    form_key = one_time_key()
    title = StringField("What is shown")
    target = StringField("Target", description="In numbers, like “1,000 orders synced in a day”.")
    text = TextAreaField("More about it")
    amount = StringField("Paid for it")
    due_on = DateField("Due", [Optional()])


class EvidenceForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """Evidence for a milestone."""

    evidence = TextAreaField("Evidence", description="What you did, and how we can see it.")
    url = URLField("Link")


class NoteForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """A decision's note."""

    note = TextAreaField("Note", description="The partner reads it.")


class MoreTimeForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """A new day for a gate."""

    due_on = DateField("New day", [Optional()], description="To the end of that day, UTC.")


class MentorForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """Who mentors."""

    mentor = SelectField("Mentor", validate_choice=False)


class ActivityRow(Form):  # type: ignore[misc]  # wtforms has no types
    """An activity of a plan."""

    title = StringField("What is done")
    due_on = DateField("By", [Optional()])
    side = SelectField("Who", choices=choices_of((("partner", "We"), ("operator", "The platform"))))


class PlanForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """A business plan."""

    edition = HiddenField()
    summary = TextAreaField(
        "What we mean to do together", description="Markets, customers, products, and why."
    )
    goals = FieldList(FormField(FigureRow), max_entries=20)
    activities = FieldList(FormField(ActivityRow), max_entries=60)

    ROWS = ("goals", "activities")

    def offer(self, policy: Policy | None) -> None:
        """Fill the lists to choose from, and give each list of rows an empty one."""
        for name in self.ROWS:
            if not self[name].entries:
                self[name].append_entry()
        offer_metrics(self.goals, policy)

    def show(
        self, plan: BusinessPlan, activities: list[PlanActivity], policy: Policy | None
    ) -> None:
        """Fill it with what a plan says."""
        self.edition.data, self.summary.data = str(plan.edition), plan.summary
        show_figures(self.goals, plan.goals, policy)
        for each in activities:
            self.activities.append_entry(
                {"title": each.title, "due_on": each.due_on, "side": each.side}
            )

    def typed_activities(self) -> list[Activity]:
        """The activities that say something."""
        return [
            Activity(row["title"] or "", row["due_on"], row["side"] or "partner")
            for row in self.activities.data
            if line(row["title"]) or row["due_on"]
        ]
