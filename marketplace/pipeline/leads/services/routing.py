"""The routing rules, as staff edit them."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select

from marketplace.catalogue.content import clean_text
from marketplace.core.database import db
from marketplace.core.errors import InvalidError
from marketplace.core.locks import lock_row
from marketplace.core.once import id_of_form
from marketplace.identity.countries import COUNTRIES
from marketplace.identity.sent_forms import sent_before
from marketplace.pipeline.leads.models import Method, RoutingRule
from marketplace.pipeline.leads.services.offering import fact_of_routing

MOST_RULES = 100


@dataclass(frozen=True)
class RuleTerms:
    """What a rule says, as it was typed."""

    name: str
    countries: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    partner_types: tuple[str, ...] = ()
    same_country: bool = False
    least_tier: str = ""
    capacity: int | None = None
    method: str = Method.ROUND_ROBIN.value
    weights: str = ""
    answer_hours: int = 48
    is_active: bool = True


def save_rule(
    terms: RuleTerms,
    rule: RoutingRule | None = None,
    *,
    known: dict[str, set[str]],
    by_user_id: int | None,
    form_key: str = "",
) -> RoutingRule:
    """Add a rule at the end (of a form, one), or change one.

    `known`: the keys of `types`, `tiers` and `categories` that there are. Raises InvalidError with
    messages by field.
    """
    values = _checked(terms, known)
    is_new = rule is None
    if rule is None:
        public_id = id_of_form("lrr", form_key, by_user_id, terms)
        if made := sent_before(RoutingRule, public_id, by_user_id=by_user_id):
            return made
        count, last = db.session.execute(select(func.count(), func.max(RoutingRule.position))).one()
        if count >= MOST_RULES:
            raise InvalidError({"name": f"At most {MOST_RULES} rules."})
        rule = RoutingRule(public_id=public_id, position=(last or 0) + 1)
        db.session.add(rule)
    for name, value in values.items():
        setattr(rule, name, value)
    db.session.flush()
    fact_of_routing(by_user_id, "added" if is_new else "changed", rule)
    return rule


def shift_rule(rule: RoutingRule, by: int, *, by_user_id: int | None) -> None:
    """Move a rule one place up (-1) or down (+1); at the end nothing changes."""
    for rule_id in db.session.scalars(select(RoutingRule.id).order_by(RoutingRule.id)).all():
        lock_row(RoutingRule, RoutingRule.id == rule_id)
    rows = list(
        db.session.scalars(select(RoutingRule).order_by(RoutingRule.position, RoutingRule.id))
    )
    place = next(n for n, each in enumerate(rows) if each.id == rule.id)
    other = place + (1 if by > 0 else -1)
    if not 0 <= other < len(rows):
        return
    rows[place], rows[other] = rows[other], rows[place]
    for position, each in enumerate(rows, 1):
        each.position = position
    db.session.flush()
    fact_of_routing(by_user_id, "moved", rule)


def _checked(terms: RuleTerms, known: dict[str, set[str]]) -> dict[str, Any]:
    errors: dict[str, str] = {}
    name = " ".join(clean_text(terms.name).split())
    if not name:
        errors["name"] = "Give the rule a name."
    elif len(name) > 80:
        errors["name"] = "Use at most 80 characters."
    countries = sorted({each.strip().upper() for each in terms.countries if each.strip()})
    if wrong := [each for each in countries if each not in COUNTRIES]:
        errors["countries"] = f"{wrong[0][:20]} is no country's code of two letters."
    for field, among in (("partner_types", "types"), ("categories", "categories")):
        if any(each not in known[among] for each in getattr(terms, field)):
            errors[field] = "Choose among those that there are."
    if terms.least_tier and terms.least_tier not in known["tiers"]:
        errors["least_tier"] = "Choose one of the tiers."
    if terms.capacity is not None and not 1 <= terms.capacity <= 10_000:
        errors["capacity"] = "From 1 to 10,000, or empty for any number."
    if not 1 <= terms.answer_hours <= 720:
        errors["answer_hours"] = "From 1 to 720 hours."
    if terms.method not in {each.value for each in Method}:
        errors["method"] = "Choose how turns are taken."
    weights, wrong_weights = _weights(terms.weights, known["tiers"])
    if wrong_weights:
        errors["weights"] = wrong_weights
    if errors:
        raise InvalidError(errors)
    return {
        "name": name,
        "countries": countries,
        "categories": sorted(set(terms.categories)),
        "partner_types": sorted(set(terms.partner_types)),
        "same_country": terms.same_country,
        "least_tier": terms.least_tier,
        "capacity": terms.capacity,
        "method": Method(terms.method),
        "weights": weights,
        "answer_hours": terms.answer_hours,
        "is_active": terms.is_active,
    }


def _weights(typed: str, tiers: set[str]) -> tuple[dict[str, int], str]:
    """`silver 2, gold 3` as weights by tier, and what is wrong (empty: nothing)."""
    found: dict[str, int] = {}
    for part in typed.replace("\n", ",").split(","):
        words = part.replace("=", " ").replace(":", " ").split()
        if not words:
            continue
        if len(words) != 2 or words[0].lower() not in tiers:
            return {}, "Write tiers and weights like: silver 2, gold 3."
        number = words[1]
        if not number.isascii() or not number.isdigit() or not 1 <= int(number[:5]) <= 100:
            return {}, "A weight is a whole number from 1 to 100."
        found[words[0].lower()] = int(number)
    return found, ""
