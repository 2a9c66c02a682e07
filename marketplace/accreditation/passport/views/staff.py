"""Passports of other installations: import, recognitions, trusted issuers."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import FileStorage

from marketplace.accreditation.credentials.addresses import issuer_id
from marketplace.accreditation.credentials.keys import all_keys
from marketplace.accreditation.credentials.queries import find_partner
from marketplace.accreditation.credentials.tokens import MOST_CHARACTERS
from marketplace.accreditation.passport import queries
from marketplace.accreditation.passport.addresses import base_of
from marketplace.accreditation.passport.document import KINDS, moment
from marketplace.accreditation.passport.forms import ImportForm, IssuerForm
from marketplace.accreditation.passport.models import Recognition, TrustedIssuer
from marketplace.accreditation.passport.services import importing, trusting
from marketplace.accreditation.passport.views.blueprints import passport_staff
from marketplace.core.errors import InvalidError
from marketplace.core.limits import limiter
from marketplace.core.pagination import page_number
from marketplace.core.permissions import current_actor, needs
from marketplace.identity.forms import show_errors
from marketplace.identity.models import Organization

_ISSUER = needs("passports.import", load=queries.find_issuer, name="issuer")
_RECOGNITION = needs("passports.import", load=queries.find_recognition, name="recognition")


@passport_staff.get("/staff/passports")
@needs("passports.import")
def index() -> ResponseReturnValue:
    """What was recognised."""
    words = request.args.get("q", "")[:100]
    return render_template(
        "passport/staff_index.html",
        page=queries.page_of_recognitions(words, page_number(request.args.get("page"))),
        words=words,
        kinds=KINDS,
    )


@passport_staff.get("/staff/passports/import")
@needs("passports.import")
def importing_form() -> ResponseReturnValue:
    """The form."""
    return _import_page(ImportForm(formdata=None))


@passport_staff.post("/staff/passports/import")
@needs("passports.import")
@limiter.limit("30 per minute", key_func=lambda: f"user:{current_actor().user_id}")
def look() -> ResponseReturnValue:
    """Verify it, and show what would be recognised."""
    form = ImportForm()
    valid = form.validate()
    text, partner = _submitted(form), find_partner(form.partner.data or "")
    if partner is None and not form.partner.errors:
        form.partner.errors = ["No partner, or several, of that name."]
    if not text.strip():
        form.token.errors = [*form.token.errors, "Paste the passport, or choose its file."]
    if not valid or partner is None or not text.strip():
        return _import_page(form), 422
    try:
        looked = importing.look_at(text, partner)
    except importing.PassportRefusedError as error:
        form.token.errors = [error.detail]
        return _import_page(form), 422
    return _preview(text, partner, looked)


@passport_staff.post("/staff/passports/accept")
@needs("passports.import")
@limiter.limit("30 per minute", key_func=lambda: f"user:{current_actor().user_id}")
def accept() -> ResponseReturnValue:
    """Recognise what was ticked."""
    text = request.form.get("token", "")[: MOST_CHARACTERS + 1]
    partner = find_partner(request.form.get("partner", "")[:120])
    chosen = {int(each) for each in request.form.getlist("items") if each in _PLACES}
    form = ImportForm(formdata=None)
    form.token.data, form.partner.data = text, request.form.get("partner", "")[:120]
    if partner is None:
        form.partner.errors = ["No partner, or several, of that name."]
        return _import_page(form), 422
    try:
        rows = importing.accept(text, partner, chosen, by_user_id=current_actor().user_id)
    except importing.PassportRefusedError as error:
        form.token.errors = [error.detail]
        return _import_page(form), 422
    count = len(rows)
    flash(f"Recognised {count} {'item' if count == 1 else 'items'}.", "success")
    return redirect(url_for("passport_staff.index"), code=303)


@passport_staff.get("/staff/passports/recognitions/<recognition_id>/end")
@_RECOGNITION
def ending(recognition: Recognition) -> ResponseReturnValue:
    """Ask once more."""
    return render_template("passport/staff_end.html", recognition=recognition)


@passport_staff.post("/staff/passports/recognitions/<recognition_id>/end")
@_RECOGNITION
def end(recognition: Recognition) -> ResponseReturnValue:
    """Recognise it no more."""
    if importing.end_recognition(recognition, by_user_id=current_actor().user_id):
        flash("Ended.", "success")
    return redirect(url_for("passport_staff.index"), code=303)


@passport_staff.get("/staff/passports/issuers")
@needs("passports.import")
def issuers() -> ResponseReturnValue:
    """Whom we trust, and what others need to trust us."""
    return _issuers_page(IssuerForm(formdata=None))


@passport_staff.post("/staff/passports/issuers")
@needs("passports.import")
@limiter.limit("30 per hour", key_func=lambda: f"user:{current_actor().user_id}")
def trust() -> ResponseReturnValue:
    """Trust another one, by a key that it publishes."""
    form = IssuerForm()
    try:
        if not form.validate():
            return _issuers_page(form), 422
        issuer = trusting.trust(
            form.address.data or "",
            form.name.data or "",
            form.thumbprint.data or "",
            by_user_id=current_actor().user_id,
        )
    except InvalidError as error:
        show_errors(form, error)
        return _issuers_page(form), 422
    flash(f"Passports of {issuer.name} count from now on.", "success")
    return redirect(url_for("passport_staff.issuers"), code=303)


@passport_staff.get("/staff/passports/issuers/<trusted_issuer_id>/remove")
@_ISSUER
def removing(issuer: TrustedIssuer) -> ResponseReturnValue:
    """Say what it means."""
    return render_template("passport/staff_remove.html", issuer=issuer)


@passport_staff.post("/staff/passports/issuers/<trusted_issuer_id>/remove")
@_ISSUER
def remove(issuer: TrustedIssuer) -> ResponseReturnValue:
    """Trust it no more."""
    if trusting.distrust(issuer, by_user_id=current_actor().user_id):
        flash("Removed. Its passports are refused from now on.", "success")
    return redirect(url_for("passport_staff.issuers"), code=303)


# Places of items, as a form posts them.
_PLACES = frozenset(str(place) for place in range(100))


def _submitted(form: ImportForm) -> str:
    uploaded = form.file.data
    if isinstance(uploaded, FileStorage) and uploaded.filename:
        return str(uploaded.read(MOST_CHARACTERS + 1).decode("utf-8", "replace"))
    return form.token.data or ""


def _preview(text: str, partner: Organization, looked: importing.Looked) -> str:
    return render_template(
        "passport/staff_preview.html",
        token="".join(text.split()),
        partner=partner,
        looked=looked,
        kinds=KINDS,
        moment=moment,
    )


def _import_page(form: ImportForm) -> str:
    return render_template("passport/staff_import.html", form=form)


def _issuers_page(form: IssuerForm) -> str:
    own = next((row for row in all_keys() if row.retired_at is None), None)
    return render_template(
        "passport/staff_issuers.html",
        form=form,
        rows=queries.issuers(),
        base_of=base_of,
        own_address=base_of(issuer_id()),
        own_thumbprint=own.kid if own else "",
    )
