"""Forms of tiers, and of what they give."""

from typing import Any

from wtforms import (
    BooleanField,
    FieldList,
    Form,
    FormField,
    IntegerField,
    SelectField,
    SelectMultipleField,
    StringField,
)
from wtforms.validators import Optional

from marketplace.identity.forms import choices_of
from marketplace.program.policy.amounts import NumberError, as_typed, from_typed
from marketplace.program.policy.document import (
    Benefit,
    Policy,
    Space,
    Tier,
    Unit,
)
from marketplace.program.policy.documents import Problem
from marketplace.program.policy.item_form import (
    ItemForm,
    Values,
    amount,
    labels_of,
    show_entitlements,
    take_entitlements,
)
from marketplace.program.policy.words import (
    ENTITLEMENT_KIND,
)


class RequirementForm(Form):  # type: ignore[misc]  # wtforms has no types
    """What a tier asks for."""

    metric = SelectField("Metric", validate_choice=False)
    threshold = StringField("Threshold")
    types = SelectMultipleField("Only for", validate_choice=False)


class TierForm(ItemForm):
    """A tier."""

    name = StringField("Name")
    summary = StringField("Summary")
    points = IntegerField("Points", [Optional()], description="Needed beside every requirement.")
    yearly_cost = StringField(
        "Cost in a year", description="What a partner of this tier costs us. Not shown to partners."
    )
    types = SelectMultipleField(
        "Who can reach it",
        description="None ticked: partners of every type.",
        validate_choice=False,
    )
    requirements = FieldList(FormField(RequirementForm), "Requirements", max_entries=50)

    def sections(self) -> list[tuple[str, str, list[str]]]:
        """The tier, what it asks for, and what it gives."""
        given = [name for name in self._fields if name.startswith("entitlements_")]
        found = [
            ("Tier", "", ["name", "key", "summary", "yearly_cost", "types"]),
            ("What it asks for", "All of it must be met.", ["points", "requirements"]),
        ]
        if given:
            found.append(("What it gives", "On top of what lower tiers give.", given))
        return found

    def prepare(self, policy: Policy) -> None:
        """Types and metrics of the policy."""
        kinds = [(each.key, each.name) for each in policy.types]
        self.types.choices = choices_of(kinds)
        self._offer(policy)

    def _offer(self, policy: Policy) -> None:
        metrics = [("", "–"), *((each.key, each.name) for each in policy.metrics)]
        for row in self.requirements.entries:
            row.form.metric.choices = choices_of(metrics)
            row.form.types.choices = choices_of((each.key, each.name) for each in policy.types)

    def change_rows(self, added: str, removed: str) -> None:
        """Rows lose their choices; `prepare` gives them back."""
        super().change_rows(added, removed)

    def show(self, item: Tier, policy: Policy) -> None:
        """Amounts in their unit."""
        super().show(item, policy)
        self.yearly_cost.data = as_typed(item.yearly_cost, Unit.MONEY, policy.currency)
        while self.requirements.entries:
            self.requirements.pop_entry()
        for each in item.requirements:
            metric = policy.metric(each.metric)
            unit = metric.unit if metric else Unit.COUNT
            self.requirements.append_entry(
                {
                    "metric": each.metric,
                    "threshold": as_typed(each.threshold, unit, policy.currency),
                    "types": list(each.types),
                }
            )
        self.show_rows(policy)
        show_entitlements(self, item.entitlements, policy)

    def show_rows(self, policy: Policy) -> None:
        """At least one row, each with its choices."""
        if not self.requirements.entries:
            self.requirements.append_entry({})
        self._offer(policy)

    def values(self, policy: Policy) -> Values:
        """Rows that are empty are left out; problems stay at the rows that are shown."""
        found, problems = super().values(policy)
        found["points"] = found["points"] or 0
        found["yearly_cost"] = amount(self, "yearly_cost", Unit.MONEY, policy, problems) or 0
        kept = [row for row in self.requirements.entries if _is_filled(row)]
        while self.requirements.entries:
            self.requirements.pop_entry()
        rows: list[dict[str, Any]] = []
        for row in kept:
            data = row.data
            self.requirements.append_entry(data)
            rows.append(self._requirement(data, len(rows), policy, problems))
        found["requirements"] = rows
        return take_entitlements(self, found, problems, policy), problems

    def _requirement(
        self, data: dict[str, Any], index: int, policy: Policy, problems: list[Problem]
    ) -> dict[str, Any]:
        metric = policy.metric(data["metric"] or "")
        if metric is None:
            problems.append(Problem(("requirements", index, "metric"), "Choose a metric."))
        unit = metric.unit if metric else Unit.COUNT
        try:
            threshold = from_typed(data["threshold"] or "", unit, policy.currency)
        except NumberError as error:
            problems.append(Problem(("requirements", index, "threshold"), str(error)))
            threshold = 0
        return {
            "metric": data["metric"] or "",
            "threshold": threshold,
            "types": list(data["types"] or []),
        }


class EntitlementForm(ItemForm):
    """Something that types and tiers may give."""

    name = StringField("Name")
    kind = SelectField("Kind", choices=labels_of(ENTITLEMENT_KIND), validate_choice=False)
    text = StringField("Explanation")
    announced = BooleanField(
        "Comes later",
        description="Until this is taken away nobody is given it, and partners are not shown it.",
    )


class BenefitForm(ItemForm):
    """Something that a partner claims."""

    name = StringField("Name")
    text = StringField("What one gets")
    used_by = StringField(
        "Used when",
        description="The fact or the measure that shows it is used, such as sandbox.made or "
        "measure:certified_people. Partners that have not used it are reminded.",
    )

    def sections(self) -> list[tuple[str, str, list[str]]]:
        """With how many a tier may claim."""
        claims = [name for name in self._fields if name.startswith("per_year_")]
        return [
            ("Benefit", "", ["name", "key", "text", "used_by"]),
            (
                "Claims in a calendar year",
                "How many a partner of each tier may claim. Empty: as many as the tier below it; "
                "0: none.",
                claims,
            ),
        ]

    def show(self, item: Benefit, policy: Policy) -> None:
        """A field for each tier."""
        super().show(item, policy)
        for tier in policy.tiers:
            self._fields[f"per_year_{tier.key}"].data = item.per_year.get(tier.key)

    def values(self, policy: Policy) -> Values:
        """What is empty is as it is for the tier below; 0 is none, whatever a lower tier has."""
        found, problems = super().values(policy)
        per_year = {}
        for tier in policy.tiers:
            number = found.pop(f"per_year_{tier.key}")
            if number is not None and not 0 <= number <= 10_000:
                problems.append(Problem((f"per_year_{tier.key}",), "From 0 to 10,000."))
            elif number is not None:
                per_year[tier.key] = number
        found["per_year"] = per_year
        return found, problems


class SpaceForm(ItemForm):
    """Rights in a space of the community."""

    name = StringField("Name")
    see = SelectField("Who may see it", validate_choice=False)
    reply = SelectField("Who may reply", validate_choice=False)
    create = SelectField("Who may start a topic", validate_choice=False)

    def prepare(self, policy: Policy) -> None:
        """Each tier and those above it."""
        tiers = [
            ("", "Any partner"),
            *((each.key, f"{each.name} and above") for each in policy.tiers),
        ]
        for field in (self.see, self.reply, self.create):
            field.choices = choices_of(tiers)

    def show(self, item: Space, policy: Policy) -> None:
        """Nothing chosen: any partner."""
        super().show(item, policy)
        for name in ("see", "reply", "create"):
            self._fields[name].data = getattr(item, name) or ""

    def values(self, policy: Policy) -> Values:
        """Nothing chosen: any partner."""
        found, problems = super().values(policy)
        for name in ("see", "reply", "create"):
            found[name] = found[name] or None
        return found, problems


def _is_filled(row: Any) -> bool:
    return bool(row.form.metric.data or (row.form.threshold.data or "").strip())
