"""The tasks of both sides as obligations, for whoever shows what is owed."""

from marketplace.program.onboarding.models import TaskSide
from marketplace.program.onboarding.queries import tasks_of
from marketplace.program.scorecards.obligations import OPERATOR, PARTNER, Obligation


def task_obligations(organization_id: int) -> list[Obligation]:
    """What a partner and the operator owe each other by the playbook; a provider."""
    return [
        Obligation(
            title=task.title,
            side=PARTNER if task.side is TaskSide.PARTNER else OPERATOR,
            due_at=task.due_at,
            done_at=task.done_at,
            href="/partner/tasks" if task.side is TaskSide.PARTNER else "",
        )
        for task in tasks_of(organization_id)
    ]
