"""What the ways in are called, and what each of them asks, in words."""

from marketplace.program.policy.document import Entry, PartnerType

ENTRIES = {
    Entry.INSTANT: "At once",
    Entry.EMAIL: "Minutes: confirm your address",
    Entry.APPLICATION: "After a review",
}
BUTTONS = {
    Entry.INSTANT: "Join now",
    Entry.EMAIL: "Join with your e-mail address",
    Entry.APPLICATION: "Apply",
}


def facts_of(kind: PartnerType) -> list[tuple[str, str]]:
    """How long it takes and what is asked: pairs of an icon and a sentence."""
    days = getattr(kind, "review_days", None)
    if kind.entry is Entry.APPLICATION:
        took = f"A decision within {days} days" if days else "Reviewed by our team"
        looked = f", in {len(kind.stages)} stages" if len(kind.stages) > 1 else ""
        found = [("clock", took + looked)]
    elif kind.entry is Entry.EMAIL:
        found = [("clock", "A few minutes: confirm your address, no review")]
    else:
        found = [("clock", "At once, no review")]
    count = len(kind.form)
    found.append(
        (
            "list-checks",
            f"About your organization, and {count} {'question' if count == 1 else 'questions'}"
            if count
            else "About your organization, nothing more",
        )
    )
    if kind.provisional_days:
        found.append(("award", f"{kind.provisional_days} days to become certified"))
    return found
