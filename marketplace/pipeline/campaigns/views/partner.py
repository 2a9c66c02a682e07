"""The partner's pages."""

from flask import Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from marketplace.core import clock
from marketplace.core.csv_export import csv_response
from marketplace.core.errors import InvalidError
from marketplace.core.limits import limiter
from marketplace.core.pagination import page_number, paginate
from marketplace.core.permissions import current_actor, needs
from marketplace.identity.forms import choices_of
from marketplace.pipeline.campaigns import queries
from marketplace.pipeline.campaigns.budget import Budget, budget_of
from marketplace.pipeline.campaigns.forms import CampaignForm
from marketplace.pipeline.campaigns.models import Campaign, Side
from marketplace.pipeline.campaigns.services import requesting
from marketplace.pipeline.campaigns.views.blueprints import campaigns
from marketplace.pipeline.campaigns.views.shared import (
    LEAD_COLUMNS,
    lead_rows,
    page_values,
    take_expense,
    take_lead,
)
from marketplace.pipeline.campaigns.visibility import phase
from marketplace.sales.form_errors import fields_hold, show_errors

PER_PAGE = 20
_PATH = "/partner/campaigns/<campaign_id>"
_OWN = needs("campaign.manage", load=queries.find, name="campaign")


@campaigns.get("/partner/campaigns")
@needs("campaigns.use")
def index() -> ResponseReturnValue:
    """The partner's campaigns."""
    page = paginate(
        queries.campaigns_of(current_actor().organization_id or 0),
        page=page_number(request.args.get("page")),
        per_page=PER_PAGE,
    )
    ids = [row.id for row in page.items]
    today = clock.now().date()
    return render_template(
        "campaigns/index.html",
        page=page,
        phases={row.id: phase(row, today) for row in page.items},
        budget=_budget(),
        spent=queries.spent(ids),
        answered=queries.lead_counts(ids),
        sides=Side,
    )


@campaigns.get("/partner/campaigns/new")
@needs("campaigns.use")
def request_new() -> ResponseReturnValue:
    """The form of a request."""
    return _form_page(CampaignForm(formdata=None))


@campaigns.post("/partner/campaigns/new")
@needs("campaigns.use")
@limiter.limit("30 per hour", key_func=lambda: f"user:{current_actor().user_id}")
def request_create() -> ResponseReturnValue:
    """Ask for a campaign."""
    form, actor = CampaignForm(), current_actor()
    if not fields_hold(form):
        return _form_page(form), 422
    wanted = form.listing.data or ""
    listing = queries.listing_by_slug(wanted, actor.organization_id or 0) if wanted else None
    if wanted and listing is None:
        form.listing.errors = ["Choose a listing of your own."]
        return _form_page(form), 422
    try:
        made = requesting.request_campaign(
            requesting.Terms(
                title=form.title.data or "",
                goal=form.goal.data or "",
                headline=form.headline.data or "",
                pitch=form.pitch.data or "",
                starts_on=form.starts_on.data,
                ends_on=form.ends_on.data,
                currency=(form.currency.data or "").upper(),
                partner_share=form.partner_share.data,
                asked_share=form.asked_share.data,
                listing=listing,
            ),
            actor=actor,
            form_key=form.form_key.data or "",
        )
    except InvalidError as error:
        show_errors(form, error)
        return _form_page(form), 422
    flash("Your request is sent. You are told by mail what we say.", "success")
    return redirect(url_for("campaigns.campaign", campaign_id=made.public_id), 303)


@campaigns.get(_PATH)
@_OWN
def campaign(campaign: Campaign) -> ResponseReturnValue:
    """One campaign: its budget, its page, who answered."""
    return _page(campaign)


@campaigns.get(f"{_PATH}/withdrawal")
@_OWN
def withdrawal(campaign: Campaign) -> ResponseReturnValue:
    """Ask before a request is taken back."""
    return render_template("campaigns/withdrawal.html", campaign=campaign)


@campaigns.post(f"{_PATH}/withdrawal")
@_OWN
def withdraw(campaign: Campaign) -> ResponseReturnValue:
    """Take a request back."""
    requesting.withdraw(campaign, actor=current_actor())
    flash("The request is withdrawn.", "success")
    return redirect(url_for("campaigns.campaign", campaign_id=campaign.public_id), 303)


@campaigns.post(f"{_PATH}/expenses")
@_OWN
def expense_add(campaign: Campaign) -> ResponseReturnValue:
    """Write down an expense of the partner's share."""
    form = take_expense(campaign, Side.PARTNER)
    if form is not None:
        return _page(campaign, expense_form=form), 422
    flash("Written down.", "success")
    return redirect(url_for("campaigns.campaign", campaign_id=campaign.public_id), 303)


@campaigns.post(f"{_PATH}/leads")
@_OWN
def lead_add(campaign: Campaign) -> ResponseReturnValue:
    """Add somebody whom the partner met."""
    done = take_lead(campaign, Side.PARTNER)
    if not isinstance(done, bool):
        return _page(campaign, lead_form=done), 422
    flash("Added." if done else "This address is there already.", "success" if done else "info")
    return redirect(url_for("campaigns.campaign", campaign_id=campaign.public_id), 303)


@campaigns.get(f"{_PATH}/leads.csv")
@_OWN
def leads_csv(campaign: Campaign) -> Response:
    """The leads that the partner may see, as a file."""
    return csv_response(
        f"{campaign.public_id}-leads.csv", LEAD_COLUMNS, lead_rows(campaign, Side.PARTNER)
    )


def _page(campaign: Campaign, **forms: object) -> str:
    values = page_values(campaign, Side.PARTNER, request.args.get("page")) | forms
    return render_template("campaigns/campaign.html", **values)


def _form_page(form: CampaignForm) -> str:
    own = queries.own_listings(current_actor().organization_id or 0)
    form.listing.choices = choices_of([("", "All of what you offer"), *own])
    return render_template("campaigns/new.html", form=form, budget=_budget())


def _budget() -> Budget | None:
    """The partner's own budget of this year."""
    return budget_of(current_actor().organization_id or 0, clock.now().year)
