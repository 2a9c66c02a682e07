"""The staff's desk of credentials: search, issue by hand, revoke, keys."""

import secrets

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from marketplace.accreditation.credentials import keys, queries
from marketplace.accreditation.credentials.forms import EmptyForm, IssueForm, RevokeForm
from marketplace.accreditation.credentials.models import Credential, CredentialState
from marketplace.accreditation.credentials.services import by_hand, issuing
from marketplace.accreditation.credentials.views.blueprints import credentials_staff
from marketplace.accreditation.credentials.views.partner import CSV_HEAD, csv_row
from marketplace.core import clock
from marketplace.core.csv_export import csv_response
from marketplace.core.errors import InvalidError
from marketplace.core.limits import limiter
from marketplace.core.pagination import page_number
from marketplace.core.permissions import current_actor, needs
from marketplace.identity.forms import show_errors

_MANAGE = needs("credentials.manage", load=queries.find_credential, name="credential")


@credentials_staff.get("/staff/credentials")
@needs("credentials.manage")
def index() -> ResponseReturnValue:
    """All credentials."""
    state, words = request.args.get("state", ""), request.args.get("q", "")[:100]
    query = queries.credentials_query(state=state, words=words)
    return render_template(
        "credentials/staff_index.html",
        page=queries.page_of_credentials(query, page_number(request.args.get("page"))),
        states=CredentialState,
        shown=state if state in set(CredentialState) else "",
        words=words,
    )


@credentials_staff.get("/staff/credentials.csv")
@needs("credentials.manage")
def export() -> ResponseReturnValue:
    """The same as a file."""
    query = queries.credentials_query(
        state=request.args.get("state", ""), words=request.args.get("q", "")[:100]
    )
    rows = [(row.organization.name, *csv_row(row)) for row in queries.rows_of(query)]
    return csv_response(
        f"credentials-{clock.now():%Y-%m-%d}.csv", ("organization", *CSV_HEAD), rows
    )


@credentials_staff.get("/staff/credentials/new")
@needs("credentials.manage")
def new() -> ResponseReturnValue:
    """The form for a credential by hand."""
    form = IssueForm(formdata=None)
    form.nonce.data = secrets.token_hex(16)
    return render_template("credentials/staff_new.html", form=form)


@credentials_staff.post("/staff/credentials/new")
@needs("credentials.manage")
@limiter.limit("120 per hour", key_func=lambda: f"user:{current_actor().user_id}")
def create() -> ResponseReturnValue:
    """Issue it."""
    form = IssueForm()
    if not form.validate():
        return render_template("credentials/staff_new.html", form=form), 422
    try:
        credential = by_hand.issue_by_hand(
            partner=form.partner.data or "",
            email=form.email.data or "",
            title=form.title.data or "",
            description=form.description.data or "",
            criteria=form.criteria.data or "",
            expires_on=form.expires_on.data,
            nonce=(form.nonce.data or secrets.token_hex(16)).replace("\x00", ""),
            by_user_id=current_actor().user_id,
        )
    except InvalidError as error:
        show_errors(form, error)
        return render_template("credentials/staff_new.html", form=form), 422
    flash("Issued. The holder is told by mail.", "success")
    return redirect(url_for("credentials.show", credential_id=credential.public_id), code=303)


@credentials_staff.get("/staff/credentials/<credential_id>/revoke")
@_MANAGE
def revoking(credential: Credential) -> ResponseReturnValue:
    """Ask for the reason."""
    return render_template(
        "credentials/staff_revoke.html", form=RevokeForm(formdata=None), credential=credential
    )


@credentials_staff.post("/staff/credentials/<credential_id>/revoke")
@_MANAGE
def revoke(credential: Credential) -> ResponseReturnValue:
    """Revoke it for good."""
    form = RevokeForm()
    valid = form.validate()
    if "\x00" in (form.reason.data or ""):
        form.reason.errors = [*form.reason.errors, "It holds a character that cannot be stored."]
        valid = False
    if not valid:
        page = render_template("credentials/staff_revoke.html", form=form, credential=credential)
        return page, 422
    if issuing.revoke(
        credential, reason=form.reason.data or "", by_user_id=current_actor().user_id
    ):
        flash("Revoked. The holder is told by mail, and every badge of it turns grey.", "success")
    else:
        flash("It was revoked before.", "info")
    return redirect(url_for("credentials_staff.index", q=credential.public_id), code=303)


@credentials_staff.get("/staff/credentials/keys")
@needs("credentials.manage")
def signing_keys() -> ResponseReturnValue:
    """The keys that sign or have signed."""
    return render_template("credentials/staff_keys.html", rows=keys.all_keys(), form=EmptyForm())


@credentials_staff.get("/staff/credentials/keys/rotate")
@needs("credentials.manage")
def rotating() -> ResponseReturnValue:
    """Say what a new key means."""
    return render_template("credentials/staff_rotate.html")


@credentials_staff.post("/staff/credentials/keys/rotate")
@needs("credentials.manage")
@limiter.limit("10 per hour", key_func=lambda: f"user:{current_actor().user_id}")
def rotate() -> ResponseReturnValue:
    """Begin a new key."""
    keys.rotate(by_user_id=current_actor().user_id)
    flash("A new key signs from now on. What the old one signed stays verifiable.", "success")
    return redirect(url_for("credentials_staff.signing_keys"), code=303)
