"""A campaign's own page, for everybody."""

from flask import current_app, render_template, request
from flask.typing import ResponseReturnValue

from marketplace.core import clock
from marketplace.core.errors import InvalidError, NotFoundError
from marketplace.core.limits import limiter
from marketplace.core.permissions import public
from marketplace.pipeline.campaigns import queries
from marketplace.pipeline.campaigns.forms import AnswerForm
from marketplace.pipeline.campaigns.models import Campaign, CampaignLead, CampaignState, Side
from marketplace.pipeline.campaigns.services.answering import agree, answer, consent_text
from marketplace.pipeline.campaigns.tokens import lead_of
from marketplace.pipeline.campaigns.views.blueprints import campaigns
from marketplace.pipeline.campaigns.visibility import takes_leads
from marketplace.sales.form_errors import fields_hold, show_errors


def _site_name() -> str:
    return str(current_app.config["SITE_NAME"])


@campaigns.get("/campaigns/<campaign_id>")
@public("a campaign speaks to everybody while it runs")
def landing(campaign_id: str) -> ResponseReturnValue:
    """What is offered, and the form."""
    return _page(_find(campaign_id), AnswerForm(formdata=None))


@campaigns.post("/campaigns/<campaign_id>")
@public("whoever reads it may answer; ten an hour for one address")
@limiter.limit("10 per hour")
def landing_answer(campaign_id: str) -> ResponseReturnValue:
    """Take in an answer. Whether the address was there already is not told."""
    campaign, form = _find(campaign_id), AnswerForm()
    if not fields_hold(form):
        return _page(campaign, form), 422
    try:
        answer(
            campaign,
            held_by=Side.PLATFORM,
            name=form.name.data or "",
            email=form.email.data or "",
            company=form.company.data or "",
            message=form.message.data or "",
            shares=bool(form.shares.data),
            words=consent_text(campaign, _site_name()),
        )
    except InvalidError as error:
        show_errors(form, error)
        return _page(campaign, form), 422
    return render_template(
        "campaigns/thanks.html",
        campaign=campaign,
        shares=bool(form.shares.data),
        is_answer=True,
    )


@campaigns.get("/campaigns/consent/<campaign_token>")
@public("the link in the mail is signed")
def consent(campaign_token: str) -> ResponseReturnValue:
    """Ask whether the partner may see the answer, too."""
    lead = _answered(campaign_token)
    words = consent_text(lead.campaign, _site_name())
    return render_template("campaigns/consent.html", lead=lead, token=campaign_token, words=words)


@campaigns.post("/campaigns/consent/<campaign_token>")
@public("the link in the mail is signed")
def consent_give(campaign_token: str) -> ResponseReturnValue:
    """Let the partner see it."""
    lead = _answered(campaign_token)
    agree(lead, words=consent_text(lead.campaign, _site_name()))
    return render_template("campaigns/thanks.html", campaign=lead.campaign, shares=True)


def _answered(token: str) -> CampaignLead:
    lead = lead_of(token)
    if lead is None or lead.campaign.organization.suspended_at:
        raise NotFoundError("This link is no longer open.")
    return lead


def _find(campaign_id: str) -> Campaign:
    """A campaign that was approved. Raises NotFoundError."""
    campaign = queries.find(campaign_id)
    shown = (CampaignState.APPROVED, CampaignState.CLOSED)
    if campaign is None or campaign.state not in shown or campaign.organization.suspended_at:
        raise NotFoundError
    if clock.now().date() < campaign.starts_on:
        raise NotFoundError
    return campaign


def _page(campaign: Campaign, form: AnswerForm) -> str:
    return render_template(
        "campaigns/landing.html",
        campaign=campaign,
        form=form,
        listing=queries.listing_of(campaign),
        is_open=takes_leads(campaign, clock.now().date()),
        consent=consent_text(campaign, _site_name()),
        canonical=request.base_url,
    )
