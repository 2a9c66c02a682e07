"""A person's own pages: welcome, profile, sign-ins, sessions and organizations."""

from flask import current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from marketplace.core.database import db
from marketplace.core.errors import InvalidError, NotFoundError
from marketplace.core.limits import limiter
from marketplace.core.permissions import MembershipInfo, current_actor, needs
from marketplace.identity import queries
from marketplace.identity.devices import device_name
from marketplace.identity.forms import (
    AccountForm,
    EmailForm,
    NewEmailForm,
    OrganizationForm,
    choices_of,
    renamed,
    show_errors,
)
from marketplace.identity.models import Identity, User, UserSession
from marketplace.identity.next_path import local_path
from marketplace.identity.providers import all_providers, provider_label
from marketplace.identity.services import accounts, identities, sessions
from marketplace.identity.services.organizations import create_organization
from marketplace.identity.sessions import COOKIE
from marketplace.identity.views.blueprint import ID, blueprint, settings


def _own_user() -> User:
    user = queries.find_user(current_actor().user_id)
    if user is None:
        raise NotFoundError
    return user


@blueprint.get("/auth/landing")
@needs("account.use")
def landing() -> ResponseReturnValue:
    """Where somebody goes who signed in without having been on the way to a page."""
    return redirect(_home_of(current_actor().organization))


def _home_of(organization: MembershipInfo | None) -> str:
    kind = organization.organization_kind if organization is not None else ""
    wanted = {"partner": "portal.home", "platform": "staff.home"}.get(kind, "site.home")
    known = wanted if wanted in current_app.view_functions else "identity.account"
    return url_for(known)


@blueprint.route("/welcome", methods=["GET", "POST"])
@needs("account.use")
def welcome() -> ResponseReturnValue:
    """The first page of a new person: name, time zone, and a first organization if they like."""
    user = _own_user()
    next_path = local_path(request.args.get("next"))
    form = AccountForm(obj=user)
    organization_form = OrganizationForm()
    wants_organization = bool((organization_form.organization_name.data or "").strip())
    status = 200
    if request.method == "POST":
        status = 422
        if form.validate() and _save_welcome(form, organization_form, wants_organization):
            flash("Welcome. You can change all of this on your account page.", "success")
            home = "identity.landing" if wants_organization else "identity.account"
            return redirect(next_path or url_for(home))
    page = render_template(
        "identity/welcome.html",
        user=user,
        form=form,
        organization_form=organization_form,
        invitations=queries.invitations_for(queries.verified_emails(user.id)),
        next_path=next_path or None,
    )
    return page, status


def _save_welcome(
    form: AccountForm, organization_form: OrganizationForm, wants_organization: bool
) -> bool:
    try:
        accounts.update_profile(current_actor(), name=form.name.data, timezone=form.timezone.data)
    except InvalidError as error:
        show_errors(form, error)
        return False
    if wants_organization:
        try:
            _create(organization_form)
        except InvalidError as error:
            show_errors(organization_form, renamed(error, "name", "organization_name"))
            return False
    return True


def _create(form: OrganizationForm) -> None:
    create_organization(
        current_actor(),
        name=form.organization_name.data or "",
        kind=form.kind.data or "",
        partner_type=form.partner_type.data or None,
    )


@blueprint.route("/account", methods=["GET", "POST"])
@needs("account.use")
def account() -> ResponseReturnValue:
    """Name, time zone and addresses."""
    user = _own_user()
    form = AccountForm(obj=user)
    if request.method == "POST" and form.validate():
        try:
            accounts.update_profile(
                current_actor(), name=form.name.data, timezone=form.timezone.data
            )
        except InvalidError as error:
            show_errors(form, error)
        else:
            flash("Saved.", "success")
            return redirect(url_for("identity.account"))
    status = 422 if request.method == "POST" else 200
    return _account_page(user, form=form), status


def _account_page(
    user: User,
    *,
    form: AccountForm | None = None,
    email_form: EmailForm | None = None,
    new_email_form: NewEmailForm | None = None,
) -> str:
    verified = sorted(queries.verified_emails(user.id))
    email_form = email_form or EmailForm(formdata=None, email=user.email)
    email_form.email.choices = choices_of((email, email) for email in verified)
    return render_template(
        "identity/account.html",
        user=user,
        form=form or AccountForm(formdata=None, obj=user),
        email_form=email_form,
        new_email_form=new_email_form or NewEmailForm(formdata=None),
        verified=verified,
        invitations=queries.invitations_for(verified),
    )


@blueprint.post("/account/email")
@needs("account.use")
def choose_email() -> ResponseReturnValue:
    """Choose the contact address among the confirmed ones."""
    form = EmailForm()
    try:
        accounts.choose_email(current_actor(), form.email.data or "")
    except InvalidError as error:
        show_errors(form, error)
        return _account_page(_own_user(), email_form=form), 422
    flash("Mail goes to this address from now on.", "success")
    return redirect(url_for("identity.account"))


@blueprint.post("/account/email/confirmation-mail")
@needs("account.use")
@limiter.limit("5 per hour", key_func=lambda: f"user:{current_actor().user_id}")
def send_confirmation() -> ResponseReturnValue:
    """Mail a link that confirms a new address."""
    form = NewEmailForm()
    if form.validate():
        try:
            email = accounts.send_confirmation(
                current_actor(),
                form.new_email.data or "",
                secret_key=settings().secret_key,
                public_url=settings().public_url,
            )
        except InvalidError as error:
            show_errors(form, error)
        else:
            flash(f"We sent a link to {email}. Open it within 24 hours.", "success")
            return redirect(url_for("identity.account"))
    return _account_page(_own_user(), new_email_form=form), 422


@blueprint.route("/account/email/confirmation", methods=["GET", "POST"])
@needs("account.use")
def confirm_email() -> ResponseReturnValue:
    """The page of the mailed link; the address is confirmed by its button."""
    actor, key = current_actor(), settings().secret_key
    token = request.values.get("token", "")
    try:
        if request.method == "POST":
            accounts.confirm_email(actor, token, secret_key=key)
            flash("The address is confirmed.", "success")
            return redirect(url_for("identity.account"))
        email = accounts.read_confirmation(actor, token, secret_key=key)
    except InvalidError as error:
        return render_template("identity/email_problem.html", text=error.fields["token"]), 422
    return render_template("identity/confirm_email.html", email=email, token=token)


@blueprint.get("/account/sign-ins")
@needs("account.use")
def sign_ins() -> ResponseReturnValue:
    """The identities that this person signs in with."""
    return render_template(
        "identity/sign_ins.html",
        identities=queries.identities_of(_own_user().id),
        providers=all_providers(),
        provider_label=provider_label,
    )


@blueprint.get("/account/sign-ins/new")
@needs("account.use")
def confirm_link() -> ResponseReturnValue:
    """Ask whether the identity that was just proven is to be linked."""
    profile = identities.offered_identity(current_actor())
    if profile is None:
        return redirect(url_for("identity.sign_ins"))
    return render_template(
        "identity/confirm_link.html", profile=profile, label=provider_label(profile.provider)
    )


@blueprint.post("/account/sign-ins")
@needs("account.use")
def link_identity() -> ResponseReturnValue:
    """Link the offered identity."""
    identity = identities.accept_offer(current_actor())
    flash(f"You can sign in with {provider_label(identity.provider)} from now on.", "success")
    return redirect(url_for("identity.sign_ins"))


@blueprint.post("/account/sign-ins/refusal")
@needs("account.use")
def refuse_link() -> ResponseReturnValue:
    """Forget the offered identity."""
    identities.drop_offer(current_actor())
    return redirect(url_for("identity.sign_ins"))


def _find_identity(identity_id: int) -> Identity | None:
    return db.session.get(Identity, identity_id)


@blueprint.route(f"/account/sign-ins/<{ID}:identity_id>/removal", methods=["GET", "POST"])
@needs("identity.unlink", load=_find_identity, name="identity")
def unlink_identity(identity: Identity) -> ResponseReturnValue:
    """Unlink an identity, after asking."""
    label = provider_label(identity.provider)
    if request.method == "GET":
        return render_template("identity/confirm_unlink.html", identity=identity, label=label)
    identities.unlink_identity(current_actor(), identity.id)
    flash(f"{label} is no longer linked to your account.", "success")
    return redirect(url_for("identity.sign_ins"))


@blueprint.get("/account/sessions", endpoint="sessions")
@needs("account.use")
def list_sessions() -> ResponseReturnValue:
    """The browsers that are signed in."""
    rows = queries.live_sessions(_own_user().id)
    return render_template(
        "identity/sessions.html",
        sessions=rows,
        current_id=current_actor().session_id,
        device_name=device_name,
    )


def _find_session(session_id: int) -> UserSession | None:
    return db.session.get(UserSession, session_id)


@blueprint.post(f"/account/sessions/<{ID}:session_id>/revocation")
@needs("session.end", load=_find_session, name="row")
def end_session(row: UserSession) -> ResponseReturnValue:
    """Sign one browser out."""
    sessions.end_session(current_actor(), row.id)
    flash("That device is signed out.", "success")
    return redirect(url_for("identity.sessions"))


@blueprint.post("/account/sessions/revocation")
@needs("account.use")
def end_sessions() -> ResponseReturnValue:
    """Sign out everywhere; with `keep=current` everywhere else."""
    but_current = request.form.get("keep") == "current"
    ended = sessions.end_sessions(current_actor(), but_current=but_current)
    if but_current:
        flash(f"Signed out on {ended} other {'device' if ended == 1 else 'devices'}.", "success")
        return redirect(url_for("identity.sessions"))
    flash("You are signed out everywhere.", "success")
    response = redirect(url_for("identity.login"))
    response.delete_cookie(COOKIE, httponly=True, samesite="Lax", secure=settings().is_https)
    return response


@blueprint.post("/account/organization")
@needs("account.use")
def switch_organization() -> ResponseReturnValue:
    """Act for another of one's organizations."""
    given = request.form.get("organization_id", "")
    if not (given.isascii() and given.isdigit() and len(given) < 19):
        raise NotFoundError
    membership = accounts.switch_organization(current_actor(), int(given))
    flash(f"You now work as {membership.organization_name}.", "success")
    return redirect(local_path(request.form.get("next")) or _home_of(membership))
