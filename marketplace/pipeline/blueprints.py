"""All blueprints of this room, for wiring.py."""

from flask import Blueprint

from marketplace.pipeline.account_checks.views import account_checks
from marketplace.pipeline.campaigns.views import campaigns, campaigns_staff
from marketplace.pipeline.deals.views import deals, deals_staff
from marketplace.pipeline.franchises.views import franchises, franchises_staff
from marketplace.pipeline.handovers.views import handovers
from marketplace.pipeline.ideas.views import ideas, ideas_staff
from marketplace.pipeline.leads.views import leads, leads_staff

BLUEPRINTS: tuple[Blueprint, ...] = (
    leads,
    leads_staff,
    deals,
    deals_staff,
    account_checks,
    ideas,
    ideas_staff,
    campaigns,
    campaigns_staff,
    franchises,
    franchises_staff,
    handovers,
)
