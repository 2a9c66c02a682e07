"""Who sees scorecards, evaluates, holds a tier and replays the past."""

from marketplace.core.permissions import Actor, rule

# Who of a partner deals with its money.
MONEY_ROLES = frozenset({"owner", "admin", "finance"})
EVALUATORS = frozenset({"owner", "admin", "editor", "finance", "developer"})


@rule("scorecard.read")
def may_read_scorecard(actor: Actor, _resource: object = None) -> bool:
    """Everybody who works for a partner, at its own."""
    active = actor.organization
    return active is not None and active.organization_kind == "partner"


@rule("scorecard.evaluate")
def may_evaluate_own(actor: Actor, _resource: object = None) -> bool:
    """The same, unless they only look."""
    active = actor.organization
    return may_read_scorecard(actor, None) and active is not None and active.role in EVALUATORS


@rule("standings.read")
def may_read_standings(actor: Actor, _resource: object = None) -> bool:
    """All staff."""
    return actor.is_staff


@rule("standings.evaluate")
def may_evaluate(actor: Actor, _resource: object = None) -> bool:
    """Program managers, owners and admins."""
    return actor.is_staff_as("program_manager")


@rule("standings.override")
def may_override(actor: Actor, _resource: object = None) -> bool:
    """Program managers, owners and admins."""
    return actor.is_staff_as("program_manager")


@rule("replays.use")
def may_replay(actor: Actor, _resource: object = None) -> bool:
    """Program managers, owners and admins."""
    return actor.is_staff_as("program_manager")
