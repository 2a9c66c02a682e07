"""Observability: analytics, dashboards, reports, ranking, governance."""
