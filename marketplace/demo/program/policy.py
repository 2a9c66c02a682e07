"""The demo's policy: the template for an API platform, in force for longer than anybody traded."""

from collections.abc import Callable
from datetime import timedelta

from flask import current_app
from sqlalchemy import func, select

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.unit_of_work import unit_of_work
from marketplace.program.policy.document import Policy
from marketplace.program.policy.models import PolicyVersion
from marketplace.program.policy.services import drafting
from marketplace.program.policy.services.publishing import publish_as_of
from marketplace.program.policy.yaml_text import template

# The trading of the demo begins a hundred days ago, its listings are older.
DAYS_AGO = 400
# Types whose people in the demo try every part of the portal, whatever the template gives them.
EVERYTHING = ("technology", "developer", "integration", "consulting")


def load(tell: Callable[[str], None]) -> None:
    """Publish the policy unless there is one, and begin a draft to look at. Commits."""
    if db.session.scalar(select(func.count()).select_from(PolicyVersion)):
        return
    site = str(current_app.config["SITE_NAME"])
    base = template("api_platform")
    data = {**base.as_data(), "name": f"{site} partner program"}
    for kind in data["types"]:
        if kind["key"] in EVERYTHING:
            kind["modules"] = []
    policy = Policy.model_validate(data)
    now = clock.now()
    began = now - timedelta(days=DAYS_AGO)
    with unit_of_work():
        first = drafting.begin(
            policy, by_user_id=None, name="The program begins", note="The first version."
        )
        publish_as_of(first, by_user_id=None, effective_at=began)
        drafting.begin(
            _next_year(policy),
            by_user_id=None,
            based_on=first,
            name="Proposal for next year",
            note="A shorter way to Silver and Gold, a larger budget for Gold, and a fifth goal.",
        )
    tell("The partner program's policy is published.")


def _next_year(policy: Policy) -> Policy:
    """What somebody proposes for next year."""
    data = policy.as_data()
    for tier in data["tiers"]:
        if tier["key"] == "silver":
            tier["points"] = 80
        if tier["key"] == "gold":
            tier["entitlements"]["co_marketing_budget"] = 1_200_000
            tier["points"] = 240
    data["goals"].append(
        {
            "key": "case_studies",
            "name": "Case studies",
            "measure": "case_studies",
            "how": "level",
            "target": 20,
        }
    )
    return Policy.model_validate(data)
