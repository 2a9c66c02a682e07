"""Who may read and send reports."""

from typing import Any

from marketplace.core.permissions import Actor, rule
from marketplace.observability.access import PROGRAM_ROLES, sees_money
from marketplace.observability.reports.models import ActivityReport


@rule("reports.read")
def may_read_reports(actor: Actor, _resource: object = None) -> bool:
    """People of a partner who deal with its money: the reports tell it."""
    return sees_money(actor)


@rule("report.read")
def may_read_report(actor: Actor, report: Any) -> bool:
    """The same, of a report of the partner that they act for."""
    return (
        sees_money(actor)
        and isinstance(report, ActivityReport)
        and report.organization_id is not None
        and report.organization_id == actor.organization_id
    )


@rule("reports.manage")
def may_manage_reports(actor: Actor, _resource: object = None) -> bool:
    """Program managers, admins and owners of the platform."""
    return actor.is_staff_as(*PROGRAM_ROLES)
