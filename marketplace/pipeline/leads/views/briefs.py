"""What customers do: send a brief, see where it stands, take it back."""

from flask import flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_limiter.util import get_remote_address

from marketplace.catalogue.models import Listing
from marketplace.core.database import db
from marketplace.core.errors import InvalidError, NotFoundError
from marketplace.core.limits import limiter
from marketplace.core.permissions import current_actor, public
from marketplace.identity.forms import choices_of
from marketplace.identity.models import Organization
from marketplace.identity.queries import find_organization
from marketplace.pipeline.leads import queries, texts
from marketplace.pipeline.leads.fields import MOST
from marketplace.pipeline.leads.forms import TRAP, BriefForm
from marketplace.pipeline.leads.models import Lead, LeadSource, LeadState
from marketplace.pipeline.leads.services.capturing import capture
from marketplace.pipeline.leads.services.offering import may_take_leads
from marketplace.pipeline.leads.services.reviewing import erase
from marketplace.pipeline.leads.tokens import lead_of, token_of
from marketplace.pipeline.leads.views.blueprints import leads
from marketplace.sales.form_errors import show_errors

_SENT = "portico_brief_sent"


def _sender() -> str:
    """A person counts wherever they are; without a sign-in it is the address."""
    user_id = current_actor().user_id
    return f"user:{user_id}" if user_id is not None else get_remote_address()


@leads.get("/briefs/new")
@public("customers find help without an account")
def brief() -> ResponseReturnValue:
    """The form: for `?listing=`, for `?partner=`, or for whoever fits."""
    listing, partner = _subject()
    actor = current_actor()
    form = BriefForm(formdata=None)
    if actor.is_authenticated:
        form.name.data, form.email.data = actor.name, actor.email
        if actor.organization and actor.organization.organization_kind == "customer":
            form.company.data = actor.organization.organization_name
    country = request.args.get("country", "").upper()
    form.country.data = country if len(country) == 2 else ""
    form.category.data = request.args.get("category", "")[:60]
    return _page(form, listing, partner)


@leads.post("/briefs/new")
@public("customers find help without an account")
@limiter.limit("8 per hour", key_func=_sender, deduct_when=lambda r: r.status_code < 400)
@limiter.limit("60 per hour", key_func=_sender)
def send_brief() -> ResponseReturnValue:
    """Take the brief in. What a machine sent is thanked for and forgotten."""
    listing, partner = _subject()
    form = BriefForm()
    if form[TRAP].data:
        session[_SENT] = ""
        return redirect(url_for("leads.brief_sent"), code=303)
    actor = current_actor()
    active = actor.organization
    source = LeadSource.DIRECTORY
    if partner is not None:
        source = LeadSource.LISTING if listing is not None else LeadSource.PARTNER_PAGE
    known = {slug for slug, _name in queries.category_choices()}
    category = form.category.data if form.category.data in known else ""
    if listing is not None and listing.category_links:
        category = category or listing.category_links[0].category.slug
    try:
        lead = capture(
            source=source,
            name=form.name.data or "",
            email=form.email.data or "",
            need=form.need.data or "",
            consent=bool(form.consent.data),
            company=form.company.data or "",
            website=form.website.data or "",
            country=form.country.data or None,
            postal_code=form.postal_code.data or "",
            budget=form.budget.data or "",
            time_frame=form.time_frame.data or "",
            category=category or "",
            listing_id=listing.id if listing else None,
            partner_id=partner.id if partner else None,
            customer_organization_id=active.organization_id
            if active and active.organization_kind == "customer"
            else None,
            by_user_id=actor.user_id,
        )
    except InvalidError as error:
        show_errors(form, error)
        return _page(form, listing, partner), 422
    session[_SENT] = token_of(lead)
    return redirect(url_for("leads.brief_sent"), code=303)


@leads.get("/briefs/sent")
@public("thanks the browser that sent a brief")
def brief_sent() -> ResponseReturnValue:
    """Thanks, and the link to look after it."""
    if _SENT not in session:
        raise NotFoundError
    return render_template("leads/brief_sent.html", token=session[_SENT])


@leads.get("/briefs/<brief_token>")
@public("the link in the mail is signed")
def brief_status(brief_token: str) -> ResponseReturnValue:
    """Where a brief stands, and who will get in touch."""
    lead = _lead(brief_token)
    owner = db.session.get(Organization, lead.owner_id) if lead.owner_id else None
    if owner is not None and owner.suspended_at is not None:
        owner = None
    return render_template(
        "leads/brief_status.html",
        lead=lead,
        owner=owner,
        token=brief_token,
        texts=texts,
        is_waiting=lead.state in (LeadState.OFFERED, LeadState.UNPLACED),
    )


@leads.get("/briefs/<brief_token>/removal")
@public("the link in the mail is signed")
def brief_removal(brief_token: str) -> ResponseReturnValue:
    """Ask once more before the data is removed."""
    return render_template("leads/brief_removal.html", lead=_lead(brief_token), token=brief_token)


@leads.post("/briefs/<brief_token>/removal")
@public("the link in the mail is signed")
def remove_brief(brief_token: str) -> ResponseReturnValue:
    """Take the brief back and remove the person's data, here and at the partner's pages."""
    erase(_lead(brief_token).id, by_user_id=current_actor().user_id)
    flash("Your request is taken back and your data is removed.", "success")
    return redirect(url_for("leads.brief_status", brief_token=brief_token), code=303)


def _lead(token: str) -> Lead:
    found = lead_of(token)
    if found is None:
        raise NotFoundError
    return found


def _subject() -> tuple[Listing | None, Organization | None]:
    """The listing and the partner of the address. Raises NotFoundError for what is not public."""
    slug = request.args.get("listing", "")[:120]
    if slug:
        listing = queries.listing_to_ask(slug)
        if listing is None or not may_take_leads(listing.publisher):
            raise NotFoundError
        return listing, listing.publisher
    name = request.args.get("partner", "")[:120]
    if name:
        partner = find_organization(name)
        if not may_take_leads(partner):
            raise NotFoundError
        return None, partner
    return None, None


def _page(form: BriefForm, listing: Listing | None, partner: Organization | None) -> str:
    form.category.choices = choices_of([("", "Not sure"), *queries.category_choices()])
    return render_template(
        "leads/brief.html",
        form=form,
        listing=listing,
        partner=partner,
        most=MOST,
        here={"listing": listing.slug} if listing else {"partner": partner.slug} if partner else {},
    )
