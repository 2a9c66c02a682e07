"""Leads that are offered to a partner: masked until it accepts."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from marketplace.core import clock
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.pagination import page_number
from marketplace.core.permissions import current_actor, needs
from marketplace.pipeline.leads import queries, texts
from marketplace.pipeline.leads.forms import DeclineForm
from marketplace.pipeline.leads.masking import MaskedContact, mask
from marketplace.pipeline.leads.models import Lead, LeadOffer, LeadState, OfferState
from marketplace.pipeline.leads.services import offering
from marketplace.pipeline.leads.views.blueprints import leads
from marketplace.pipeline.leads.views.own import own_id
from marketplace.sales.form_errors import show_errors

_PATH = "/partner/leads/offers/<lead_offer_id>"
_ANSWER = needs("lead_offer.answer", load=queries.find_offer, name="offer")


def masked(lead: Lead) -> MaskedContact:
    """The contact as a partner sees it that has not accepted."""
    return mask(
        name=lead.name,
        company=lead.company,
        email=lead.email,
        domain=lead.domain_key,
        need=lead.need,
    )


@leads.get("/partner/leads/offers")
@needs("leads.use")
def offers() -> ResponseReturnValue:
    """All that was ever offered, and what became of it."""
    page = queries.page_of_offers(own_id(), page_number(request.args.get("page")))
    return render_template(
        "leads/offers.html", page=page, texts=texts, masked=masked, now=clock.now()
    )


@leads.get(_PATH)
@_ANSWER
def offer(offer: LeadOffer) -> ResponseReturnValue:
    """One offer. Who has accepted goes on to the lead."""
    lead = offer.lead
    if (
        offer.state is OfferState.ACCEPTED
        and lead.owner_id == offer.organization_id
        and lead.state is LeadState.ACCEPTED
    ):
        return redirect(url_for("leads.lead", lead_id=lead.public_id))
    return _page(offer, DeclineForm(formdata=None))


@leads.post(f"{_PATH}/accept")
@_ANSWER
def offer_accept(offer: LeadOffer) -> ResponseReturnValue:
    """Take it on: the contact is revealed."""
    try:
        lead = offering.accept(offer.id, by_user_id=current_actor().user_id)
    except ConflictError as error:
        flash(error.detail, "warning")
        return redirect(url_for("leads.index"), code=303)
    flash("The lead is yours. The customer is told that you will get in touch.", "success")
    return redirect(url_for("leads.lead", lead_id=lead.public_id), code=303)


@leads.post(f"{_PATH}/decline")
@_ANSWER
def offer_decline(offer: LeadOffer) -> ResponseReturnValue:
    """Turn it down, with a reason."""
    form = DeclineForm()
    try:
        offering.decline(offer.id, form.reason.data or "", by_user_id=current_actor().user_id)
    except InvalidError as error:
        show_errors(form, error)
        return _page(offer, form), 422
    except ConflictError as error:
        flash(error.detail, "warning")
        return redirect(url_for("leads.index"), code=303)
    flash("Declined. The lead goes to somebody else.", "success")
    return redirect(url_for("leads.index"), code=303)


def _page(offer: LeadOffer, form: DeclineForm) -> str:
    lead = offer.lead
    is_open = offer.state is OfferState.OPEN and offer.deadline > clock.now()
    return render_template(
        "leads/offer.html",
        offer=offer,
        lead=lead,
        contact=masked(lead),
        form=form,
        is_open=is_open,
        listing=queries.listings_of([lead.listing_id]).get(lead.listing_id or 0),
        texts=texts,
    )
