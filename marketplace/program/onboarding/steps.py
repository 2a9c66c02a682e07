"""Getting started: which steps of a type are done, by what is recorded of an organization."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, literal, select, union_all

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.facts import Fact
from marketplace.program.measures import Measurement
from marketplace.program.policy.document import PartnerType, Step

MEASURE = "measure:"


@dataclass(frozen=True)
class StartStep:
    """A step, and when the thing was first done; None for not yet."""

    step: Step
    done_at: datetime | None

    @property
    def is_done(self) -> bool:
        """Whether it ticked itself."""
        return self.done_at is not None


def steps_of(kind: PartnerType | None, organization_id: int) -> list[StartStep]:
    """The steps of a type with what an organization has done of them: one query."""
    if kind is None or not kind.getting_started:
        return []
    wanted = {step.done_by for step in kind.getting_started}
    done = _done(organization_id, wanted)
    return [StartStep(step, done.get(step.done_by)) for step in kind.getting_started]


def _done(organization_id: int, wanted: set[str]) -> dict[str, datetime]:
    kinds = sorted(each for each in wanted if not each.startswith(MEASURE))
    measures = sorted(each.removeprefix(MEASURE) for each in wanted if each.startswith(MEASURE))
    parts = []
    if kinds:
        parts.append(
            select(Fact.kind.label("what"), func.min(Fact.happened_at).label("at"))
            .where(Fact.organization_id == organization_id, Fact.kind.in_(kinds))
            .group_by(Fact.kind)
        )
    if measures:
        name = (literal(MEASURE) + Measurement.measure).label("what")
        parts.append(
            select(name, func.min(Measurement.counts_at).label("at"))
            .where(
                Measurement.organization_id == organization_id,
                Measurement.measure.in_(measures),
                Measurement.amount > 0,
                Measurement.counts_at <= clock.now(),
            )
            .group_by(Measurement.measure)
        )
    if not parts:
        return {}
    rows = db.session.execute(parts[0] if len(parts) == 1 else union_all(*parts))
    return {what: at for what, at in rows if at is not None}
