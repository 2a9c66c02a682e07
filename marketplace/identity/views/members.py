"""An organization's members and its invitations."""

from flask import Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from marketplace.core.errors import InvalidError
from marketplace.core.limits import limiter
from marketplace.core.permissions import authorize, current_actor, needs
from marketplace.identity import queries
from marketplace.identity.forms import InviteForm, role_choices, show_errors
from marketplace.identity.member_export import members_csv
from marketplace.identity.models import Invitation, Membership, Organization
from marketplace.identity.roles import LABELS, assignable_roles, may_change_member, may_manage
from marketplace.identity.services import invitations as invitation_services
from marketplace.identity.services import members as services
from marketplace.identity.views.blueprint import ID, blueprint, settings


def _find_member(slug: str, user_id: int) -> Membership | None:
    organization = queries.find_organization(slug)
    if organization is None:
        return None
    # Whether the actor may see who is a member is decided before whether this person is one.
    authorize(current_actor(), "organization.manage_members", organization, hidden=True)
    return queries.find_membership(organization.id, user_id)


@blueprint.get("/organizations/<slug>/members")
@needs("organization.see_members", load=queries.find_organization, name="organization")
def members(organization: Organization) -> ResponseReturnValue:
    """Who is a member, and who is invited."""
    return _members_page(organization, InviteForm(formdata=None, role="viewer"))


def _members_page(organization: Organization, form: InviteForm) -> str:
    actor = current_actor()
    own_role = actor.role_in(organization.id)
    roles = assignable_roles(own_role, organization.kind)
    form.role.choices = role_choices(roles)
    manages = may_manage(own_role)
    return render_template(
        "identity/members.html",
        organization=organization,
        members=queries.members_of(organization.id),
        invitations=queries.open_invitations(organization.id) if manages else [],
        form=form,
        manages=manages,
        own_role=own_role,
        may_change_member=may_change_member,
        role_options=[(role.value, LABELS[role]) for role in roles],
        labels=LABELS,
    )


@blueprint.get("/organizations/<slug>/members.csv")
@needs("organization.manage_members", load=queries.find_organization, name="organization")
def members_export(organization: Organization) -> ResponseReturnValue:
    """The members as a file."""
    response = Response(
        members_csv(queries.members_of(organization.id)), mimetype="text/csv; charset=utf-8"
    )
    name = f"{organization.slug}-members.csv"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@blueprint.post(f"/organizations/<slug>/members/<{ID}:user_id>/role")
@needs("organization.change_member", load=_find_member, name="membership")
def change_role(membership: Membership) -> ResponseReturnValue:
    """Give a member another role."""
    organization = membership.organization
    try:
        services.change_role(
            current_actor(), organization, membership.user_id, request.form.get("role", "")
        )
    except InvalidError as error:
        flash(error.fields["role"], "danger")
        return redirect(url_for("identity.members", slug=organization.slug))
    flash(f"{membership.user.name} is now {LABELS[membership.role].lower()}.", "success")
    return redirect(url_for("identity.members", slug=organization.slug))


@blueprint.route(f"/organizations/<slug>/members/<{ID}:user_id>/removal", methods=["GET", "POST"])
@needs("organization.change_member", load=_find_member, name="membership")
def remove_member(membership: Membership) -> ResponseReturnValue:
    """Remove a member, after asking."""
    organization = membership.organization
    if request.method == "GET":
        return render_template(
            "identity/confirm_removal.html", organization=organization, membership=membership
        )
    name = membership.user.name
    services.remove_member(current_actor(), organization, membership.user_id)
    flash(f"{name} is no longer a member.", "success")
    if membership.user_id == current_actor().user_id:
        return redirect(url_for("identity.organizations"))
    return redirect(url_for("identity.members", slug=organization.slug))


@blueprint.post("/organizations/<slug>/invitations")
@needs("organization.manage_members", load=queries.find_organization, name="organization")
@limiter.limit("60 per hour", key_func=lambda: f"user:{current_actor().user_id}")
def invite(organization: Organization) -> ResponseReturnValue:
    """Invite somebody by mail."""
    form = InviteForm()
    if form.validate():
        try:
            invitation = invitation_services.invite(
                current_actor(),
                organization,
                email=form.email.data or "",
                role=form.role.data or "",
                public_url=settings().public_url,
            )
        except InvalidError as error:
            show_errors(form, error)
        else:
            flash(f"The invitation is on its way to {invitation.email}.", "success")
            return redirect(url_for("identity.members", slug=organization.slug))
    return _members_page(organization, form), 422


def _find_invitation(slug: str, invitation_id: int) -> Invitation | None:
    invitation = queries.find_invitation(invitation_id)
    if invitation is None or invitation.organization.slug != slug:
        return None
    return invitation


@blueprint.post(f"/organizations/<slug>/invitations/<{ID}:invitation_id>/sending")
@needs("invitation.manage", load=_find_invitation, name="invitation")
@limiter.limit("60 per hour", key_func=lambda: f"user:{current_actor().user_id}")
def resend_invitation(invitation: Invitation) -> ResponseReturnValue:
    """Send an invitation again, with a new link."""
    invitation_services.resend(current_actor(), invitation, public_url=settings().public_url)
    flash(f"A new invitation is on its way to {invitation.email}.", "success")
    return redirect(url_for("identity.members", slug=invitation.organization.slug))


@blueprint.post(f"/organizations/<slug>/invitations/<{ID}:invitation_id>/revocation")
@needs("invitation.manage", load=_find_invitation, name="invitation")
def revoke_invitation(invitation: Invitation) -> ResponseReturnValue:
    """Take an invitation back."""
    invitation_services.revoke(current_actor(), invitation)
    flash(f"The invitation to {invitation.email} is taken back.", "success")
    return redirect(url_for("identity.members", slug=invitation.organization.slug))
