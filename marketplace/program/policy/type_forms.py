"""Forms of a type of partner, and of what its lists hold."""

from wtforms import (
    BooleanField,
    IntegerField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.validators import Optional

from marketplace.identity.forms import choices_of
from marketplace.program.modules import MODULES
from marketplace.program.policy.document import FormField as Question
from marketplace.program.policy.document import (
    PartnerType,
    Policy,
)
from marketplace.program.policy.documents import Problem
from marketplace.program.policy.forms import lines
from marketplace.program.policy.item_form import (
    ItemForm,
    Values,
    labels_of,
    show_entitlements,
    take_entitlements,
)
from marketplace.program.policy.words import (
    ENTRY,
    FIELD_KIND,
    SIDE,
)


class TypeForm(ItemForm):
    """A type of partner."""

    name = StringField("Name")
    summary = StringField("Summary", description="One sentence on who this is for.")
    entry = SelectField("How one joins", choices=labels_of(ENTRY), validate_choice=False)
    is_open = BooleanField("Open for new partners", default=True)
    modules = SelectMultipleField(
        "Parts of the portal",
        choices=choices_of((key, f"{each.name}: {each.text}") for key, each in MODULES.items()),
        description="None ticked: all of them.",
        validate_choice=False,
    )
    provisional_days = IntegerField(
        "Days to get certified",
        [Optional()],
        description="Who has certified nothing by then lapses. Empty: never.",
    )
    earns_commission = BooleanField("Earns commission", default=True)

    def sections(self) -> list[tuple[str, str, list[str]]]:
        """The type, its portal, and what it gives."""
        given = [name for name in self._fields if name.startswith("entitlements_")]
        found = [
            ("Type", "", ["name", "key", "summary", "entry", "is_open", "provisional_days"]),
            ("Portal and money", "", ["modules", "earns_commission"]),
        ]
        if given:
            words = "What every partner of the type has, at any tier."
            found.append(("Entitlements", words, given))
        return found

    def show(self, item: PartnerType, policy: Policy) -> None:
        """With entitlements."""
        super().show(item, policy)
        show_entitlements(self, item.entitlements, policy)

    def values(self, policy: Policy) -> Values:
        """With entitlements."""
        found, problems = super().values(policy)
        return take_entitlements(self, found, problems, policy), problems


class QuestionForm(ItemForm):
    """A question of an application's form."""

    named_by = "label"
    label = StringField("Question")
    kind = SelectField("Kind of answer", choices=labels_of(FIELD_KIND), validate_choice=False)
    required = BooleanField("Must be answered", default=True)
    hint = StringField("Hint")
    options = TextAreaField("Options", description="One on each line, for choices alone.")
    when_field = SelectField("Asked when the answer to", validate_choice=False)
    when_is = TextAreaField("Is one of", description="One on each line.")

    def offer(self, keys: list[tuple[str, str]]) -> None:
        """The other questions that this one can depend on."""
        self.when_field.choices = choices_of([("", "Always asked"), *keys])

    def prepare(self, policy: Policy) -> None:
        """Until `offer` says more: nothing to depend on."""
        self.offer([])

    def show(self, item: Question, policy: Policy) -> None:
        """Nothing chosen: always asked."""
        super().show(item, policy)
        self.when_field.data = item.when_field or ""

    def values(self, policy: Policy) -> Values:
        """Lines as lists."""
        found, problems = super().values(policy)
        found["options"], found["when_is"] = lines(found["options"]), lines(found["when_is"])
        found["when_field"] = found["when_field"] or None
        if found["when_field"] is None:
            found["when_is"] = []
        elif not found["when_is"]:
            problems.append(Problem(("when_is",), "Say which answers it depends on."))
        return found, problems


class StageForm(ItemForm):
    """A stage of an application."""

    name = StringField("Name")
    reviewers = IntegerField(
        "Reviewers", [Optional()], default=0, description="0: one decision is enough."
    )
    pass_score = IntegerField(
        "Least mean score in percent", [Optional()], default=0, description="0: scores only inform."
    )
    criteria = TextAreaField("Criteria", description="One on each line.")

    def values(self, policy: Policy) -> Values:
        """Lines as a list."""
        found, problems = super().values(policy)
        found["criteria"] = lines(found["criteria"])
        self.without_nones(found, "reviewers", "pass_score")
        return found, problems


class TaskForm(ItemForm):
    """A task of the playbook."""

    named_by = "title"
    title = StringField("Title")
    text = StringField("Text")
    side = SelectField("Who does it", choices=labels_of(SIDE), validate_choice=False)
    due_days = IntegerField("Days after joining", [Optional()], default=7)


class StepForm(ItemForm):
    """A step of getting started."""

    named_by = "title"
    title = StringField("Title")
    text = StringField("Text")
    done_by = StringField(
        "Done by",
        description="The fact that ticks it, such as sandbox.made, or measure: with a measure, "
        "such as measure:certified_people.",
    )
    link = StringField("Page", description="A path here, such as /partner/sandbox.")
