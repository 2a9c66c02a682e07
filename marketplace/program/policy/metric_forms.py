"""Forms of metrics and goals."""

from wtforms import (
    BooleanField,
    IntegerField,
    SelectField,
    StringField,
)
from wtforms.validators import Optional

from marketplace.program.policy.amounts import as_typed
from marketplace.program.policy.document import (
    Goal,
    Metric,
    Policy,
    Unit,
)
from marketplace.program.policy.item_form import ItemForm, Values, amount, labels_of
from marketplace.program.policy.words import (
    HOW,
    MEASURE,
    UNIT,
    counts_money,
    is_money,
)


class MetricForm(ItemForm):
    """A number about a partner."""

    name = StringField("Name")
    measure = SelectField("Measured by", choices=labels_of(MEASURE), validate_choice=False)
    how = SelectField("Counted as", choices=labels_of(HOW), validate_choice=False)
    unit = SelectField("Unit", choices=labels_of(UNIT), validate_choice=False)
    window_days = IntegerField(
        "Window in days", [Optional()], default=365, description="Empty: all time."
    )
    higher_is_better = BooleanField("Higher is better", default=True)
    points = IntegerField("Points", [Optional()], default=0, description="0: no points.")
    per = StringField("For each", default="1", description="In the unit above.")
    cap = IntegerField("At most (points)", [Optional()], description="Empty: without a limit.")
    effort = IntegerField(
        "Hours of work for one step",
        [Optional()],
        default=8,
        description="The way to the next tier that costs least is found by it.",
    )
    text = StringField("Explanation")

    def sections(self) -> list[tuple[str, str, list[str]]]:
        """What it counts, and what for."""
        return [
            (
                "What it counts",
                "",
                [
                    "name",
                    "key",
                    "text",
                    "measure",
                    "how",
                    "unit",
                    "window_days",
                    "higher_is_better",
                ],
            ),
            ("Points", "", ["points", "per", "cap", "effort"]),
        ]

    def show(self, item: Metric, policy: Policy) -> None:
        """`per` in the metric's unit."""
        super().show(item, policy)
        self.per.data = as_typed(item.per, item.unit, policy.currency)

    def values(self, policy: Policy) -> Values:
        """`per` in the unit that was chosen."""
        found, problems = super().values(policy)
        chosen = found["unit"] if found["unit"] in {each.value for each in Unit} else "count"
        found["per"] = amount(self, "per", Unit(chosen), policy, problems) or 1
        found["points"] = found["points"] or 0
        self.without_nones(found, "effort")
        return found, problems


class GoalForm(ItemForm):
    """What we want of the whole program in a calendar year."""

    name = StringField("Name")
    measure = SelectField("Measured by", choices=labels_of(MEASURE), validate_choice=False)
    how = SelectField("Counted as", choices=labels_of(HOW), validate_choice=False)
    target = StringField("Target", description="Money in the currency of the policy.")

    def show(self, item: Goal, policy: Policy) -> None:
        """The target in its unit."""
        super().show(item, policy)
        unit = Unit.MONEY if is_money(item) else Unit.COUNT
        self.target.data = as_typed(item.target, unit, policy.currency)

    def values(self, policy: Policy) -> Values:
        """The target in the unit of the measure."""
        found, problems = super().values(policy)
        unit = Unit.MONEY if counts_money(found["measure"], found["how"]) else Unit.COUNT
        found["target"] = amount(self, "target", unit, policy, problems) or 0
        return found, problems
