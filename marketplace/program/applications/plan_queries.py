"""Reading business plans."""

from collections.abc import Sequence

from sqlalchemy import select

from marketplace.core.database import db
from marketplace.core.pagination import Page, paginate
from marketplace.program.applications.models import BusinessPlan, PlanActivity, PlanState
from marketplace.program.applications.queries import PER_PAGE


def find_plan(business_plan_id: str) -> BusinessPlan | None:
    """The business plan of a public id."""
    return db.session.scalar(select(BusinessPlan).where(BusinessPlan.public_id == business_plan_id))


def plans_of(organization_id: int) -> Sequence[BusinessPlan]:
    """A partner's plans, the newest year first."""
    return db.session.scalars(
        select(BusinessPlan)
        .where(BusinessPlan.organization_id == organization_id)
        .order_by(BusinessPlan.year.desc())
    ).all()


def page_of_plans(state: str, page: int) -> Page[BusinessPlan]:
    """Plans as the staff sees them: not drafts; those that wait longest first."""
    query = select(BusinessPlan).where(BusinessPlan.state != PlanState.DRAFT)
    if state:
        query = query.where(BusinessPlan.state == state)
    return paginate(
        query.order_by(BusinessPlan.submitted_at, BusinessPlan.id), page=page, per_page=PER_PAGE
    )


def find_activity(activity_id: int, plan: BusinessPlan) -> PlanActivity | None:
    """An activity of that plan."""
    found = db.session.get(PlanActivity, activity_id)
    return found if found is not None and found.plan_id == plan.id else None
