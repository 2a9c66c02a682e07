"""What anybody may see: a credential's page, the issuer, its keys, status lists, the verifier."""

from flask import Response, jsonify, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import FileStorage

from marketplace.accreditation.credentials import addresses, documents, keys, queries
from marketplace.accreditation.credentials.forms import VerifyForm
from marketplace.accreditation.credentials.models import Credential
from marketplace.accreditation.credentials.tokens import MOST_CHARACTERS
from marketplace.accreditation.credentials.verifying import Verdict, is_recipient, verify
from marketplace.accreditation.credentials.views.blueprints import credentials
from marketplace.core import clock
from marketplace.core.errors import NotFoundError
from marketplace.core.limits import limiter
from marketplace.core.permissions import current_actor, public

_MINUTES_5 = "public, max-age=300"


@credentials.get("/credentials/<credential_id>")
@public("whoever has the link may see what a credential is worth; it says no more than agreed")
def show(credential_id: str) -> ResponseReturnValue:
    """A credential for people. Its holder, and staff, see all of it."""
    credential = _found(credential_id)
    is_holder = queries.is_holder(credential)
    return render_template(
        "credentials/show.html",
        credential=credential,
        is_holder=is_holder,
        is_person=credential.user_id is not None,
        may_download=current_actor().can("credential.hold", credential),
        may_publish=current_actor().can("credential.publish", credential),
        shows_name=credential.shows_name or is_holder or current_actor().can("credentials.manage"),
        address=addresses.credential_url(credential.public_id),
    )


@credentials.get("/credentials/issuer")
@public("verifiers read who issues")
def issuer() -> ResponseReturnValue:
    """The issuer's profile (JSON-LD)."""
    document = {
        "@context": [documents.VC_CONTEXT, documents.OB_CONTEXT],
        **documents.issuer_profile(),
        "jwks": addresses.key_url("").rstrip("/"),
    }
    response = jsonify(document)
    response.headers["Content-Type"] = "application/ld+json"
    return _open(response)


@credentials.get("/credentials/keys")
@public("verifiers read the public keys")
def key_set() -> ResponseReturnValue:
    """Every public key there was, as a JWK set."""
    return _open(jsonify({"keys": [keys.public_jwk(row) for row in keys.all_keys()]}))


@credentials.get("/credentials/keys/<kid>")
@public("verifiers read the public key that a credential names")
def key(kid: str) -> ResponseReturnValue:
    """One public key (JWK)."""
    row = keys.find_key(kid)
    if row is None:
        raise NotFoundError
    response = _open(jsonify(keys.public_jwk(row)))
    response.headers["Content-Type"] = "application/jwk+json"
    return response


@credentials.get("/credentials/status/<int:list_number>")
@public("verifiers read which credentials were revoked; the list names none")
@limiter.limit("120 per minute")
def status(list_number: int) -> ResponseReturnValue:
    """A status list, signed (VC-JWT)."""
    if not 1 <= list_number <= 100_000 or not queries.has_list(list_number):
        raise NotFoundError
    document = documents.status_document(
        list_number, queries.revoked_places(list_number), clock.now()
    )
    response = Response(documents.sign_document(document), content_type="application/vc+jwt")
    return _open(response, "public, max-age=60")


@credentials.get("/credentials/verify")
@public("anybody may verify a credential")
@limiter.limit("60 per minute")
def verifier() -> ResponseReturnValue:
    """The form; with `?credential=` one of ours is verified by its page's button."""
    wanted = request.args.get("credential", "")
    if not wanted:
        return _page(VerifyForm(formdata=None))
    credential = _found(wanted)
    finding = verify(credential.token)
    return render_template(
        "credentials/verified.html",
        finding=finding,
        Verdict=Verdict,
        shows_recipient=credential.shows_name or queries.is_holder(credential),
        matches=None,
        known="",
        back=credential,
    )


@credentials.post("/credentials/verify")
@public("anybody may verify a credential; twenty a minute for one address")
@limiter.limit("20 per minute")
def verify_posted() -> ResponseReturnValue:
    """Verify what was pasted or uploaded."""
    form = VerifyForm()
    valid = form.validate()
    text = _submitted(form)
    if valid and not text.strip():
        form.token.errors = ["Paste the credential, or choose its file."]
        valid = False
    if not valid:
        return _page(form), 422
    finding = verify(text)
    if finding.verdict is Verdict.UNREADABLE:
        form.token.errors = [finding.reason]
        return _page(form), 422
    known = (form.known.data or "").strip()
    return render_template(
        "credentials/verified.html",
        finding=finding,
        Verdict=Verdict,
        shows_recipient=True,
        matches=is_recipient(finding.claims, known) if known and finding.claims else None,
        known=known,
        back=None,
    )


def _submitted(form: VerifyForm) -> str:
    uploaded = form.file.data
    if isinstance(uploaded, FileStorage) and uploaded.filename:
        return str(uploaded.read(MOST_CHARACTERS + 1).decode("utf-8", "replace"))
    return form.token.data or ""


def _page(form: VerifyForm) -> str:
    return render_template("credentials/verify.html", form=form)


def _found(public_id: str) -> Credential:
    credential = queries.find_credential(public_id)
    if credential is None:
        raise NotFoundError
    return credential


def _open(response: Response, cache: str = _MINUTES_5) -> Response:
    """Let scripts of any site read it, and caches keep it for a while."""
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Cache-Control"] = cache
    return response
