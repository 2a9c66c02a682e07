"""The form of each kind of thing that a policy's lists hold."""

from typing import Any

from wtforms import (
    IntegerField,
    SelectField,
    StringField,
)
from wtforms.validators import Optional

from marketplace.identity.forms import choices_of
from marketplace.program.policy.document import (
    Entitlement,
    EntitlementKind,
    Policy,
)
from marketplace.program.policy.item_form import (
    ItemForm,
)
from marketplace.program.policy.metric_forms import GoalForm, MetricForm
from marketplace.program.policy.tier_forms import BenefitForm, EntitlementForm, SpaceForm, TierForm
from marketplace.program.policy.type_forms import (
    QuestionForm,
    StageForm,
    StepForm,
    TaskForm,
    TypeForm,
)

FORMS: dict[str, type[ItemForm]] = {
    "types": TypeForm,
    "tiers": TierForm,
    "metrics": MetricForm,
    "entitlements": EntitlementForm,
    "benefits": BenefitForm,
    "goals": GoalForm,
    "spaces": SpaceForm,
    "form": QuestionForm,
    "stages": StageForm,
    "playbook": TaskForm,
    "getting_started": StepForm,
}


def form_for(kind: str, policy: Policy, **options: Any) -> ItemForm:
    """The form of a kind, with fields for the policy's entitlements and tiers."""
    extra: dict[str, Any] = {}
    if kind in {"types", "tiers"}:
        for each in policy.entitlements:
            extra[f"entitlements_{each.key}"] = _entitlement_field(each)
    if kind == "benefits":
        for tier in policy.tiers:
            extra[f"per_year_{tier.key}"] = IntegerField(tier.name, [Optional()])
    chosen = type(FORMS[kind].__name__, (FORMS[kind],), extra)
    form: ItemForm = chosen(**options)
    form.prepare(policy)
    return form


def _entitlement_field(entitlement: Entitlement) -> Any:
    words = entitlement.text
    if entitlement.kind is EntitlementKind.FLAG:
        return SelectField(
            entitlement.name,
            choices=choices_of([("", "Not said"), ("yes", "Yes"), ("no", "No")]),
            description=words,
            validate_choice=False,
        )
    return StringField(entitlement.name, description=words)
