"""What the forms of single things share.

`show(item, policy)` fills a form, `values(policy)` reads it back as the document keeps it, with
what cannot be read as problems at their fields.
"""

from typing import Any

from wtforms import (
    FieldList,
    IntegerField,
    SelectField,
    SelectMultipleField,
    StringField,
)

from marketplace.identity.forms import choices_of
from marketplace.program.policy.amounts import NumberError, as_typed, from_typed
from marketplace.program.policy.document import (
    EntitlementKind,
    Policy,
    Unit,
)
from marketplace.program.policy.documents import Problem
from marketplace.program.policy.editing import new_key
from marketplace.program.policy.forms import EditionForm, whole

Values = tuple[dict[str, Any], list[Problem]]


_KEY_HINT = "For files and addresses; made of the name when it is empty, and stays as it is."


def labels_of(labels: Any) -> list[Any]:
    return choices_of((str(value), label) for value, label in labels.items())


class ItemForm(EditionForm):
    """What all have: a key, which is given once."""

    key = StringField("Key", description=_KEY_HINT)
    # The field that names the thing.
    named_by = "name"

    def show(self, item: Any, policy: Policy) -> None:
        """Fill in the fields that are named as the item's are."""
        for name in type(item).model_fields:
            if name in self._fields and not isinstance(self._fields[name], FieldList):
                value = getattr(item, name)
                if isinstance(value, tuple):
                    value = (
                        list(value)
                        if isinstance(self._fields[name], SelectMultipleField)
                        else "\n".join(value)
                    )
                elif value is not None and isinstance(self._fields[name], SelectField):
                    value = str(value)
                self._fields[name].data = value

    def values(self, policy: Policy) -> Values:
        """Every field as it is."""
        problems: list[Problem] = []
        found: dict[str, Any] = {}
        for name, field in self._fields.items():
            if name in {"edition", "csrf_token", "key"}:
                continue
            if isinstance(field, IntegerField):
                found[name] = whole(self, name, problems)
            else:
                found[name] = field.data or "" if isinstance(field, StringField) else field.data
        return found, problems

    def key_for(self, taken: set[str]) -> str:
        """The key that was typed, or one made of the name."""
        typed = (self.key.data or "").strip()
        return typed or new_key(str(self._fields[self.named_by].data or ""), taken)

    def prepare(self, policy: Policy) -> None:
        """Offer what the policy has, before the form is read."""

    def without_nones(self, found: dict[str, Any], *names: str) -> None:
        """An empty field is as it is by default."""
        for name in names:
            if found.get(name) is None:
                found.pop(name, None)


def show_entitlements(form: Any, given: dict[str, int | bool | str], policy: Policy) -> None:
    """Fill the fields of entitlements."""
    for each in policy.entitlements:
        field, value = form[f"entitlements_{each.key}"], given.get(each.key)
        if each.kind is EntitlementKind.FLAG:
            field.data = "" if value is None else "yes" if value else "no"
        elif isinstance(value, int) and not isinstance(value, bool):
            unit = Unit.MONEY if each.kind is EntitlementKind.MONEY else Unit.COUNT
            field.data = as_typed(value, unit, policy.currency)
        else:
            field.data = "" if value is None else str(value)


def take_entitlements(
    form: Any, found: dict[str, Any], problems: list[Problem], policy: Policy
) -> dict[str, Any]:
    """`found` with its fields of entitlements as one mapping; what is empty is not given."""
    given: dict[str, int | bool | str] = {}
    for each in policy.entitlements:
        name = f"entitlements_{each.key}"
        typed = str(found.pop(name, "") or "").strip()
        if not typed:
            continue
        if each.kind is EntitlementKind.FLAG:
            given[each.key] = typed == "yes"
        elif each.kind is EntitlementKind.TEXT:
            given[each.key] = typed
        else:
            unit = Unit.MONEY if each.kind is EntitlementKind.MONEY else Unit.COUNT
            value = amount(form, name, unit, policy, problems)
            if value is not None:
                given[each.key] = value
    found["entitlements"] = given
    return found


def amount(form: Any, name: str, unit: Unit, policy: Policy, problems: list[Problem]) -> int | None:
    """The amount in a field, None when it is empty or cannot be read (noted as a problem)."""
    typed = str(form[name].data or "").strip()
    if not typed:
        return None
    try:
        return from_typed(typed, unit, policy.currency)
    except NumberError as error:
        problems.append(Problem((name,), str(error)))
        return None
