"""Who may install what: an organization's policy and its rules."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from marketplace.catalogue.models import Listing
from marketplace.core.errors import InvalidError
from marketplace.core.permissions import current_actor, needs
from marketplace.identity.models import Organization
from marketplace.identity.queries import find_organization
from marketplace.installs.customer.forms import PolicyForm, RuleForm
from marketplace.installs.customer.queries.policies import (
    RuleRemoval,
    find_removal,
    policy_of,
    rules_to_show,
)
from marketplace.installs.customer.queries.subjects import (
    find_subject,
    search_listings,
    search_publishers,
)
from marketplace.installs.customer.services import policies as services
from marketplace.installs.customer.views.blueprints import installs, tabs_of
from marketplace.installs.customer.views.form_errors import show_errors

MAX_SEARCH = 80


@installs.get("/organizations/<slug>/apps/policy")
@needs("apps.view", load=find_organization, name="organization")
def policy(organization: Organization) -> ResponseReturnValue:
    """The policy, for every member to read."""
    found = policy_of(organization.id)
    form = PolicyForm(
        formdata=None,
        data={"members_may": found.members_may.value, "only_allowed": found.only_allowed},
    )
    return _policy_page(organization, form)


@installs.post("/organizations/<slug>/apps/policy")
@needs("apps.manage", load=find_organization, name="organization")
def change_policy(organization: Organization) -> ResponseReturnValue:
    """Save who may install."""
    form = PolicyForm()
    try:
        services.change_policy(
            current_actor(),
            organization,
            members_may=form.members_may.data or "",
            only_allowed=bool(form.only_allowed.data),
        )
    except InvalidError as error:
        show_errors(form, error)
        return _policy_page(organization, form), 422
    flash("Saved.", "success")
    return redirect(url_for("installs.policy", slug=organization.slug), code=303)


@installs.get("/organizations/<slug>/apps/policy/rules/new")
@needs("apps.manage", load=find_organization, name="organization")
def new_rule(organization: Organization) -> ResponseReturnValue:
    """Find what the rule is about, and say what it is."""
    form = RuleForm(
        formdata=None,
        data={"verdict": "block", "target": request.args.get("target", "")[:MAX_SEARCH]},
    )
    return _rule_page(organization, form)


@installs.post("/organizations/<slug>/apps/policy/rules")
@needs("apps.manage", load=find_organization, name="organization")
def add_rule(organization: Organization) -> ResponseReturnValue:
    """Add the rule, or replace the one that is there."""
    form = RuleForm()
    try:
        subject = find_subject((form.target.data or "")[:500])
        services.add_rule(
            current_actor(),
            organization,
            subject=subject,
            verdict=form.verdict.data or "",
            note=form.note.data or "",
        )
    except InvalidError as error:
        show_errors(form, error)
        return _rule_page(organization, form), 422
    name = subject.name if isinstance(subject, Listing | Organization) else ""
    done = "blocked" if form.verdict.data == "block" else "allowed"
    flash(f"{name} is {done}.", "success")
    return redirect(url_for("installs.policy", slug=organization.slug), code=303)


@installs.get("/organizations/<slug>/apps/policy/rules/<int:rule_id>/removal")
@needs("install_rule.remove", load=find_removal, name="removal")
def rule_removal(removal: RuleRemoval) -> ResponseReturnValue:
    """Ask before a rule goes."""
    if removal.rule is None:
        return _gone_already(removal.organization)
    return render_template("installs/rule_removal.html", rule=removal.rule)


@installs.post("/organizations/<slug>/apps/policy/rules/<int:rule_id>/removal")
@needs("install_rule.remove", load=find_removal, name="removal")
def remove_rule(removal: RuleRemoval) -> ResponseReturnValue:
    """Take the rule away."""
    organization = removal.organization
    if removal.rule is None:
        return _gone_already(organization)
    services.remove_rule(current_actor(), organization, removal.rule)
    flash("The rule is gone.", "success")
    return redirect(url_for("installs.policy", slug=organization.slug), code=303)


def _gone_already(organization: Organization) -> ResponseReturnValue:
    flash("The rule is gone already.", "info")
    return redirect(url_for("installs.policy", slug=organization.slug), code=303)


def _policy_page(organization: Organization, form: PolicyForm) -> str:
    return render_template(
        "installs/policy.html",
        organization=organization,
        tabs=tabs_of(organization, "installs.policy"),
        form=form,
        rules=rules_to_show(organization.id),
        manages=current_actor().can("apps.manage", organization),
    )


def _rule_page(organization: Organization, form: RuleForm) -> str:
    q = " ".join(request.values.get("q", "").replace("\x00", "").split())[:MAX_SEARCH]
    subject = find_subject((form.target.data or "")[:500])
    return render_template(
        "installs/rule_form.html",
        organization=organization,
        subject=subject,
        is_publisher=isinstance(subject, Organization),
        form=form,
        q=q,
        listings=search_listings(q) if q else [],
        publishers=search_publishers(q) if q else [],
        max_note=services.MAX_NOTE,
    )
