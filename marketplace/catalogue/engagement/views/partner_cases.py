"""A publisher's suspended listings, and its appeals."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from marketplace.catalogue.engagement.abuse_cases import REASONS
from marketplace.catalogue.engagement.forms import AppealForm
from marketplace.catalogue.engagement.queries.cases import find_case, page_of_publisher_cases
from marketplace.catalogue.engagement.services import appeals
from marketplace.catalogue.engagement.views.blueprints import engagement
from marketplace.catalogue.engagement.views.returning import show_errors
from marketplace.catalogue.models import AbuseCase, CaseState
from marketplace.core.errors import InvalidError
from marketplace.core.pagination import page_number
from marketplace.core.permissions import current_actor, needs


@engagement.get("/partner/cases")
@needs("cases.received")
def partner_cases() -> ResponseReturnValue:
    """Suspensions of the active organization's listings."""
    page = page_of_publisher_cases(
        current_actor().organization_id or 0, page_number(request.args.get("page"))
    )
    return render_template("engagement/partner_cases.html", page=page)


@engagement.get("/partner/cases/<number>")
@needs("case.read", load=find_case, name="case")
def partner_case(case: AbuseCase) -> ResponseReturnValue:
    """One suspension with its reason; its reporter is not named."""
    return _page(case, AppealForm())


@engagement.post("/partner/cases/<number>/appeal")
@needs("case.appeal", load=find_case, name="case")
def appeal(case: AbuseCase) -> ResponseReturnValue:
    """Appeal against it, once."""
    form = AppealForm()
    try:
        appeals.appeal(current_actor(), case, form.body.data or "")
    except InvalidError as error:
        show_errors(form, error)
        return _page(case, form), 422
    flash("Your appeal is with our team. Somebody else decides on it.", "success")
    return redirect(url_for("engagement.partner_case", number=case.number), code=303)


def _page(case: AbuseCase, form: AppealForm) -> str:
    return render_template(
        "engagement/partner_case.html",
        case=case,
        reasons=REASONS,
        form=form,
        may_appeal=current_actor().can("case.appeal", case)
        and case.state is CaseState.SUSPENDED
        and not case.appeals,
        most=appeals.MAX_BODY,
    )
