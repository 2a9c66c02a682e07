"""The public pages: which types there are, the sign-up form, and what comes after it."""

from typing import Any

from flask import (
    Response,
    current_app,
    flash,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue
from itsdangerous import BadSignature, URLSafeSerializer

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError, NotFoundError
from marketplace.core.limits import limiter
from marketplace.core.permissions import current_actor, needs, public
from marketplace.identity.countries import COUNTRIES
from marketplace.identity.forms import choices_of, show_errors
from marketplace.identity.models import Organization
from marketplace.identity.profiles import clean_email
from marketplace.program.applications.answers import read_answers
from marketplace.program.onboarding import texts
from marketplace.program.onboarding.forms import JoinForm
from marketplace.program.onboarding.gifts import gifts_for
from marketplace.program.onboarding.models import JoinAsk, JoinRequest, JoinState
from marketplace.program.onboarding.services import asking, inviting
from marketplace.program.onboarding.services import joining as services
from marketplace.program.onboarding.services.joining import HeldError, Wish
from marketplace.program.onboarding.views.blueprints import joining
from marketplace.program.policy.document import Entry, PartnerType
from marketplace.program.policy.live import current_policy

_NEW = "new"
_ASK_SALT = "portico.onboarding.ask"
_ASK_SECONDS = 3600


@joining.get("/join")
@public("which types of partner there are is public")
def start() -> ResponseReturnValue:
    """The types that are open, how long each takes and what it asks."""
    live = current_policy()
    code = request.args.get("invite", "")
    invite = inviting.find_invite(code)
    inviter = db.session.get(Organization, invite.inviter_id) if invite else None
    return render_template(
        "joining/start.html",
        types=[kind for kind in live.policy.types if kind.is_open] if live else [],
        inviter=inviter,
        invite=code if invite else None,
        facts_of=texts.facts_of,
        name=live.policy.name if live else "",
    )


@joining.get("/join/<join_type>")
@public("the sign-up form is for everybody")
def form(join_type: str) -> ResponseReturnValue:
    """The form of a type."""
    kind = _type_of(join_type)
    if not kind.is_open:
        flash(f"{kind.name} is not open for new partners now.", "info")
        return redirect(url_for("joining.start"), code=303)
    blank = JoinForm(formdata=None)
    blank.invite.data = request.args.get("invite", "")[:60]
    mine = services.may_join_for(current_actor())
    blank.organization.data = str(mine[0][0]) if mine else _NEW
    return _form_page(kind, blank, {}, {})


@joining.post("/join/<join_type>")
@public("signing up; ten an hour from one address, and an address gets few mails")
@limiter.limit("10 per hour", deduct_when=lambda response: response.status_code != 422)
@limiter.limit("60 per hour")
def sign_up(join_type: str) -> ResponseReturnValue:
    """Sign up: apply, get a mailed link, or be a partner at once."""
    kind, actor = _type_of(join_type), current_actor()
    if not kind.is_open:
        raise ConflictError(f"{kind.name} is not open for new partners now.")
    filled = JoinForm()
    filled.validate()
    answers, problems = read_answers(kind.form, request.form)
    errors: dict[str, str] = {}
    organization = _chosen(filled, errors)
    wish = Wish(
        kind=kind,
        answers=answers,
        organization=organization,
        organization_name=filled.organization_name.data or "",
        website=filled.website.data or "",
        country=filled.country.data or "",
        name=filled.name.data or "",
        email=filled.email.data or "",
        invite=inviting.find_invite(filled.invite.data or ""),
    )
    if problems or errors:
        # What is wrong with the rest is told at the same time.
        errors |= services.problems_of(wish, actor)
        return _form_page(kind, filled, answers, problems, errors), 422
    try:
        outcome = services.submit(wish, actor)
    except InvalidError as error:
        return _form_page(kind, filled, answers, problems, error.fields), 422
    except HeldError as held:
        return _existing_page(held)
    except ConflictError as error:
        return _form_page(kind, filled, answers, problems, {"": error.detail}), 422
    if outcome.what == "status":
        return redirect(url_for("joining.status", status_token=outcome.token), code=303)
    if outcome.what == "sign_in":
        return redirect(url_for("joining.finishing", token=outcome.token), code=303)
    if outcome.organization is not None:
        return _welcome(outcome.organization)
    return redirect(url_for("joining.sent", join_type=kind.key), code=303)


@joining.get("/join/<join_type>/sent")
@public("tells what comes next, and nothing of anybody")
def sent(join_type: str) -> ResponseReturnValue:
    """Look into your mail."""
    return render_template("joining/sent.html", kind=_type_of(join_type), entries=Entry)


# The token is a query parameter, not part of the path: paths are logged, queries are not.
@joining.get("/join/finish")
@public("whoever has the link goes on; finishing needs a sign-in")
@limiter.limit("60 per minute")
def finishing() -> ResponseReturnValue:
    """The page of a mailed link, and where one comes back to after signing in."""
    found = _unfinished()
    live = current_policy()
    kind = live.policy.type(found.partner_type) if live else None
    return _private(
        render_template(
            "joining/finish.html",
            found=found,
            kind=kind,
            token=request.args["token"],
            here=request.full_path,
            is_by_mail=kind is not None and kind.entry is Entry.EMAIL,
            country=COUNTRIES.get(found.country or "", ""),
        )
    )


@joining.post("/join/finish")
@needs("account.use")
@limiter.limit("20 per hour", key_func=lambda: f"user:{current_actor().user_id}")
def finish() -> ResponseReturnValue:
    """Become a partner."""
    found = _unfinished()
    try:
        organization = services.finish(found, current_actor())
    except HeldError as held:
        return _existing_page(held)
    except ConflictError as error:
        flash(error.detail, "warning")
        return redirect(url_for("joining.start"), code=303)
    return _welcome(organization)


@joining.get("/join/status/<status_token>")
@public("whoever has the secret link sees its application")
@limiter.limit("60 per minute")
def status(status_token: str) -> ResponseReturnValue:
    """Where an application stands: the applications have a page for it."""
    return redirect(url_for("applications.status", status_token=status_token[:100]), code=302)


@joining.post("/join/ask")
@public("asks owners to be invited; signed by the form before, five an hour from one address")
@limiter.limit("5 per hour")
def ask() -> ResponseReturnValue:
    """Ask the owners of the existing organization for an invitation."""
    try:
        organization_id, email, name, until = _serializer().loads(request.form.get("signed", ""))
    except (BadSignature, ValueError, TypeError):
        raise NotFoundError from None
    if until < clock.now().timestamp():
        flash("That took a while. Fill in the form once more.", "warning")
        return redirect(url_for("joining.start"), code=303)
    typed = email or clean_email(request.form.get("email", ""))
    organization = db.session.get(Organization, organization_id)
    if organization is None or typed is None:
        raise NotFoundError
    asking.ask_owners(organization, typed, name or typed)
    return redirect(url_for("joining.asked"), code=303)


@joining.get("/join/asked")
@public("says that owners were asked, whoever they are")
def asked() -> ResponseReturnValue:
    """The owners were asked."""
    return render_template("joining/asked.html")


_ANSWER = needs("join_ask.answer", load=asking.find_ask, name="found")


@joining.get("/join/asks/<join_ask_token>")
@_ANSWER
def answering(found: JoinAsk) -> ResponseReturnValue:
    """The owner's page of a mailed link."""
    return _private(
        render_template(
            "joining/answer.html",
            found=found,
            token=(request.view_args or {})["join_ask_token"],
            organization=db.session.get_one(Organization, found.organization_id),
        )
    )


@joining.post("/join/asks/<join_ask_token>")
@_ANSWER
def answer(found: JoinAsk) -> ResponseReturnValue:
    """Invite them, or not."""
    accept = request.form.get("answer") == "invite"
    organization = db.session.get_one(Organization, found.organization_id)
    try:
        if asking.answer(found, accept=accept, actor=current_actor()):
            flash(
                f"{found.name} gets an invitation by mail, as viewer." if accept else "Declined.",
                "success",
            )
    except ConflictError as error:
        flash(error.detail, "warning")
    return redirect(url_for("identity.members", slug=organization.slug), code=303)


def _type_of(key: str) -> PartnerType:
    live = current_policy()
    kind = live.policy.type(key) if live else None
    if kind is None:
        raise NotFoundError
    return kind


def _chosen(filled: JoinForm, errors: dict[str, str]) -> Organization | None:
    value = filled.organization.data or _NEW
    mine = {str(each): each for each, _ in services.may_join_for(current_actor())}
    if value in mine:
        return db.session.get(Organization, mine[value])
    if value != _NEW:
        errors["organization"] = "Choose one of your organizations, or a new one."
    return None


def _unfinished() -> JoinRequest:
    found = services.find_request(request.values.get("token", ""))
    if found is None or found.state is not JoinState.UNFINISHED:
        raise NotFoundError(
            "The link was used already, or is more than three days old. Fill in the form again."
        )
    return found


def _welcome(organization: Organization) -> Response:
    """What the new partner has, and what comes next. Secrets are in this answer alone."""
    actor = current_actor()
    gifts = gifts_for(organization, actor)
    live = current_policy()
    return _private(
        render_template(
            "joining/welcome.html",
            organization=organization,
            kind=live.policy.type(organization.partner_type) if live else None,
            gifts=gifts,
        )
    )


def _existing_page(held: HeldError) -> Response:
    signed = _serializer().dumps(
        [
            held.holder.organization.id,
            held.email,
            held.name,
            int(clock.now().timestamp()) + _ASK_SECONDS,
        ]
    )
    return _private(
        render_template(
            "joining/existing.html", holder=held.holder, email=held.email, signed=signed
        ),
        409,
    )


def _form_page(
    kind: PartnerType,
    shown: JoinForm,
    answers: dict[str, Any],
    problems: dict[str, str],
    errors: dict[str, str] | None = None,
) -> str:
    actor = current_actor()
    mine = services.may_join_for(actor)
    shown.organization.choices = choices_of(
        [*((str(each), name) for each, name in mine), (_NEW, "A new organization")]
    )
    extra = show_errors(shown, InvalidError(errors or {}))
    return render_template(
        "joining/form.html",
        kind=kind,
        form=shown,
        answers=answers,
        problems=problems,
        extra=extra,
        mine=mine,
        facts=texts.facts_of(kind),
        asks_person=not actor.is_authenticated and kind.entry is not Entry.INSTANT,
    )


def _private(page: str, code: int = 200) -> Response:
    response = make_response(page, code)
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def _serializer() -> URLSafeSerializer:
    return URLSafeSerializer(str(current_app.config["SECRET_KEY"]), salt=_ASK_SALT)
