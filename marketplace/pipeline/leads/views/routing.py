"""The editor of routing rules."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from marketplace.core.database import db
from marketplace.core.errors import InvalidError
from marketplace.core.permissions import current_actor, needs
from marketplace.identity.forms import choices_of
from marketplace.identity.partner_types import PARTNER_TYPES
from marketplace.pipeline.leads import queries, texts
from marketplace.pipeline.leads.forms import EmptyForm, RuleForm
from marketplace.pipeline.leads.models import RoutingRule
from marketplace.pipeline.leads.services import routing
from marketplace.pipeline.leads.services.offering import fact_of_routing
from marketplace.pipeline.leads.services.routing import RuleTerms
from marketplace.pipeline.leads.views.blueprints import leads_staff
from marketplace.program.policy.live import current_policy
from marketplace.sales.form_errors import show_errors

_PATH = "/staff/leads/rules/<routing_rule_id>"
_RULE = needs("leads.manage", load=queries.find_rule, name="rule")


@leads_staff.get("/staff/leads/rules")
@needs("leads.manage")
def rules() -> ResponseReturnValue:
    """All rules in their order."""
    return render_template(
        "leads/rules.html",
        rules=queries.rules(),
        categories=dict(queries.category_choices()),
        types=_types(),
        tiers=_tiers(),
        texts=texts,
        form=EmptyForm(formdata=None),
    )


@leads_staff.get("/staff/leads/rules/new")
@needs("leads.manage")
def rule_new() -> ResponseReturnValue:
    """The form for a rule."""
    return _page(RuleForm(formdata=None))


@leads_staff.post("/staff/leads/rules/new")
@needs("leads.manage")
def rule_create() -> ResponseReturnValue:
    """Add a rule at the end."""
    return _save(None)


@leads_staff.get(_PATH)
@_RULE
def rule(rule: RoutingRule) -> ResponseReturnValue:
    """The form to change a rule."""
    form = RuleForm(formdata=None, obj=rule)
    form.countries.data = ", ".join(rule.countries)
    form.method.data = rule.method.value
    form.weights.data = ", ".join(f"{tier} {weight}" for tier, weight in rule.weights.items())
    return _page(form, rule)


@leads_staff.post(_PATH)
@_RULE
def rule_save(rule: RoutingRule) -> ResponseReturnValue:
    """Change a rule; leads that are offered already stay where they are."""
    return _save(rule)


@leads_staff.post(f"{_PATH}/move")
@_RULE
def rule_move(rule: RoutingRule) -> ResponseReturnValue:
    """Move it one place."""
    by = -1 if request.form.get("to") == "up" else 1
    routing.shift_rule(rule, by, by_user_id=current_actor().user_id)
    return redirect(url_for("leads_staff.rules"), code=303)


@leads_staff.post(f"{_PATH}/switch")
@_RULE
def rule_switch(rule: RoutingRule) -> ResponseReturnValue:
    """Use it, or no longer."""
    rule.is_active = request.form.get("use") == "yes"
    db.session.flush()
    fact_of_routing(current_actor().user_id, "switched", rule)
    return redirect(url_for("leads_staff.rules"), code=303)


def _save(rule: RoutingRule | None) -> ResponseReturnValue:
    form = RuleForm()
    if not form.validate():
        return _page(form, rule), 422
    terms = RuleTerms(
        name=form.name.data or "",
        countries=tuple((form.countries.data or "")[:2_000].replace(",", " ").split()),
        categories=tuple(form.categories.data or ()),
        partner_types=tuple(form.partner_types.data or ()),
        same_country=bool(form.same_country.data),
        least_tier=form.least_tier.data or "",
        capacity=form.capacity.data,
        method=form.method.data or "",
        weights=(form.weights.data or "")[:500],
        answer_hours=48 if form.answer_hours.data is None else form.answer_hours.data,
        is_active=bool(form.is_active.data),
    )
    known = {
        "types": set(_types()),
        "tiers": set(_tiers()),
        "categories": {slug for slug, _name in queries.category_choices()},
    }
    try:
        routing.save_rule(
            terms,
            rule,
            known=known,
            by_user_id=current_actor().user_id,
            form_key=form.form_key.data or "",
        )
    except InvalidError as error:
        show_errors(form, error)
        return _page(form, rule), 422
    flash("Saved. It counts for leads that are offered from now on.", "success")
    return redirect(url_for("leads_staff.rules"), code=303)


def _page(form: RuleForm, rule: RoutingRule | None = None) -> str:
    form.categories.choices = choices_of(queries.category_choices())
    form.partner_types.choices = choices_of(_types().items())
    form.least_tier.choices = choices_of([("", "Any"), *_tiers().items()])
    return render_template("leads/rule.html", form=form, rule=rule)


def _types() -> dict[str, str]:
    """Types of partners: the policy's, or those of the directory."""
    live = current_policy()
    return {each.key: each.name for each in live.policy.types} if live else dict(PARTNER_TYPES)


def _tiers() -> dict[str, str]:
    live = current_policy()
    return {each.key: each.name for each in live.policy.tiers} if live else {}
