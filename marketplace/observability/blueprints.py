"""All blueprints of this room, for wiring.py."""

from flask import Blueprint

from marketplace.observability.analytics.views import analytics, analytics_staff
from marketplace.observability.cockpit.views import cockpit
from marketplace.observability.dashboard.views import dashboard
from marketplace.observability.governance.views import governance
from marketplace.observability.ranking.views import ranking
from marketplace.observability.reciprocity.views import reciprocity
from marketplace.observability.reports.views import reports, reports_staff

BLUEPRINTS: tuple[Blueprint, ...] = (
    dashboard,
    analytics,
    analytics_staff,
    ranking,
    reciprocity,
    reports,
    reports_staff,
    governance,
    cockpit,
)
