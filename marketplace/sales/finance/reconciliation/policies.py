"""Who reconciles and who closes a month: finance, and the platform's owners and admins."""

from billing.models import BankImport, BankLine, BankRule, ReconciliationBreak
from marketplace.core.permissions import Actor, rule


@rule("reconciliation.use")
def may_use_reconciliation(actor: Actor, _resource: object = None) -> bool:
    """See what does not agree, and run it now."""
    return actor.is_staff_as("finance")


@rule("break.handle")
def may_handle_break(actor: Actor, _break: ReconciliationBreak) -> bool:
    """Take, explain and book a break."""
    return actor.is_staff_as("finance")


@rule("bank_file.import")
def may_import_bank_file(actor: Actor, _resource: object = None) -> bool:
    """Import, match by hand and set lines aside."""
    return actor.is_staff_as("finance")


@rule("bank_file.view")
def may_view_bank_file(actor: Actor, _import: BankImport) -> bool:
    """See the lines of a file."""
    return actor.is_staff_as("finance")


@rule("bank_line.handle")
def may_handle_bank_line(actor: Actor, _line: BankLine) -> bool:
    """Take the match of a line back."""
    return actor.is_staff_as("finance")


@rule("bank_rule.remove")
def may_remove_bank_rule(actor: Actor, _rule: BankRule) -> bool:
    """Remove a rule that sets lines aside."""
    return actor.is_staff_as("finance")


@rule("periods.read")
def may_read_periods(actor: Actor, _resource: object = None) -> bool:
    """Months with their checklist, reports and journal."""
    return actor.is_staff_as("finance")


@rule("period.view")
def may_view_period(actor: Actor, _code: str) -> bool:
    """One month."""
    return actor.is_staff_as("finance")


@rule("period.close")
def may_close_period(actor: Actor, _code: str) -> bool:
    """Close a month. It moves no money, and the checklist decides: one person is enough."""
    return actor.is_staff_as("finance")
