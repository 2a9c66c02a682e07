"""The link in a mail to an address at a domain. Whoever reads that mail may confirm; they need no
account here."""

from flask import make_response, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm

from marketplace.accreditation.verification.domains import shown
from marketplace.accreditation.verification.services import proving
from marketplace.accreditation.verification.views.blueprints import verification
from marketplace.core.errors import ConflictError
from marketplace.core.limits import limiter
from marketplace.core.permissions import public
from marketplace.core.unit_of_work import unit_of_work

_PATH = "/verification/<verification_token>"


class ConfirmForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """A button."""


@verification.get(_PATH)
@public("whoever reads the mail holds the link")
@limiter.limit("60 per hour")
def confirming(verification_token: str) -> ResponseReturnValue:
    """Ask whether the domain belongs to the organization; opening the link changes nothing."""
    proof = proving.find_by_token(verification_token)
    page = render_template(
        "verification/confirming.html",
        proof=proof,
        shown=shown,
        token=verification_token,
        form=ConfirmForm(),
    )
    return make_response(page, 200 if proof else 404)


@verification.post(_PATH)
@public("whoever reads the mail holds the link")
@limiter.limit("60 per hour")
def confirm(verification_token: str) -> ResponseReturnValue:
    """Confirm it. A link is good once."""
    form = ConfirmForm()
    if not form.validate():
        return redirect(
            url_for("verification.confirming", verification_token=verification_token), code=303
        )
    try:
        with unit_of_work():
            proving.confirm_by_mail(verification_token)
    except ConflictError:
        page = render_template(
            "verification/confirming.html", proof=None, shown=shown, token="", form=form
        )
        return make_response(page, 409)
    return redirect(url_for("verification.confirmed"), code=303)


@verification.get("/verification")
@public("says thank you, and nothing else")
def confirmed() -> ResponseReturnValue:
    """It is confirmed."""
    return render_template("verification/confirmed.html")
