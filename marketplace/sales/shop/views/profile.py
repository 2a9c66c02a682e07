"""What stands on an organization's invoices."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from billing.profiles import LIMITS, ProfileValues, profile_of
from marketplace.core.errors import InvalidError
from marketplace.core.permissions import current_actor, needs
from marketplace.identity.models import Organization
from marketplace.identity.next_path import local_path
from marketplace.sales.form_errors import show_errors
from marketplace.sales.shop import buying, queries
from marketplace.sales.shop.forms import ProfileForm
from marketplace.sales.shop.views.blueprints import purchases, tabs_of


@purchases.get("/billing")
@needs("purchases.use", load=queries.own_organization, name="organization", hidden=False)
def billing_profile(organization: Organization) -> ResponseReturnValue:
    """The form with what is known."""
    profile = profile_of(organization.id)
    form = ProfileForm(formdata=None, obj=profile)
    if profile is None:
        form.legal_name.data = organization.name
        form.country.data = organization.country or ""
        form.email.data = current_actor().email
    return _page(organization, form)


@purchases.post("/billing")
@needs("purchases.use", load=queries.own_organization, name="organization", hidden=False)
def billing_profile_save(organization: Organization) -> ResponseReturnValue:
    """Keep it for invoices to come."""
    form = ProfileForm()
    values = ProfileValues(
        **{name: getattr(form, name).data or "" for name in LIMITS},
        country=form.country.data or None,
    )
    try:
        buying.save_details(current_actor(), organization, values)
    except InvalidError as error:
        show_errors(form, error)
        return _page(organization, form), 422
    flash("Saved. Invoices from now on say so.", "success")
    return redirect(
        local_path(request.args.get("next"))
        or url_for("purchases.billing_profile", slug=organization.slug),
        code=303,
    )


def _page(organization: Organization, form: ProfileForm) -> str:
    return render_template(
        "shop/profile.html",
        organization=organization,
        tabs=tabs_of(organization, "purchases.billing_profile"),
        form=form,
    )
