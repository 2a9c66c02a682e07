"""From a listing to its app: choosing the organization, reading, agreeing or not."""

from flask import flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from marketplace.catalogue.models import Listing
from marketplace.core.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from marketplace.core.limits import limiter
from marketplace.core.permissions import current_actor, needs
from marketplace.core.security_headers import let_forms_reach
from marketplace.core.unit_of_work import keep_writes
from marketplace.identity.models import Organization
from marketplace.installs.customer.asking import allowed_scopes
from marketplace.installs.customer.consent import (
    Consent,
    Verdict,
    organizations_to_install_for,
    prepare_consent,
)
from marketplace.installs.customer.forms import AskForm
from marketplace.installs.customer.handover import install_target, safe_url
from marketplace.installs.customer.queries.apps import (
    find_published_listing,
    installed_by,
    live_client_of,
)
from marketplace.installs.customer.queries.requests import open_request
from marketplace.installs.customer.services.consent import CHANGED, decline_consent, give_consent
from marketplace.installs.customer.services.requests import MAX_MESSAGE, request_install
from marketplace.installs.customer.views.blueprints import installs
from marketplace.installs.models import Installation, OAuthClient

# From so many organizations on, the choice has a search field.
MANY = 8


def _listing(slug: str) -> Listing | None:
    """The listing; one that is suspended only for whoever is signed in, who may have the form
    open, or the app installed."""
    listing = find_published_listing(slug)
    if listing is None or listing.is_public or current_actor().is_authenticated:
        return listing
    return None


@installs.get("/listings/<slug>/install")
@needs("listing.install", load=_listing, name="listing", hidden=False)
def install(listing: Listing) -> ResponseReturnValue:
    """Choose the organization, then read what the app asks for."""
    client = _client(listing)
    organizations = organizations_to_install_for(current_actor(), client)
    if not organizations:
        return render_template("installs/no_organization.html", listing=listing)
    organization = _chosen(organizations, request.args.get("organization", ""))
    if organization is None:
        if not listing.is_public:
            raise NotFoundError
        return _choice(listing, client, organizations)
    consent = _prepare(client, organization)
    if consent.installation is None and not listing.is_public:
        raise NotFoundError
    if consent.verdict is Verdict.REFUSED and consent.installation is not None:
        # What is installed has a page of its own, which says the rest.
        flash(consent.reason, "info")
        return redirect(_page_of(consent.installation), code=303)
    return _consent_page(consent, several=len(organizations) > 1)


@installs.post("/listings/<slug>/install")
@needs("listing.install", load=_listing, name="listing", hidden=False)
def agree(listing: Listing) -> ResponseReturnValue:
    """Install, or grant what is new; then on to the app."""
    client, organization, several = _target(listing)
    consent = _prepare(client, organization)
    was_installed = consent.installation is not None
    try:
        installation = give_consent(
            current_actor(), consent, shown=request.form.get("fingerprint", "")
        )
    except ConflictError as error:
        if error.code != CHANGED:
            raise
        shown_again = _prepare(client, organization)
        return _consent_page(shown_again, several=several, status=409, alert=error.detail)
    except ForbiddenError as error:
        if error.code == "cap":
            keep_writes()
        refused = _prepare(client, organization)
        return _consent_page(refused, several=several, status=403)
    done = "has the access you agreed to" if was_installed else "is installed"
    flash(f"{listing.name} {done} for {organization.name}.", "success")
    return redirect(install_target(client, installation) or _page_of(installation), code=303)


@installs.post("/listings/<slug>/install/decline")
@needs("listing.install", load=_listing, name="listing", hidden=False)
def decline(listing: Listing) -> ResponseReturnValue:
    """Nothing is installed; what is installed goes on as it is."""
    client, organization, _several = _target(listing)
    consent = _prepare(client, organization)
    if consent.verdict is Verdict.CONSENT:
        decline_consent(current_actor(), consent)
    if consent.installation is not None:
        flash(f"{listing.name} goes on with the access it has.", "info")
        return redirect(_page_of(consent.installation), code=303)
    flash(f"{listing.name} was not installed.", "info")
    if not listing.is_public:
        return redirect(url_for("installs.inventory", slug=organization.slug), code=303)
    return redirect(url_for("catalogue.listing", slug=listing.slug), code=303)


@installs.post("/listings/<slug>/install/request")
@needs("listing.install", load=_listing, name="listing", hidden=False)
@limiter.limit("20 per hour", key_func=lambda: f"user:{current_actor().user_id}")
def ask_admins(listing: Listing) -> ResponseReturnValue:
    """Ask the organization's admins to install it."""
    client, organization, several = _target(listing)
    consent = _prepare(client, organization)
    if consent.verdict is not Verdict.REQUEST:
        return _consent_page(consent, several=several, status=403)
    form = AskForm()
    try:
        asked, is_new = request_install(
            current_actor(),
            organization,
            listing,
            form.message.data or "",
            adds=consent.news if consent.is_update else None,
        )
    except InvalidError as error:
        form.message.errors = [*form.message.errors, error.fields["message"]]
        return _consent_page(consent, several=several, status=422, form=form)
    if is_new:
        flash(
            f"Your admins at {organization.name} are asked. We mail you what they say.", "success"
        )
    elif asked.requested_by_id == current_actor().user_id:
        flash("You have asked for it already.", "info")
    else:
        flash(f"{asked.requested_by.name} has asked for it already.", "info")
    return redirect(url_for("installs.requests", slug=organization.slug), code=303)


def _client(listing: Listing) -> OAuthClient:
    client = live_client_of(listing.id)
    if client is None:
        raise NotFoundError
    return client


def _chosen(organizations: list[Organization], slug: str) -> Organization | None:
    if not slug and len(organizations) == 1:
        return organizations[0]
    return next((found for found in organizations if found.slug == slug), None)


def _target(listing: Listing) -> tuple[OAuthClient, Organization, bool]:
    """What the form is about. Raises NotFoundError for an organization that is not the actor's."""
    client = _client(listing)
    organizations = organizations_to_install_for(current_actor(), client)
    organization = _chosen(organizations, request.form.get("organization", ""))
    if organization is None:
        raise NotFoundError
    return client, organization, len(organizations) > 1


def _prepare(client: OAuthClient, organization: Organization) -> Consent:
    return prepare_consent(
        current_actor(), client, organization, allowed_scopes(client), asks_data=True
    )


def _page_of(installation: Installation) -> str:
    return url_for(
        "installs.installation",
        slug=installation.organization.slug,
        installation_id=installation.public_id,
    )


def _choice(
    listing: Listing, client: OAuthClient, organizations: list[Organization]
) -> ResponseReturnValue:
    q = " ".join(request.args.get("q", "").split())[:80]
    shown = [found for found in organizations if q.lower() in found.name.lower()]
    return render_template(
        "installs/choose_organization.html",
        listing=listing,
        organizations=shown,
        installed=installed_by(client.app_id or 0, [found.id for found in shown]),
        active_id=current_actor().organization_id,
        q=q,
        has_search=len(organizations) > MANY,
    )


def _consent_page(
    consent: Consent,
    *,
    several: bool,
    status: int = 200,
    alert: str = "",
    form: AskForm | None = None,
) -> ResponseReturnValue:
    listing = consent.app.listing
    if listing is None:
        raise NotFoundError
    if consent.verdict is Verdict.GRANTED and consent.installation is not None:
        flash(f"{listing.name} is installed for {consent.organization.name}.", "info")
        return redirect(_page_of(consent.installation), code=303)
    asked = None
    if consent.verdict is Verdict.REQUEST:
        asked = open_request(consent.organization.id, listing.id)
    page = render_template(
        "installs/install.html",
        listing=listing,
        consent=consent,
        several=several,
        alert_text=alert,
        form=form or AskForm(formdata=None),
        asked=asked,
        max_message=MAX_MESSAGE,
        installation_href=_page_of(consent.installation) if consent.installation else None,
    )
    response = make_response(page, status)
    target = safe_url(consent.client.install_url)
    if target is not None:
        # Browsers hold the form to this for every redirect after it: to the app's own page, through
        # its authorization request, and back to where the app takes its code.
        let_forms_reach(response, target, *consent.client.redirect_uris)
    return response
