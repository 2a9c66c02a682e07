"""The words of the pages: labels with the tones of their badges."""

from collections.abc import Mapping

from billing.formatting import AmountError, format_money, parse_amount, plain_amount
from billing.money import CURRENCIES
from marketplace.program.applications.models import (
    ApplicationState,
    EntryKind,
    MilestoneState,
    PlaceState,
    PlanState,
    RoundKind,
    RoundState,
)
from marketplace.program.policy.documents import MAX_NUMBER

STATES: Mapping[ApplicationState, tuple[str, str]] = {
    ApplicationState.FEE_DUE: ("Fee due", "warning"),
    ApplicationState.IN_REVIEW: ("In review", "info"),
    ApplicationState.MORE_ASKED: ("Waits for an answer", "warning"),
    ApplicationState.ACCEPTED: ("Accepted", "success"),
    ApplicationState.DECLINED: ("Declined", "neutral"),
    ApplicationState.WITHDRAWN: ("Withdrawn", "neutral"),
}
ROUND_KINDS: Mapping[RoundKind, str] = {
    RoundKind.GRANT: "Grant",
    RoundKind.INCUBATOR: "Incubator",
    RoundKind.ACCELERATOR: "Accelerator",
    RoundKind.PROOF_OF_CONCEPT: "Proof of concept",
}
ROUND_ABOUT: Mapping[RoundKind, str] = {
    RoundKind.GRANT: "Money for milestones: each that is accepted is paid.",
    RoundKind.INCUBATOR: "A mentor, and gates with days. Who passes all graduates with a listing.",
    RoundKind.ACCELERATOR: "Terms to accept, then figures to reach in a fixed time.",
    RoundKind.PROOF_OF_CONCEPT: "Three approvals in order, then criteria that the proof must meet.",
}
ROUND_STATES: Mapping[RoundState, tuple[str, str]] = {
    RoundState.DRAFT: ("Draft", "neutral"),
    RoundState.OPEN: ("Open", "success"),
    RoundState.CLOSED: ("Closed", "neutral"),
}
PLACE_STATES: Mapping[PlaceState, tuple[str, str]] = {
    PlaceState.OFFERED: ("Terms to accept", "warning"),
    PlaceState.ACTIVE: ("Taking part", "info"),
    PlaceState.COMPLETED: ("Completed", "success"),
    PlaceState.ENDED: ("Ended", "neutral"),
}
MILESTONE_STATES: Mapping[MilestoneState, tuple[str, str]] = {
    MilestoneState.OPEN: ("Open", "neutral"),
    MilestoneState.SUBMITTED: ("Being looked at", "info"),
    MilestoneState.RETURNED: ("Returned", "warning"),
    MilestoneState.ACCEPTED: ("Accepted", "success"),
    MilestoneState.MISSED: ("Missed", "danger"),
}
# What a milestone is called in each kind of round.
MILESTONE_NAMES: Mapping[RoundKind, tuple[str, str]] = {
    RoundKind.GRANT: ("Milestone", "Milestones"),
    RoundKind.INCUBATOR: ("Gate", "Gates"),
    RoundKind.ACCELERATOR: ("Milestone", "Milestones"),
    RoundKind.PROOF_OF_CONCEPT: ("Criterion", "Success criteria"),
}
PLAN_STATES: Mapping[PlanState, tuple[str, str]] = {
    PlanState.DRAFT: ("Draft", "neutral"),
    PlanState.SUBMITTED: ("Waits for approval", "info"),
    PlanState.RETURNED: ("Changes asked", "warning"),
    PlanState.APPROVED: ("Approved", "success"),
}
ENTRIES: Mapping[EntryKind, tuple[str, str, str]] = {
    EntryKind.SUBMITTED: ("Application received", "inbox", "neutral"),
    EntryKind.FEE_PAID: ("Fee paid", "receipt", "success"),
    EntryKind.ASSIGNED: ("Reviewer asked", "users", "neutral"),
    EntryKind.CONFLICT: ("Conflict of interest declared", "scale", "warning"),
    EntryKind.SCORED: ("Scored", "list-checks", "neutral"),
    EntryKind.ADVANCED: ("Passed on", "arrow-right", "info"),
    EntryKind.ASKED: ("Question to the applicant", "message-circle", "warning"),
    EntryKind.ANSWERED: ("Answer of the applicant", "message-circle", "info"),
    EntryKind.ACCEPTED: ("Accepted", "circle-check", "success"),
    EntryKind.DECLINED: ("Declined", "x", "neutral"),
    EntryKind.WITHDRAWN: ("Withdrawn", "undo-2", "neutral"),
    EntryKind.PROMISE_MISSED: ("The promised day has passed", "clock", "danger"),
    EntryKind.FEE_REFUNDED: ("Fee given back", "undo-2", "success"),
}
STAFF_ROLES = (
    ("", "Whoever reviews"),
    ("reviewer", "Reviewer"),
    ("program_manager", "Program manager"),
    ("finance", "Finance"),
)


def in_unit(value: int | None, unit: str) -> str:
    """A figure as people read it: `unit` is a currency, or a metric's unit."""
    if value is None:
        return "No value yet"
    if unit in CURRENCIES:
        return format_money(value, unit)
    if unit == "stars":
        return f"{value / 100:.2f} stars"
    if unit == "percent":
        return f"{value:,}%"
    if unit in ("minutes", "days"):
        return f"{value:,} {unit if value != 1 else unit[:-1]}"
    return f"{value:,}"


def typed_in_unit(text: str, unit: str) -> int | None:
    """What was typed as a figure in that unit; None when it is none."""
    plain = text.strip()[:30]
    if unit in CURRENCIES:
        try:
            return parse_amount(plain, unit, most=MAX_NUMBER)
        except AmountError:
            return None
    if unit == "stars":
        whole, _, part = plain.partition(".")
        if not (whole.isascii() and whole.isdigit()) or not (part.isdigit() or part == ""):
            return None
        return int(whole[:6]) * 100 + int((part[:2] or "0").ljust(2, "0"))
    digits = plain.replace(",", "").replace(" ", "")
    return int(digits) if digits.isascii() and digits.isdigit() else None


def plain_in_unit(value: int, unit: str) -> str:
    """A figure as it is typed."""
    if unit in CURRENCIES:
        return plain_amount(value, unit)
    return f"{value / 100:.2f}" if unit == "stars" else str(value)
