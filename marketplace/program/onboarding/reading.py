"""What other domains ask: how far a partner is, and where partners are."""

from dataclasses import dataclass

from sqlalchemy import func, select

from marketplace.core.database import db
from marketplace.identity.models import Organization
from marketplace.program.onboarding.models import StartDismissal
from marketplace.program.onboarding.steps import steps_of
from marketplace.program.policy.document import Step
from marketplace.program.policy.live import current_policy
from marketplace.program.standing.models import Standing
from marketplace.program.standing.reading import IN_FORCE


@dataclass(frozen=True)
class Progress:
    """How far a partner is with getting started. `is_dismissed`: done and put away."""

    done: int
    total: int
    next_step: Step | None
    is_dismissed: bool = False

    @property
    def is_complete(self) -> bool:
        """Whether nothing is left."""
        return self.done == self.total


def progress_of(organization_id: int) -> Progress:
    """How far a partner is; 0 of 0 for a type without steps. Three queries."""
    live = current_policy()
    partner_type, dismissed = db.session.execute(
        select(Organization.partner_type, StartDismissal.organization_id)
        .outerjoin(StartDismissal, StartDismissal.organization_id == Organization.id)
        .where(Organization.id == organization_id)
    ).one_or_none() or (None, None)
    kind = live.policy.type(partner_type) if live else None
    steps = steps_of(kind, organization_id)
    left = [each.step for each in steps if not each.is_done]
    return Progress(
        len(steps) - len(left), len(steps), left[0] if left else None, dismissed is not None
    )


def coverage() -> list[tuple[str, str, int]]:
    """How many partners are in the program, by country (ISO code, empty for none said) and type:
    the operator's map of where it is covered. One query."""
    country = func.coalesce(Organization.country, "")
    kind = func.coalesce(Organization.partner_type, "")
    rows = db.session.execute(
        select(country, kind, func.count())
        .join(Standing, Standing.organization_id == Organization.id)
        .where(Standing.state.in_(IN_FORCE), Organization.suspended_at.is_(None))
        .group_by(country, kind)
        .order_by(country, kind)
    )
    return [(code, partner_type, count) for code, partner_type, count in rows]
