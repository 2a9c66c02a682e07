"""Authorizations, as a partner files them."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from marketplace.accreditation.authorizations import queries, services, texts
from marketplace.accreditation.authorizations.forms import AuthorizationForm, ProfileForm
from marketplace.accreditation.authorizations.models import Authorization
from marketplace.accreditation.authorizations.schemes import LABELS
from marketplace.accreditation.authorizations.views.blueprints import authorizations
from marketplace.accreditation.certification.listings import listings_by_id, listings_of
from marketplace.accreditation.certification.tabs import certification_tabs
from marketplace.accreditation.form_errors import show_errors
from marketplace.accreditation.verification.queries import own_partner
from marketplace.core.errors import ConflictError, InvalidError, NotFoundError
from marketplace.core.limits import limiter
from marketplace.core.pagination import page_number
from marketplace.core.permissions import current_actor, needs
from marketplace.identity.forms import choices_of
from marketplace.identity.models import Organization

_PATH = "/partner/authorizations/<authorization_id>"
_MANAGE = needs("authorization.manage", load=queries.find_authorization, name="row")


def _by_person() -> str:
    return f"user:{current_actor().user_id}"


@authorizations.get("/partner/authorizations")
@needs("authorizations.use")
def index() -> ResponseReturnValue:
    """The organization's authorizations."""
    page = queries.page_of_partner(
        current_actor().organization_id or 0, page_number(request.args.get("page"))
    )
    return render_template(
        "authorizations/index.html",
        tabs=certification_tabs("authorizations.index"),
        page=page,
        listings=listings_by_id([row.listing_id for row in page.items]),
        labels=LABELS,
        texts=texts,
    )


@authorizations.get("/partner/authorizations/new")
@needs("authorizations.use")
def new() -> ResponseReturnValue:
    """The form for one."""
    return _form_page(AuthorizationForm(formdata=None))


@authorizations.post("/partner/authorizations/new")
@needs("authorizations.use")
@limiter.limit("60 per hour", key_func=_by_person)
def create() -> ResponseReturnValue:
    """File it."""
    return _save(None)


@authorizations.get(_PATH)
@_MANAGE
def edit(row: Authorization) -> ResponseReturnValue:
    """The form to change it."""
    form = AuthorizationForm(formdata=None)
    form.show(row)
    return _form_page(form, row)


@authorizations.post(_PATH)
@_MANAGE
@limiter.limit("60 per hour", key_func=_by_person)
def save(row: Authorization) -> ResponseReturnValue:
    """Change it."""
    return _save(row)


@authorizations.get(f"{_PATH}/withdrawal")
@_MANAGE
def withdrawing(row: Authorization) -> ResponseReturnValue:
    """Ask once more."""
    return render_template("authorizations/withdrawal.html", row=row, labels=LABELS)


@authorizations.post(f"{_PATH}/withdrawal")
@_MANAGE
def withdraw(row: Authorization) -> ResponseReturnValue:
    """Take it back."""
    services.withdraw(row, by_user_id=current_actor().user_id)
    flash("Withdrawn.", "success")
    return redirect(url_for("authorizations.index"), code=303)


@authorizations.get("/partner/authorizations/company")
@needs("procurement_profile.edit")
def profile() -> ResponseReturnValue:
    """What the pack says of the company."""
    form = ProfileForm(formdata=None)
    form.show(services.profile_of(current_actor().organization_id or 0))
    return render_template("authorizations/profile.html", form=form)


@authorizations.post("/partner/authorizations/company")
@needs("procurement_profile.edit")
def profile_save() -> ResponseReturnValue:
    """Change it."""
    form = ProfileForm()
    if not form.validate():
        return render_template("authorizations/profile.html", form=form), 422
    try:
        services.save_profile(_organization(), form.values(), by_user_id=current_actor().user_id)
    except InvalidError as error:
        show_errors(form, error)
        return render_template("authorizations/profile.html", form=form), 422
    flash("Saved. It stands in the packs from now on.", "success")
    return redirect(url_for("authorizations.profile"), code=303)


def _organization() -> Organization:
    found = own_partner(current_actor().organization_id)
    if found is None:
        raise NotFoundError
    return found


def _save(row: Authorization | None) -> ResponseReturnValue:
    form = AuthorizationForm()
    if not form.validate():
        return _form_page(form, row), 422
    try:
        services.save(_organization(), row, form.claim(), by_user_id=current_actor().user_id)
    except InvalidError as error:
        show_errors(form, error)
        return _form_page(form, row), 422
    except ConflictError as error:
        flash(error.detail, "warning")
        return redirect(url_for("authorizations.index"), code=303)
    flash("Filed. It is public once our team has checked it.", "success")
    return redirect(url_for("authorizations.index"), code=303)


def _form_page(form: AuthorizationForm, row: Authorization | None = None) -> str:
    form.listing.choices = choices_of(
        [
            ("", "Choose"),
            *(
                (str(each.id), each.name)
                for each in listings_of(current_actor().organization_id or 0)
            ),
        ]
    )
    return render_template(
        "authorizations/form.html", form=form, row=row, labels=LABELS, texts=texts
    )
