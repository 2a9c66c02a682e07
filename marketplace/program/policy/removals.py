"""What a policy no longer knows although partners have it: their type, or their tier."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import func, select

from marketplace.core.database import db
from marketplace.identity.models import Organization
from marketplace.program.policy.document import Policy
from marketplace.program.standing.models import Standing
from marketplace.program.standing.reading import IN_FORCE


@dataclass(frozen=True)
class Removal:
    """A type (or tier) that a version leaves out, and how many partners have it."""

    part: str  # "types" or "tiers"
    key: str
    name: str
    partners: int

    def __str__(self) -> str:
        """What becomes of them, in a sentence."""
        many = self.partners != 1
        kind = "type" if self.part == "types" else "tier"
        are = "partners are" if many else "partner is"
        who = f"{self.partners:,} {are} of the {kind} {self.name}"
        they, have, their = ("they", "have", "their") if many else ("it", "has", "its")
        if self.part == "tiers":
            # Nothing to keep in grace: see standing.movement.
            go = "go" if many else "goes"
            return (
                f"{who}: {they} {go} to what {they} {have} earned with the next evaluation, "
                "without days of grace."
            )
        keep, stay = ("keep", "stay") if many else ("keeps", "stays")
        return (
            f"{who}: {they} {keep} {their} listings and {stay} in the program, but {have} no type "
            f"in the policy, and what it gives to a type or asks of one no longer holds for "
            f"{'them' if many else 'it'}, until staff change {their} type under Program, Partners."
        )


def removals(before: Policy | None, after: Policy) -> list[Removal]:
    """The types and tiers of `before` that `after` leaves out and partners of the program have;
    two queries, and none where nothing is left out."""
    if before is None:
        return []
    types = {each.key: each.name for each in before.types if after.type(each.key) is None}
    tiers = {each.key: each.name for each in before.tiers if after.tier(each.key) is None}
    found = _counted("types", types) if types else []
    return found + (_counted("tiers", tiers) if tiers else [])


def _counted(part: str, names: Mapping[str, str]) -> list[Removal]:
    column = Organization.partner_type if part == "types" else Standing.tier
    rows = db.session.execute(
        select(column, func.count())
        .select_from(Standing)
        .join(Organization, Organization.id == Standing.organization_id)
        .where(column.in_(list(names)), Standing.state.in_(IN_FORCE))
        .group_by(column)
    )
    counts = {row[0]: row[1] for row in rows}
    return [Removal(part, key, names[key], counts[key]) for key in names if key in counts]
