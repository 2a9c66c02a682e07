"""The public page: choose where you are, see who is there for you, and write to them."""

from dataclasses import dataclass

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from marketplace.core.errors import InvalidError
from marketplace.core.limits import limiter
from marketplace.core.permissions import current_actor, public
from marketplace.identity.countries import COUNTRIES
from marketplace.identity.forms import show_errors
from marketplace.identity.profiles import clean_email
from marketplace.program.applications.words import line
from marketplace.program.contacts import queries
from marketplace.program.contacts.forms import VisitorForm
from marketplace.program.contacts.models import ContactRegion, ContactRole, RequestKind
from marketplace.program.contacts.reading import Contact, staffing
from marketplace.program.contacts.services.conversations import Asker, Wish, begin
from marketplace.program.contacts.texts import ROLE_TEXTS, ROLES
from marketplace.program.contacts.views.blueprints import contacts


@dataclass(frozen=True)
class Place:
    """Where somebody is: a country, a region, or elsewhere."""

    value: str
    label: str
    country: str | None = None
    region: ContactRegion | None = None


def place_of(value: str) -> Place | None:
    """The place that a form or an address names: `r:<region>`, `c:<country>` or `elsewhere`."""
    kind, _, key = value.partition(":")
    if value == "elsewhere":
        return Place(value, "Elsewhere")
    if kind == "c" and key in COUNTRIES:
        return Place(value, COUNTRIES[key], country=key)
    region = queries.find_region(line(key)) if kind == "r" else None
    return Place(value, region.name, region=region) if region is not None else None


def contact_at(place: Place) -> Contact:
    """Who is there for somebody at a place; never nobody."""
    found, role = staffing(), ContactRole.PARTNER_MANAGER.value
    if place.country:
        return found.contact(role, organization_id=None, country=place.country)
    return found.region_contact(role, place.region.id if place.region else None)


@contacts.get("/contact")
@public("how to reach us is public")
def find() -> ResponseReturnValue:
    """Who is there for whom, by where one is."""
    place = place_of(request.args.get("where", ""))
    form = VisitorForm(formdata=None)
    actor = current_actor()
    if actor.is_authenticated:
        form.name.data, form.email.data = actor.name, actor.email
    return _page(place, form)


@contacts.post("/contact")
@public("visitors write to us; ten an hour from one address")
@limiter.limit("10 per hour")
def write() -> ResponseReturnValue:
    """Write to whoever is there for the place. Their address stays ours."""
    form = VisitorForm()
    place = place_of(form.where.data or "")
    valid = form.validate()
    email = clean_email(form.email.data)
    if form.email.data and email is None:
        form.email.errors = [*form.email.errors, "Enter an address like ada@example.com."]
    if not valid or email is None or place is None:
        return _page(place, form), 422
    country = place.country or (place.region.codes[0] if place.region else None)
    wish = Wish(
        RequestKind.MESSAGE,
        ContactRole.PARTNER_MANAGER,
        form.subject.data or "",
        form.body.data or "",
        form_key=form.form_key.data or "",
    )
    try:
        begin(wish, Asker(line(form.name.data), email, country=country))
    except InvalidError as error:
        return _page(place, form, show_errors(form, error)), 422
    flash("Sent. The answer comes by mail.", "success")
    return redirect(url_for("contacts.find", where=place.value), code=303)


def _page(place: Place | None, form: VisitorForm, extra: list[str] | None = None) -> str:
    regions = queries.regions()
    if place is not None:
        form.where.data = place.value
    return render_template(
        "contacts/find.html",
        place=place,
        contact=contact_at(place) if place is not None else None,
        roles=ROLES,
        role_texts=ROLE_TEXTS,
        role=ContactRole.PARTNER_MANAGER,
        regions=regions,
        countries=COUNTRIES,
        form=form,
        extra=extra or [],
    )
