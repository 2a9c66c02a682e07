"""The partner's passport: what it says, where it was taken, what we recognised."""

from flask import Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from marketplace.accreditation.passport import queries
from marketplace.accreditation.passport.addresses import base_of
from marketplace.accreditation.passport.contents import passport_of
from marketplace.accreditation.passport.document import DAYS, KINDS, moment
from marketplace.accreditation.passport.forms import ExportForm
from marketplace.accreditation.passport.models import PassportExport
from marketplace.accreditation.passport.services import exporting
from marketplace.accreditation.passport.views.blueprints import passport
from marketplace.core.database import db
from marketplace.core.errors import InvalidError
from marketplace.core.limits import limiter
from marketplace.core.pagination import page_number
from marketplace.core.permissions import current_actor, needs
from marketplace.identity.forms import show_errors
from marketplace.identity.models import Organization


@passport.get("/partner/passport")
@needs("passport.use")
def index() -> ResponseReturnValue:
    """The page."""
    return _page(ExportForm(formdata=None))


@passport.post("/partner/passport")
@needs("passport.use")
@limiter.limit("20 per hour", key_func=lambda: f"user:{current_actor().user_id}")
def export() -> ResponseReturnValue:
    """Sign one."""
    form = ExportForm()
    try:
        if not form.validate():
            return _page(form), 422
        exporting.export_passport(
            _own(),
            form.audience.data or "",
            by_user_id=current_actor().user_id,
            form_key=form.form_key.data or "",
        )
    except InvalidError as error:
        show_errors(form, error)
        return _page(form), 422
    flash(f"Signed. Download it and hand it in there within {DAYS} days.", "success")
    return redirect(url_for("passport.index"), code=303)


@passport.get("/partner/passport/<passport_id>/passport.jwt")
@needs("passport.own", load=queries.find_export, name="export")
def download(export: PassportExport) -> ResponseReturnValue:
    """The signed passport."""
    response = Response(export.token, content_type="text/plain; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{export.public_id}.jwt"'
    return response


def _own() -> Organization:
    return db.session.get_one(Organization, current_actor().organization_id)


def _page(form: ExportForm) -> str:
    organization = _own()
    return render_template(
        "passport/index.html",
        form=form,
        subject=passport_of(organization),
        page=queries.page_of_exports(organization.id, page_number(request.args.get("page"))),
        recognised=queries.recognised_for(organization.id),
        kinds=KINDS,
        moment=moment,
        base_of=base_of,
        days=DAYS,
    )
