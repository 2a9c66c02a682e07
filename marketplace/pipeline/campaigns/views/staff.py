"""The program manager's pages."""

from flask import Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from marketplace.core import clock
from marketplace.core.csv_export import csv_response
from marketplace.core.errors import InvalidError
from marketplace.core.pagination import page_number, paginate
from marketplace.core.permissions import current_actor, needs
from marketplace.pipeline.campaigns import queries
from marketplace.pipeline.campaigns.budget import budget_of
from marketplace.pipeline.campaigns.forms import DecisionForm, RemovalForm
from marketplace.pipeline.campaigns.models import Campaign, CampaignState, Side
from marketplace.pipeline.campaigns.services import requesting
from marketplace.pipeline.campaigns.services.answering import erase_person
from marketplace.pipeline.campaigns.views.blueprints import campaigns_staff
from marketplace.pipeline.campaigns.views.shared import (
    LEAD_COLUMNS,
    lead_rows,
    page_values,
    take_expense,
    take_lead,
)
from marketplace.pipeline.campaigns.visibility import phase
from marketplace.sales.form_errors import fields_hold, show_errors

PER_PAGE = 25
_PATH = "/staff/campaigns/<campaign_id>"
_ONE = needs("campaigns.approve", load=queries.find, name="campaign")


@campaigns_staff.get("/staff/campaigns")
@needs("campaigns.approve")
def index() -> ResponseReturnValue:
    """All campaigns; those that wait for an answer first."""
    shown = request.args.get("state", "")
    state = CampaignState(shown) if shown in set(CampaignState) else None
    text = " ".join(request.args.get("q", "").replace("\0", "").split())[:80]
    page = paginate(
        queries.all_campaigns(state, text),
        page=page_number(request.args.get("page")),
        per_page=PER_PAGE,
    )
    ids = [row.id for row in page.items]
    today = clock.now().date()
    return render_template(
        "campaigns/staff_index.html",
        page=page,
        shown=shown if state else "",
        text=text,
        states=CampaignState,
        phases={row.id: phase(row, today) for row in page.items},
        spent=queries.spent(ids),
        answered=queries.lead_counts(ids),
        sides=Side,
    )


@campaigns_staff.get("/staff/campaigns/removal")
@needs("campaigns.approve")
def removal() -> ResponseReturnValue:
    """Ask whose data is to be removed."""
    return render_template("campaigns/removal.html", form=RemovalForm(formdata=None))


@campaigns_staff.post("/staff/campaigns/removal")
@needs("campaigns.approve")
def person_erase() -> ResponseReturnValue:
    """Remove what a person wrote, from all campaigns."""
    form = RemovalForm()
    try:
        found = erase_person(form.email.data or "", actor=current_actor())
    except InvalidError as error:
        show_errors(form, error)
        return render_template("campaigns/removal.html", form=form), 422
    if found:
        flash("The person's data is removed.", "success")
    else:
        flash("Nobody with this address answered a campaign.", "info")
    return redirect(url_for("campaigns_staff.index"), 303)


@campaigns_staff.get(_PATH)
@_ONE
def campaign(campaign: Campaign) -> ResponseReturnValue:
    """One campaign, with the answer to give or the books to keep."""
    return _page(campaign)


@campaigns_staff.post(f"{_PATH}/approval")
@_ONE
def approve(campaign: Campaign) -> ResponseReturnValue:
    """Agree."""
    form = _decision_form(campaign, posted=True)
    if not fields_hold(form):
        return _page(campaign, decision_form=form), 422
    try:
        requesting.approve(
            campaign,
            form.platform_share.data,
            form.answer.data or "",
            actor=current_actor(),
            beyond_budget=bool(form.beyond_budget.data),
        )
    except InvalidError as error:
        show_errors(form, error)
        return _page(campaign, decision_form=form), 422
    flash("Approved. The partner is told.", "success")
    return redirect(url_for("campaigns_staff.campaign", campaign_id=campaign.public_id), 303)


@campaigns_staff.post(f"{_PATH}/refusal")
@_ONE
def decline(campaign: Campaign) -> ResponseReturnValue:
    """Say no."""
    form = _decision_form(campaign, posted=True)
    try:
        requesting.decline(campaign, form.answer.data or "", actor=current_actor())
    except InvalidError as error:
        show_errors(form, error)
        return _page(campaign, decision_form=form), 422
    flash("Declined. The partner is told.", "success")
    return redirect(url_for("campaigns_staff.campaign", campaign_id=campaign.public_id), 303)


@campaigns_staff.get(f"{_PATH}/close")
@_ONE
def closing(campaign: Campaign) -> ResponseReturnValue:
    """Ask before the books are closed."""
    return render_template("campaigns/closing.html", campaign=campaign)


@campaigns_staff.post(f"{_PATH}/close")
@_ONE
def close(campaign: Campaign) -> ResponseReturnValue:
    """Close the books."""
    requesting.close(campaign, actor=current_actor())
    flash("The campaign is closed.", "success")
    return redirect(url_for("campaigns_staff.campaign", campaign_id=campaign.public_id), 303)


@campaigns_staff.post(f"{_PATH}/expenses")
@_ONE
def expense_add(campaign: Campaign) -> ResponseReturnValue:
    """Write down an expense of the platform's share."""
    form = take_expense(campaign, Side.PLATFORM)
    if form is not None:
        return _page(campaign, expense_form=form), 422
    flash("Written down.", "success")
    return redirect(url_for("campaigns_staff.campaign", campaign_id=campaign.public_id), 303)


@campaigns_staff.post(f"{_PATH}/leads")
@_ONE
def lead_add(campaign: Campaign) -> ResponseReturnValue:
    """Add somebody whom the platform met."""
    done = take_lead(campaign, Side.PLATFORM)
    if not isinstance(done, bool):
        return _page(campaign, lead_form=done), 422
    flash("Added." if done else "This address is there already.", "success" if done else "info")
    return redirect(url_for("campaigns_staff.campaign", campaign_id=campaign.public_id), 303)


@campaigns_staff.get(f"{_PATH}/leads.csv")
@_ONE
def leads_csv(campaign: Campaign) -> Response:
    """The leads that the platform may see, as a file."""
    return csv_response(
        f"{campaign.public_id}-leads.csv", LEAD_COLUMNS, lead_rows(campaign, Side.PLATFORM)
    )


def _decision_form(campaign: Campaign, *, posted: bool) -> DecisionForm:
    form = DecisionForm() if posted else DecisionForm(formdata=None)
    form.currency.data = campaign.currency
    if not posted:
        form.platform_share.data = campaign.asked_share
        form.platform_share.show_in(campaign.currency)
    return form


def _page(campaign: Campaign, **forms: object) -> str:
    values = page_values(campaign, Side.PLATFORM, request.args.get("page"))
    waits = campaign.state is CampaignState.REQUESTED
    values |= {
        "decision_form": _decision_form(campaign, posted=False),
        "budget": budget_of(campaign.organization_id, campaign.starts_on.year) if waits else None,
        **forms,
    }
    return render_template("campaigns/staff_campaign.html", **values)
