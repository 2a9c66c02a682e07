"""The page on which a person lets an app in, and the ways off it."""

import functools
from collections.abc import Callable
from urllib.parse import urlencode, urlsplit

from authlib.oauth2 import OAuth2Error
from flask import Response, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from marketplace.core.errors import (
    ConflictError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
    SignInRequiredError,
)
from marketplace.core.limits import limiter
from marketplace.core.permissions import Actor, current_actor, needs, public
from marketplace.core.security_headers import let_forms_reach
from marketplace.core.unit_of_work import keep_writes
from marketplace.identity.models import Organization
from marketplace.identity.next_path import MAX_LENGTH
from marketplace.installs.customer.consent import (
    Consent,
    Verdict,
    organizations_to_install_for,
    prepare_consent,
)
from marketplace.installs.customer.forms import AskForm
from marketplace.installs.customer.queries.apps import installed_by
from marketplace.installs.customer.queries.requests import open_request
from marketplace.installs.customer.services.consent import decline_consent, give_consent
from marketplace.installs.customer.services.requests import request_install
from marketplace.installs.oauth.authorization import (
    AuthorizationRequest,
    RefusedRequestError,
    UnsafeRequestError,
    check_request,
    find_destination,
)
from marketplace.installs.oauth.grant_types import Approval
from marketplace.installs.oauth.parameters import Parameters, from_pairs
from marketplace.installs.oauth.pushed import find_kept, keep_for_later, take_pushed
from marketplace.installs.oauth.queries import find_installation
from marketplace.installs.oauth.server import server
from marketplace.installs.oauth.views.blueprints import oauth

PATH = "/oauth/authorize"
# These are the page's own and no part of what the app asked.
OWN = ("continue", "organization")
_GONE = "The link is too old, or it was used before. Go back to the app and begin again there."


class Asked:
    """A request as it came, and the address that brings it again."""

    def __init__(self, parameters: Parameters, handle: str | None) -> None:
        self.parameters = parameters
        self.handle = handle
        self.request: AuthorizationRequest = check_request(parameters)

    @property
    def destination(self) -> str:
        """Where the person goes afterwards, as far as it tells a person something."""
        parts = urlsplit(self.request.redirect_uri)
        return parts.netloc or f"{parts.scheme}:"

    @property
    def query(self) -> list[tuple[str, str]]:
        """What brings the request again, as pairs for an address or hidden fields."""
        if self.handle is not None:
            return [("continue", self.handle)]
        return list(self.parameters.items(multi=True))

    def address(self, verb: str = "", **more: str) -> str:
        """The address of this request at the page, or at one of its verbs."""
        return f"{PATH}{verb}?{urlencode([*self.query, *more.items()])}"

    def short_address(self) -> str:
        """An address that survives a sign-in; a long request is kept here meanwhile."""
        if len(self.address()) > MAX_LENGTH:
            self.handle = keep_for_later(self.request.client, self.parameters)
        return self.address()


def _or_sign_in(view: Callable[[], ResponseReturnValue]) -> Callable[[], ResponseReturnValue]:
    """Whose session ended while the page was open signs in and comes back to the request: what
    was chosen was nobody's choice, so that it is asked again."""

    @functools.wraps(view)
    def answer() -> ResponseReturnValue:
        try:
            return view()
        except SignInRequiredError:
            asked = _read()
            if isinstance(asked, Response):
                return asked
            return _private(
                make_response(redirect(url_for("identity.login", next=asked.short_address()), 303))
            )

    return answer


@oauth.get(PATH)
@public("an app sends people here; they are asked to sign in, and nobody is let in without a yes")
@limiter.limit("120 per minute")
def authorize() -> ResponseReturnValue:
    """Ask, or go on without asking when all of it was granted before."""
    asked = _read()
    if isinstance(asked, Response):
        return asked
    actor = current_actor()
    if not actor.is_authenticated:
        return redirect(url_for("identity.login", next=asked.short_address()), 303)
    organizations = organizations_to_install_for(actor, asked.request.client)
    if not organizations:
        return _page(asked, "oauth/no_organization.html", status=403)
    organization = _wish(asked, organizations)
    if organization is None:
        return _page(
            asked,
            "oauth/choose.html",
            organizations=organizations,
            installed=installed_by(asked.request.app.id, [found.id for found in organizations]),
            active_id=actor.organization_id,
        )
    return _ask(asked, actor, organization, can_choose=len(organizations) > 1)


@oauth.post(PATH)
@_or_sign_in
@needs("account.use")
@limiter.limit("60 per minute")
def approve() -> ResponseReturnValue:
    """Yes: install the app or add the scopes, and send its code."""
    asked = _read()
    if isinstance(asked, Response):
        return asked
    actor, organization = current_actor(), _posted_organization(asked)
    consent = prepare_consent(actor, asked.request.client, organization, asked.request.scopes)
    try:
        installation = give_consent(actor, consent, shown=request.form.get("fingerprint", ""))
    except ConflictError as error:
        again = prepare_consent(actor, asked.request.client, organization, asked.request.scopes)
        return _show(asked, again, problem=error.detail, status=409)
    except ForbiddenError as error:
        if error.code == "cap":
            # Its publisher is told, which must not be undone with the rest.
            keep_writes()
        again = prepare_consent(actor, asked.request.client, organization, asked.request.scopes)
        return _show(asked, again, status=403)
    granted = tuple(name for name in consent.asked if name in installation.granted_scopes)
    return _send_code(asked, Approval(installation, granted, actor.user_id))


@oauth.post(f"{PATH}/decline")
@_or_sign_in
@needs("account.use")
@limiter.limit("60 per minute")
def decline() -> ResponseReturnValue:
    """No: nothing is installed, and the app is told."""
    asked = _read()
    if isinstance(asked, Response):
        return asked
    actor, organization = current_actor(), _posted_organization(asked)
    consent = prepare_consent(actor, asked.request.client, organization, asked.request.scopes)
    if consent.verdict is Verdict.CONSENT:
        decline_consent(actor, consent)
    return redirect(asked.request.answer("access_denied", "The person declined."), 303)


@oauth.post(f"{PATH}/ask")
@_or_sign_in
@needs("account.use")
@limiter.limit("20 per minute")
def ask() -> ResponseReturnValue:
    """Ask the organization's admins to install it."""
    asked = _read()
    if isinstance(asked, Response):
        return asked
    actor, organization = current_actor(), _posted_organization(asked)
    consent = prepare_consent(actor, asked.request.client, organization, asked.request.scopes)
    listing = consent.app.listing
    if consent.verdict is not Verdict.REQUEST or listing is None:
        return redirect(asked.address(organization=organization.slug), 303)
    form = AskForm()
    try:
        request_install(
            actor,
            organization,
            listing,
            form.message.data or "",
            adds=consent.news if consent.is_update else None,
        )
    except InvalidError as error:
        form.message.errors = list(error.fields.values())
        return _show(asked, consent, form=form, status=422)
    return redirect(asked.address(organization=organization.slug), 303)


def _read() -> Asked | Response:
    """What the app asks; or the answer, when it cannot go on."""
    query = from_pairs(request.args.items(multi=True))
    own = {name: query.poplist(name) for name in OWN}
    try:
        if own["continue"]:
            handle = own["continue"][0]
            kept = find_kept(handle)
            if kept is None:
                raise UnsafeRequestError(_GONE)
            return Asked(kept, handle)
        if "request_uri" in query:
            return _begin_pushed(query)
        return Asked(query, None)
    except UnsafeRequestError as error:
        page = render_template(
            "oauth/error.html", status=400, title="This link does not work", detail=error.detail
        )
        return _private(make_response(page, 400))
    except RefusedRequestError as error:
        return _private(make_response(redirect(error.address, 303)))


def _begin_pushed(query: Parameters) -> Response:
    """Take what the client pushed and go on with it at an address that may be loaded again."""
    client_ids, uris = query.getlist("client_id"), query.getlist("request_uri")
    if len(client_ids) != 1 or len(uris) != 1:
        raise UnsafeRequestError(_GONE)
    client = server.query_client(client_ids[0])
    pushed = take_pushed(uris[0], client.row) if client is not None else None
    if client is None or pushed is None:
        raise UnsafeRequestError(_GONE)
    # The app's addresses may have changed since it was pushed.
    find_destination(pushed)
    handle = keep_for_later(client.row, pushed)
    return _private(make_response(redirect(f"{PATH}?{urlencode({'continue': handle})}", 303)))


def _wish(asked: Asked, organizations: list[Organization]) -> Organization | None:
    """The organization that is meant: chosen on the page, named by the app through one of its
    installations, or the only one. Only ever one of `organizations`."""
    slug = request.args.get("organization")
    for organization in organizations:
        if organization.slug == slug:
            return organization
    if slug is None and asked.request.installation is not None:
        installation = find_installation(asked.request.installation, asked.request.client)
        for organization in organizations:
            if installation is not None and organization.id == installation.organization_id:
                return organization
    return organizations[0] if len(organizations) == 1 else None


def _posted_organization(asked: Asked) -> Organization:
    slug = request.form.get("organization", "")
    for organization in organizations_to_install_for(current_actor(), asked.request.client):
        if organization.slug == slug:
            return organization
    raise NotFoundError


def _ask(
    asked: Asked, actor: Actor, organization: Organization, *, can_choose: bool
) -> ResponseReturnValue:
    consent = prepare_consent(actor, asked.request.client, organization, asked.request.scopes)
    if (
        consent.verdict is Verdict.GRANTED
        and consent.installation is not None
        and not asked.request.asks_again
    ):
        return _send_code(asked, Approval(consent.installation, consent.asked, actor.user_id))
    return _show(asked, consent, can_choose=can_choose)


def _show(asked: Asked, consent: Consent, *, status: int = 200, **context: object) -> Response:
    """The page that fits the verdict."""
    if consent.verdict is Verdict.REFUSED and consent.code == "scope":
        address = asked.request.answer("invalid_scope", "The app may not ask for these scopes.")
        return _private(make_response(redirect(address, 303)))
    context = {"consent": consent, "organization": consent.organization, **context}
    if consent.verdict is Verdict.REFUSED:
        return _page(asked, "oauth/refused.html", status=403, reason=consent.reason, **context)
    if consent.verdict is Verdict.REQUEST:
        listing_id = consent.app.listing_id
        waiting = open_request(consent.organization.id, listing_id) if listing_id else None
        context = {"form": AskForm(), "waiting": waiting, **context}
        return _page(asked, "oauth/request.html", status=status, **context)
    return _page(asked, "oauth/consent.html", status=status, **context)


def _send_code(asked: Asked, approval: Approval) -> Response:
    grant = asked.request.grant
    try:
        answer: Response = server.create_authorization_response(
            request=grant.request, grant_user=approval, grant=grant
        )
    except OAuth2Error as error:
        address = asked.request.answer(error.error, error.description)
        answer = make_response(redirect(address, 303))
    return _private(answer)


def _page(asked: Asked, template: str, *, status: int = 200, **context: object) -> Response:
    page = render_template(
        template,
        asked=asked,
        app=asked.request.app,
        client=asked.request.client,
        back_to_app=asked.request.answer("access_denied", "The person went back."),
        **context,
    )
    response = make_response(page, status)
    # Browsers apply form-action to the redirects that follow a form as well: without the app's
    # origin, Chromium would stop the browser on its way from our "Allow" to the app. It is named
    # for this one request's registered redirect address, on this page alone.
    let_forms_reach(response, asked.request.redirect_uri)
    return _private(response)


def _private(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    # The address holds the app's state. No other site needs to see it; our own forms are checked
    # by their Referer on https.
    response.headers["Referrer-Policy"] = "same-origin"
    return response
