"""Signing in and out."""

import logging

from flask import flash, make_response, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue

from marketplace.core import clock
from marketplace.core.errors import NotFoundError, SignInRequiredError
from marketplace.core.limits import limiter
from marketplace.core.permissions import current_actor, needs, public
from marketplace.identity import pending_sign_in, queries
from marketplace.identity.next_path import HANDOFF_PATH, local_path
from marketplace.identity.pending_sign_in import PendingSignIn
from marketplace.identity.profiles import Profile
from marketplace.identity.provider_http import ProviderError, ProviderUnavailableError
from marketplace.identity.providers import (
    SignInProvider,
    all_providers,
    find_provider,
    provider_label,
)
from marketplace.identity.services.identities import IdentityTakenError, offer_identity
from marketplace.identity.services.sessions import (
    begin_session,
    confirm_second_factor,
    end_session,
)
from marketplace.identity.services.sign_in import AccountClosedError, AddressInUseError, sign_in
from marketplace.identity.sessions import COOKIE, set_session_cookie
from marketplace.identity.views.blueprint import blueprint, settings

log = logging.getLogger(__name__)
SIGN_IN_LIMIT = "30 per minute"
STATUS_OF_PROBLEM = {"unavailable": 503, "cancelled": 403, "closed": 403, "taken": 409}


@blueprint.get("/auth/login")
@public("whoever is not signed in chooses how to sign in here")
def login() -> ResponseReturnValue:
    """The choice of providers."""
    next_path = local_path(request.args.get("next"))
    if current_actor().is_authenticated:
        return redirect(next_path or url_for("identity.account"))
    return render_template(
        "identity/login.html", providers=all_providers(), next_path=next_path or None
    )


@blueprint.get("/auth/<provider>/login")
@public("this is where signing in begins")
@limiter.limit(SIGN_IN_LIMIT)
def provider_login(provider: str) -> ResponseReturnValue:
    """Send the browser to the provider. With `link=1` a signed-in person adds an identity, with
    `confirm=1` they prove a second factor."""
    adapter = _adapter(provider)
    actor = current_actor()
    linking = request.args.get("link") == "1"
    confirming = not linking and request.args.get("confirm") == "1"
    if (linking or confirming) and not actor.is_authenticated:
        raise SignInRequiredError("Sign in to go on.")
    pending = pending_sign_in.begin(
        session,
        provider=provider,
        next_path=local_path(request.args.get("next")),
        link_user_id=actor.user_id if linking else None,
        now=clock.now(),
        confirm_user_id=actor.user_id if confirming else None,
    )
    try:
        url = adapter.authorization_url(
            state=pending.state,
            nonce=pending.nonce,
            code_verifier=pending.code_verifier,
            confirm=confirming,
        )
    except ProviderError as error:
        return _failed(adapter, error)
    return redirect(url)


@blueprint.get("/auth/<provider>/callback")
@public("the provider sends the browser back here; the answer is checked")
@limiter.limit(SIGN_IN_LIMIT)
def callback(provider: str) -> ResponseReturnValue:
    """Check the provider's answer and sign the person in, or offer the identity for linking."""
    adapter = _adapter(provider)
    pending = pending_sign_in.take(
        session, provider=provider, state=request.args.get("state", ""), now=clock.now()
    )
    if pending is None:
        return _problem("expired", adapter)
    if "error" in request.args:
        cancelled = request.args["error"] in {"access_denied", "user_cancelled_authorize"}
        if not cancelled:
            log.warning("sign-in refused", extra={"provider": provider, "reason": "error answer"})
        return _problem("cancelled" if cancelled else "refused", adapter, pending.next_path)
    if not request.args.get("code"):
        return _problem("refused", adapter, pending.next_path)
    try:
        profile = adapter.profile(
            request.args.to_dict(), nonce=pending.nonce, code_verifier=pending.code_verifier
        )
    except ProviderError as error:
        return _failed(adapter, error, pending.next_path)
    if pending.link_user_id is not None:
        return _offer_link(adapter, pending, profile)
    if pending.confirm_user_id is not None:
        return _confirm(adapter, pending, profile)
    return _sign_in(adapter, pending, profile)


@blueprint.post("/auth/logout")
@public("signing out twice is no error")
def logout() -> ResponseReturnValue:
    """End this browser's session."""
    actor = current_actor()
    if actor.session_id is not None:
        end_session(actor, actor.session_id)
    session.clear()
    flash("You are signed out.", "success")
    response = redirect(url_for("identity.login"))
    response.delete_cookie(COOKIE, httponly=True, samesite="Lax", secure=settings().is_https)
    return response


def _adapter(name: str) -> SignInProvider:
    adapter = find_provider(name)
    if adapter is None:
        raise NotFoundError
    return adapter


def _sign_in(
    adapter: SignInProvider, pending: PendingSignIn, profile: Profile
) -> ResponseReturnValue:
    try:
        done = sign_in(
            profile, staff_emails=settings().staff_emails, site_name=settings().site_name
        )
    except AddressInUseError as error:
        labels = [provider_label(name) for name in error.providers]
        return _problem("address_in_use", adapter, email=error.email, labels=labels, status=409)
    except AccountClosedError:
        return _problem("closed", adapter)
    token = begin_session(
        done.user,
        done.identity,
        user_agent=request.user_agent.string,
        ip_address=request.remote_addr or "",
        old_token=request.cookies.get(COOKIE, ""),
        second_factor=profile.second_factor and profile.just_now,
    )
    # Nothing of the anonymous browser's form session outlives the sign-in.
    session.clear()
    target = pending.next_path or url_for("identity.landing")
    if done.is_new and not pending.next_path.startswith(f"{HANDOFF_PATH}?"):
        target = url_for("identity.welcome", next=pending.next_path or None)
    response = redirect(target)
    set_session_cookie(response, token, secure=settings().is_https)
    return response


@blueprint.get("/auth/confirm")
@needs("account.use")
def confirm() -> ResponseReturnValue:
    """Where a second factor is asked for, and why."""
    actor = current_actor()
    linked = {identity.provider for identity in queries.identities_of(actor.user_id or 0)}
    return render_template(
        "identity/confirm.html",
        providers=[found for found in all_providers() if found.name in linked],
        next_path=local_path(request.args.get("next")) or None,
    )


def _confirm(
    adapter: SignInProvider, pending: PendingSignIn, profile: Profile
) -> ResponseReturnValue:
    actor = current_actor()
    if actor.user_id != pending.confirm_user_id:
        return _problem("other_person", adapter, status=403)
    if not confirm_second_factor(actor, profile):
        return _problem("no_second_factor", adapter, pending.next_path, status=403)
    flash("Confirmed for half an hour. Do again what you were about to do.", "success")
    return redirect(pending.next_path or url_for("identity.account"))


def _offer_link(
    adapter: SignInProvider, pending: PendingSignIn, profile: Profile
) -> ResponseReturnValue:
    actor = current_actor()
    if actor.user_id != pending.link_user_id:
        # Somebody else is signed in by now, or nobody: the identity must not land there.
        return _problem("other_person", adapter, status=403)
    try:
        is_new = offer_identity(actor, profile)
    except IdentityTakenError:
        return _problem("taken", adapter)
    if not is_new:
        flash(f"This {adapter.label} sign-in is linked to your account already.", "info")
        return redirect(url_for("identity.sign_ins"))
    return redirect(url_for("identity.confirm_link"))


def _failed(
    adapter: SignInProvider, error: ProviderError, next_path: str = ""
) -> ResponseReturnValue:
    log.warning("sign-in failed", extra={"provider": adapter.name, "reason": error.reason})
    kind = "unavailable" if isinstance(error, ProviderUnavailableError) else "refused"
    return _problem(kind, adapter, next_path)


def _problem(
    kind: str,
    adapter: SignInProvider,
    next_path: str = "",
    *,
    status: int | None = None,
    **context: object,
) -> ResponseReturnValue:
    """A page that says what happened and what to do; nothing was changed."""
    others = [found for found in all_providers() if found.name != adapter.name]
    page = render_template(
        "identity/sign_in_problem.html",
        kind=kind,
        provider=adapter,
        others=others,
        next_path=next_path or None,
        **context,
    )
    response = make_response(page, status or STATUS_OF_PROBLEM.get(kind, 400))
    if kind == "unavailable":
        response.headers["Retry-After"] = "30"
    return response
