"""Creating organizations, their profiles, leaving."""

from flask import current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from marketplace.core.errors import InvalidError
from marketplace.core.images import MAX_UPLOAD_BYTES
from marketplace.core.permissions import current_actor, needs
from marketplace.identity import queries
from marketplace.identity.forms import (
    OrganizationForm,
    OrganizationProfileForm,
    renamed,
    show_errors,
)
from marketplace.identity.models import Organization
from marketplace.identity.roles import LABELS
from marketplace.identity.services import members as member_services
from marketplace.identity.services import organizations as services
from marketplace.identity.type_lock import is_type_locked
from marketplace.identity.views.blueprint import blueprint

PROFILE_FIELDS = (
    "name",
    "partner_type",
    "tagline",
    "about",
    "website",
    "country",
    "brand_color",
)


@blueprint.get("/account/organizations")
@needs("account.use")
def organizations() -> ResponseReturnValue:
    """The actor's organizations."""
    actor = current_actor()
    user_id = actor.user_id or 0
    return render_template(
        "identity/organizations.html",
        memberships=queries.memberships_of(user_id),
        invitations=queries.invitations_for(queries.verified_emails(user_id)),
        active_id=actor.organization_id,
        labels=LABELS,
    )


@blueprint.route("/organizations/new", methods=["GET", "POST"])
@needs("account.use")
def new_organization() -> ResponseReturnValue:
    """Create another organization."""
    form = OrganizationForm()
    if request.method == "POST" and form.validate():
        try:
            organization = services.create_organization(
                current_actor(),
                name=form.organization_name.data or "",
                kind=form.kind.data or "",
                partner_type=form.partner_type.data or None,
            )
        except InvalidError as error:
            show_errors(form, renamed(error, "name", "organization_name"))
        else:
            flash(f"{organization.name} is created. You work for it now.", "success")
            if organization.is_partner and "onboarding.getting_started" in (
                current_app.view_functions
            ):
                # It says whether the organization is in the program, or how it comes in.
                return redirect(url_for("onboarding.getting_started"))
            return redirect(url_for("identity.organization_profile", slug=organization.slug))
    status = 422 if request.method == "POST" else 200
    return render_template("identity/new_organization.html", form=form), status


@blueprint.route("/organizations/<slug>/profile", methods=["GET", "POST"])
@needs("organization.edit", load=queries.find_organization, name="organization")
def organization_profile(organization: Organization) -> ResponseReturnValue:
    """What the organization says about itself."""
    form = OrganizationProfileForm(obj=organization)
    actor = current_actor()
    version = organization.updated_at.isoformat()
    is_stale = request.form.get("version", version) != version
    if request.method == "POST":
        _keep_unsent(form, organization)
        if form.validate() and not is_stale:
            try:
                _save(form, organization)
            except InvalidError as error:
                show_errors(form, error)
            else:
                flash("Saved.", "success")
                return redirect(url_for("identity.organization_profile", slug=organization.slug))
    # What was typed is shown again; sent once more, it is meant to replace the other's.
    form.version.data = version
    page = render_template(
        "identity/organization_profile.html",
        organization=organization,
        form=form,
        is_stale=is_stale,
        may_rename=services.may_rename(actor, organization),
        name_locked=services.NAME_LOCKED,
        max_upload=MAX_UPLOAD_BYTES,
        type_locked=organization.is_partner and is_type_locked(organization.id),
    )
    if is_stale:
        return page, 409
    return page, 422 if request.method == "POST" else 200


def _keep_unsent(form: OrganizationProfileForm, organization: Organization) -> None:
    """A field that the browser did not send (a locked name is disabled) keeps its value."""
    for name in PROFILE_FIELDS:
        if name not in request.form:
            value = getattr(organization, name) or ""
            form[name].data = value
            form[name].raw_data = [value]


def _save(form: OrganizationProfileForm, organization: Organization) -> None:
    actor = current_actor()
    services.update_organization(
        actor, organization, {name: form[name].data for name in PROFILE_FIELDS}
    )
    upload = request.files.get("logo")
    if upload is not None and upload.filename:
        # One byte more than is allowed tells that it is too much, without reading all of it.
        data = upload.stream.read(MAX_UPLOAD_BYTES + 1)
        services.set_logo(actor, organization, data, current_app.extensions["portico_storage"])
    elif form.remove_logo.data:
        services.remove_logo(actor, organization)


@blueprint.route("/organizations/<slug>/departure", methods=["GET", "POST"])
@needs("organization.leave", load=queries.find_organization, name="organization")
def leave_organization(organization: Organization) -> ResponseReturnValue:
    """Leave, after asking."""
    if request.method == "GET":
        return render_template("identity/confirm_leave.html", organization=organization)
    member_services.leave(current_actor(), organization)
    flash(f"You left {organization.name}.", "success")
    return redirect(url_for("identity.organizations"))
