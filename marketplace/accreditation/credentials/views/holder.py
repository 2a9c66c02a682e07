"""What holders do with their credentials: see, download, show or hide their name."""

import json

from flask import Response, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from marketplace.accreditation.credentials import images, queries
from marketplace.accreditation.credentials.models import Credential, CredentialState
from marketplace.accreditation.credentials.services import by_hand
from marketplace.accreditation.credentials.tokens import read_token
from marketplace.accreditation.credentials.views.blueprints import credentials
from marketplace.core.permissions import current_actor, needs

_HOLD = needs("credential.hold", load=queries.find_credential, name="credential")


@credentials.get("/account/credentials")
@needs("credentials.own")
def mine() -> ResponseReturnValue:
    """What the person holds, wherever they earned it."""
    return render_template(
        "credentials/mine.html", rows=queries.own_credentials(current_actor().user_id or 0)
    )


@credentials.get("/credentials/<credential_id>/credential.jwt")
@_HOLD
def download_jwt(credential: Credential) -> ResponseReturnValue:
    """The signed credential (VC-JWT)."""
    return _file(credential, credential.token, "jwt", "text/plain; charset=utf-8")


@credentials.get("/credentials/<credential_id>/credential.json")
@_HOLD
def download_json(credential: Credential) -> ResponseReturnValue:
    """What is signed, readable. Without its signature it proves nothing."""
    text = json.dumps(read_token(credential.token).claims, indent=2, ensure_ascii=False)
    return _file(credential, text, "json", "application/json")


@credentials.get("/credentials/<credential_id>/badge.svg")
@_HOLD
def download_badge(credential: Credential) -> ResponseReturnValue:
    """The badge with the signed credential baked in."""
    state = credential.state
    image = images.medal(
        credential.title,
        str(current_app.config["SITE_NAME"]),
        note="" if state is CredentialState.VALID else state.value,
        token=credential.token,
    )
    return _file(credential, image, "svg", "image/svg+xml")


@credentials.post("/credentials/<credential_id>/name")
@needs("credential.publish", load=queries.find_credential, name="credential")
def choose_name(credential: Credential) -> ResponseReturnValue:
    """Show or hide the holder's name on the public page."""
    shown = request.form.get("shown") == "yes"
    by_hand.show_name(credential, shown, by_user_id=current_actor().user_id)
    flash(
        "Your name stands on the public page." if shown else "Your name is hidden again.", "success"
    )
    return redirect(url_for("credentials.show", credential_id=credential.public_id), code=303)


def _file(credential: Credential, text: str, ending: str, kind: str) -> Response:
    response = Response(text, content_type=kind)
    response.headers["Content-Disposition"] = (
        f'attachment; filename="{credential.public_id}.{ending}"'
    )
    return response
