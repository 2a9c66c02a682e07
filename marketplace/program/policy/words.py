"""A policy in words: its fields, its choices and its amounts."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from marketplace.program.measures import Measure
from marketplace.program.modules import MODULES
from marketplace.program.policy.amounts import counted, in_words, rate_as_typed
from marketplace.program.policy.document import (
    EntitlementKind,
    Entry,
    FieldKind,
    Goal,
    How,
    Metric,
    Policy,
    Requirement,
    Unit,
)

PARTS: dict[str, str] = {
    "types": "Types of partners",
    "tiers": "Tiers",
    "metrics": "Metrics",
    "entitlements": "Entitlements",
    "benefits": "Benefits",
    "goals": "Goals",
    "spaces": "Community spaces",
}
INNER_PARTS: dict[str, str] = {
    "form": "Questions",
    "stages": "Stages",
    "playbook": "Playbook",
    "getting_started": "Getting started",
}
ENTRY = {
    Entry.INSTANT: "At once",
    Entry.EMAIL: "Once an address is confirmed",
    Entry.APPLICATION: "By an application that we decide",
}
UNIT = {
    Unit.COUNT: "A count",
    Unit.MONEY: "Money, in the currency of the policy",
    Unit.STARS: "Stars",
    Unit.MINUTES: "Minutes",
    Unit.DAYS: "Days",
    Unit.PERCENT: "Percent",
}
HOW = {
    How.SUM: "The sum within its window",
    How.LEVEL: "What stands now",
    How.COUNT: "How often within its window",
    How.AVERAGE: "The average within its window",
    How.AGE: "Days since the newest",
}
FIELD_KIND = {
    FieldKind.TEXT: "Short text",
    FieldKind.LONG_TEXT: "Long text",
    FieldKind.CHOICE: "One of several",
    FieldKind.CHOICES: "Some of several",
    FieldKind.NUMBER: "Number",
    FieldKind.URL: "Web address",
    FieldKind.EMAIL: "Mail address",
    FieldKind.DATE: "Day",
    FieldKind.YES: "Box to tick",
    FieldKind.COUNTRY: "Country",
}
ENTITLEMENT_KIND = {
    EntitlementKind.FLAG: "Yes or no",
    EntitlementKind.LIMIT: "How many",
    EntitlementKind.MONEY: "An amount of money",
    EntitlementKind.TEXT: "A text",
}
SIDE = {"partner": "The partner", "operator": "Our staff"}
MEASURE: dict[str, str] = {
    Measure.LEADS_ACCEPTED: "Leads accepted",
    Measure.LEADS_QUALIFIED: "Leads qualified",
    Measure.DEALS_WON: "Deals won",
    Measure.DEALS_SOURCED: "Value of deals sourced",
    Measure.DEALS_ASSISTED: "Value of deals assisted",
    Measure.NET_REVENUE: "Net revenue",
    Measure.CERTIFIED_PEOPLE: "Certified people",
    Measure.CERTIFIED_LISTINGS: "Certified listings",
    Measure.LISTINGS: "Published listings",
    Measure.INSTALLS: "Live installations",
    Measure.RATING: "Ratings",
    Measure.RESPONSE_MINUTES: "Minutes to answer",
    Measure.TRAINING_SESSIONS: "Training sessions",
    Measure.TRAINERS: "Registered trainers",
    Measure.MANAGERS: "Partner managers",
    Measure.EVIDENCE: "Evidence of managed services",
    Measure.PLANS: "Approved business plans",
    Measure.VERIFIED: "Verification",
    Measure.VIEWS: "Views of placements",
    Measure.PARTNERS_INVITED: "Partners invited",
    Measure.ACTIVITY: "Days of activity",
    Measure.CASE_STUDIES: "Case studies",
}
# Fields as a person knows them; others are their own name.
FIELDS: dict[str, str] = {
    "summary": "Summary",
    "name": "Name",
    "title": "Title",
    "text": "Text",
    "entry": "How one joins",
    "is_open": "Open for new partners",
    "modules": "Parts of the portal",
    "provisional_days": "Days to get certified",
    "earns_commission": "Earns commission",
    "entitlements": "Entitlements",
    "announced": "Comes later",
    "label": "Question",
    "kind": "Kind",
    "required": "Must be answered",
    "hint": "Hint",
    "options": "Options",
    "when_field": "Asked when the answer to",
    "when_is": "Is one of",
    "reviewers": "Reviewers",
    "pass_score": "Least mean score",
    "criteria": "Criteria",
    "side": "Who does it",
    "due_days": "Days after joining",
    "done_by": "Done by",
    "link": "Page",
    "measure": "Measured by",
    "how": "Counted as",
    "unit": "Unit",
    "window_days": "Window",
    "higher_is_better": "Higher is better",
    "points": "Points",
    "per": "For each",
    "cap": "At most",
    "effort": "Hours of work for one step",
    "requirements": "Requirements",
    "threshold": "Threshold",
    "types": "For types",
    "yearly_cost": "Cost in a year",
    "per_year": "Claims in a year",
    "used_by": "Used when",
    "target": "Target",
    "see": "See",
    "reply": "Reply",
    "create": "Start a topic",
    "currency": "Currency",
    "rates": "Rates",
    "grace_days": "Days of grace",
}


# Measures whose amounts are money.
MONEY_MEASURES = frozenset({Measure.NET_REVENUE, Measure.DEALS_SOURCED, Measure.DEALS_ASSISTED})


def is_money(goal: Goal) -> bool:
    """Whether a goal's target is an amount of money."""
    return counts_money(goal.measure, goal.how)


def counts_money(measure: str, how: str) -> bool:
    """Whether a measure, counted that way, is an amount of money."""
    return measure in MONEY_MEASURES and how in {How.SUM, How.LEVEL, How.AVERAGE}


def field_name(name: str) -> str:
    """A field in words."""
    return FIELDS.get(name, name.replace("_", " ").capitalize())


def measure_name(key: str) -> str:
    """A measure in words."""
    return MEASURE.get(key, key.replace("_", " ").capitalize())


def name_of(policy: Policy, part: str, key: str) -> str:
    """The name of a type, tier, metric, entitlement; its key where there is none such."""
    found = next((each for each in getattr(policy, part) if each.key == key), None)
    return key if found is None else str(getattr(found, "name", key))


def value_words(policy: Policy, item: BaseModel | None, field: str, value: Any) -> str:
    """The value of an item's field in words: amounts in their unit, keys as names."""
    if value is None:
        if field == "window_days":
            return "All time"
        if field in {"see", "reply", "create"}:
            return "Any partner"
        return "Never" if field == "provisional_days" else "None"
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, Mapping):
        return _mapping_words(policy, field, value)
    if isinstance(value, tuple | list):
        return _list_words(policy, field, value)
    if isinstance(value, int):
        return _number_words(policy, item, field, value)
    return _text_words(policy, field, value)


def entitlement_words(policy: Policy, key: str, value: int | bool | str) -> str:
    """An entitlement's value: Yes, 5, €2,000.00, a text."""
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, int):
        found = next((each for each in policy.entitlements if each.key == key), None)
        money = found is not None and found.kind is EntitlementKind.MONEY
        return in_words(value, Unit.MONEY if money else Unit.COUNT, policy.currency)
    return value


def requirement_words(policy: Policy, requirement: Requirement) -> str:
    """What a requirement asks for: `Certified people: at least 3 (Agency, Reseller)`."""
    metric = policy.metric(requirement.metric)
    name = metric.name if metric else requirement.metric
    unit = metric.unit if metric else Unit.COUNT
    direction = "at least" if metric is None or metric.higher_is_better else "at most"
    amount = in_words(requirement.threshold, unit, policy.currency)
    types = ", ".join(name_of(policy, "types", key) for key in requirement.types)
    return f"{name}: {direction} {amount}" + (f" ({types})" if types else "")


def points_words(policy: Policy, metric: Metric) -> str:
    """What a metric gives: `1 point for each €500.00, at most 200`, `2 points for each one`; empty
    when it gives none."""
    if not metric.points:
        return ""
    counts_ones = metric.unit is Unit.COUNT and metric.per == 1
    each = "one" if counts_ones else in_words(metric.per, metric.unit, policy.currency)
    cap = "" if metric.cap is None else f", at most {metric.cap:,}"
    return f"{counted(metric.points, 'point')} for each {each}{cap}"


def _mapping_words(policy: Policy, field: str, value: Mapping[str, Any]) -> str:
    if not value:
        return "None"
    if field == "rates":
        pairs = [(key, rate_as_typed(rate)) for key, rate in value.items()]
    elif field == "per_year":
        pairs = [(name_of(policy, "tiers", key), f"{each:,}") for key, each in value.items()]
    else:
        pairs = [
            (name_of(policy, "entitlements", key), entitlement_words(policy, key, each))
            for key, each in value.items()
        ]
    return ", ".join(f"{key}: {each}" for key, each in pairs)


def _list_words(policy: Policy, field: str, value: Any) -> str:
    if not value:
        return {"modules": "All parts", "types": "All types"}.get(field, "None")
    if field == "requirements":
        return "; ".join(requirement_words(policy, each) for each in value)
    if field == "modules":
        return ", ".join(MODULES[each].name if each in MODULES else each for each in value)
    if field == "types":
        return ", ".join(name_of(policy, "types", each) for each in value)
    return ", ".join(str(each) for each in value)


def _number_words(policy: Policy, item: BaseModel | None, field: str, value: int) -> str:
    if field == "yearly_cost" or (field == "target" and isinstance(item, Goal) and is_money(item)):
        return in_words(value, Unit.MONEY, policy.currency)
    if field == "per" and isinstance(item, Metric):
        return in_words(value, item.unit, policy.currency)
    if field.endswith("_days"):
        return counted(value, "day")
    if field == "pass_score":
        return f"{value}%"
    return f"{value:,}"


def _text_words(policy: Policy, field: str, value: Any) -> str:
    known: dict[str, Mapping[Any, str]] = {
        "entry": ENTRY,
        "unit": UNIT,
        "how": HOW,
        "measure": MEASURE,
        "side": SIDE,
    }
    if field in known:
        return known[field].get(value, str(value))
    if field == "kind":
        return FIELD_KIND.get(value) or ENTITLEMENT_KIND.get(value) or str(value)
    if field in {"see", "reply", "create"}:
        return name_of(policy, "tiers", value)
    return str(value) or "Empty"
