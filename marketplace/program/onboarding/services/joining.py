"""From the sign-up form to an application, a mailed link, or a partner at once."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select

from billing.public_ids import new_public_id
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.facts import record_fact
from marketplace.core.locks import lock_row
from marketplace.core.permissions import Actor
from marketplace.identity import queries as identity
from marketplace.identity.countries import COUNTRIES
from marketplace.identity.models import Organization, OrganizationKind, User
from marketplace.identity.profiles import clean_email
from marketplace.identity.services.founding import act_for
from marketplace.identity.services.organizations import NAME_KNOWN
from marketplace.identity.sessions import hash_token
from marketplace.program.applications.services.opening import open_application
from marketplace.program.applications.words import is_web_address, line
from marketplace.program.onboarding import mails
from marketplace.program.onboarding.domains import domains_of
from marketplace.program.onboarding.holders import Holder, holder_of
from marketplace.program.onboarding.models import JoinRequest, JoinState, PartnerInvite
from marketplace.program.onboarding.services.admitting import complete, found_from
from marketplace.program.policy.document import Entry, FieldKind, FormField, PartnerType
from marketplace.program.policy.live import current_policy
from marketplace.program.standing.reading import place_of

LINK_LIVES = timedelta(days=3)
# More of one address in a day are not answered: its owner would only get more mail.
MOST_OF_AN_ADDRESS = 5
SAME_CLICK = timedelta(minutes=1)
# What everybody is asked, kept with the answers so that reviewers read it.
ABOUT = (
    FormField(key="join_organization", label="Organization"),
    FormField(key="join_website", label="Website", kind=FieldKind.URL, required=False),
    FormField(key="join_country", label="Country", kind=FieldKind.COUNTRY),
)


class HeldError(ConflictError):
    """An existing organization has the domain."""

    def __init__(self, holder: Holder, *, name: str, email: str) -> None:
        super().__init__("This organization is here already.")
        self.holder, self.name, self.email = holder, name, email


@dataclass(frozen=True)
class Wish:
    """What was typed. `organization` is the actor's own one that joins, None for a new one."""

    kind: PartnerType
    answers: Mapping[str, Any]
    organization: Organization | None = None
    organization_name: str = ""
    website: str = ""
    country: str = ""
    name: str = ""
    email: str = ""
    invite: PartnerInvite | None = None


@dataclass(frozen=True)
class Outcome:
    """What comes next: `mailed` (look into your mail), `status` (of an application, by `token`),
    `sign_in` (and go on with `token`), `joined` (the organization is a partner)."""

    what: str
    token: str = ""
    organization: Organization | None = None


def submit(wish: Wish, actor: Actor) -> Outcome:
    """Take a sign-up in. Flushes.

    Raises InvalidError (fields organization, organization_name, website, country, name, email),
    HeldError when an existing organization has the domain, ConflictError when the signed-in
    person applied already.
    """
    tidy = _checked(wish, actor)
    if tidy.organization is None:
        _refuse_second(tidy, actor)
    kind = tidy.kind
    if kind.entry is Entry.APPLICATION:
        return _apply(tidy, actor)
    if actor.user_id is None:
        request = _keep(tidy, None, JoinState.UNFINISHED)
        token = _give_token(request)
        if kind.entry is Entry.INSTANT:
            return Outcome("sign_in", token)
        if not _too_often(tidy.email):
            mails.confirm_address(request, token, kind.name)
        return Outcome("mailed")
    if kind.entry is Entry.EMAIL and not identity.verified_emails(actor.user_id):
        request = _keep(tidy, actor.user_id, JoinState.UNFINISHED)
        token = _give_token(request)
        if not _too_often(tidy.email):
            mails.confirm_address(request, token, kind.name)
        return Outcome("mailed")
    return Outcome("joined", organization=_join_now(tidy, actor))


def problems_of(wish: Wish, actor: Actor) -> dict[str, str]:
    """What is wrong with a sign-up, by field; nothing is kept."""
    try:
        _checked(wish, actor)
    except InvalidError as error:
        return error.fields
    return {}


def find_request(token: str) -> JoinRequest | None:
    """The unfinished request of a link, while the link lives."""
    if not 20 <= len(token) <= 100:
        return None
    return db.session.scalar(
        select(JoinRequest).where(
            JoinRequest.token_hash == hash_token(token.replace("\0", "")),
            JoinRequest.state == JoinState.UNFINISHED,
            JoinRequest.expires_at > clock.now(),
        )
    )


def finish(request: JoinRequest, actor: Actor) -> Organization:
    """The signed-in person makes the partner of a request. Flushes.

    Raises ConflictError when it was finished, or the type is closed by now; HeldError.
    """
    row = lock_row(JoinRequest, JoinRequest.id == request.id)
    if row is None or row.state is not JoinState.UNFINISHED or actor.user_id is None:
        raise ConflictError("This link was used already.")
    live = current_policy()
    kind = live.policy.type(row.partner_type) if live else None
    if kind is None or not kind.is_open or kind.entry is Entry.APPLICATION:
        raise ConflictError("This type of partner is closed now.")
    if row.organization_id is not None:
        organization = db.session.get_one(Organization, row.organization_id)
        if actor.role_in(organization.id) not in ("owner", "admin"):
            raise ConflictError("Only an owner or admin joins for an organization.")
    else:
        holder = holder_of(domains_of(row.website, row.email))
        if holder is not None:
            raise HeldError(holder, name=row.name or actor.name, email=row.email or actor.email)
        organization = found_from(row, actor.user_id)
    row.user_id = actor.user_id
    complete(row, organization, by_user_id=actor.user_id)
    act_for(actor.session_id, organization.id)
    return organization


def may_join_for(actor: Actor) -> list[tuple[int, str]]:
    """The actor's organizations that could join: ids and names, the active one first."""
    found = [
        (each.organization_id, each.organization_name)
        for each in actor.organizations
        if each.role in ("owner", "admin") and each.organization_kind != "platform"
    ]
    return sorted(found, key=lambda each: each[0] != actor.organization_id)


def tidy_website(typed: str) -> str:
    """The address of a website; `acme.com` becomes `https://acme.com`."""
    text = line(typed)
    return f"https://{text}" if text and "://" not in text else text


def _checked(wish: Wish, actor: Actor) -> Wish:
    errors: dict[str, str] = {}
    name, email = line(wish.name), clean_email(wish.email)
    if actor.user_id is not None:
        name, email = actor.name, actor.email or email
    elif wish.kind.entry is Entry.INSTANT:
        name, email = "", ""
    else:
        if not 1 <= len(name) <= 120:
            errors["name"] = "Enter your name, in at most 120 characters."
        if email is None:
            errors["email"] = "Enter an address like ada@example.com."
    organization = wish.organization
    if organization is not None:
        errors |= _joining_errors(organization, wish.kind)
        tidy = (organization.name, organization.website, organization.country or "")
    else:
        tidy = (line(wish.organization_name), tidy_website(wish.website), wish.country)
        errors |= _organization_errors(*tidy, wish.kind)
    if errors:
        raise InvalidError(errors)
    return Wish(wish.kind, wish.answers, organization, *tidy, name, email or "", wish.invite)


def _organization_errors(
    name: str, website: str, country: str, kind: PartnerType
) -> dict[str, str]:
    errors = {}
    if not 2 <= len(name) <= 80:
        errors["organization_name"] = "Use 2 to 80 characters."
    elif identity.name_belongs_to_known(name):
        errors["organization_name"] = NAME_KNOWN
    if website and not is_web_address(website):
        errors["website"] = "Enter an address, like example.com."
    elif not website and kind.entry is Entry.APPLICATION:
        errors["website"] = "Enter the address of your website."
    if country not in COUNTRIES:
        errors["country"] = "Choose a country from the list."
    return errors


def _joining_errors(organization: Organization, kind: PartnerType) -> dict[str, str]:
    place = place_of(organization.id)
    if not place.tier:
        return {}
    if place.partner_type == kind.key:
        return {"organization": f"{organization.name} is in the program as this type already."}
    if kind.entry is not Entry.APPLICATION:
        return {
            "organization": f"{organization.name} is in the program as another type. Ask your "
            "partner manager to change it."
        }
    return {}


def _refuse_second(wish: Wish, actor: Actor) -> None:
    holder = holder_of(domains_of(wish.website, wish.email))
    if holder is None:
        return
    own = {each for each, _ in may_join_for(actor)}
    if holder.organization.id in own:
        raise InvalidError(
            {"organization": f"You have {holder.organization.name}, with this domain. Choose it."}
        )
    raise HeldError(holder, name=wish.name, email=wish.email)


def _apply(wish: Wish, actor: Actor) -> Outcome:
    about = {
        "join_organization": wish.organization_name,
        "join_website": wish.website,
        "join_country": wish.country,
    }
    title = f"{wish.kind.name}: {wish.organization_name}"
    request = _keep(wish, actor.user_id, JoinState.APPLIED)
    if actor.user_id is None and _too_often(wish.email):
        db.session.delete(request)
        db.session.flush()
        return Outcome("mailed")
    try:
        opened = open_application(
            f"admission:{wish.kind.key}",
            answers={**{key: text for key, text in about.items() if text}, **wish.answers},
            organization_id=wish.organization.id if wish.organization else None,
            applicant_user_id=actor.user_id,
            email=wish.email,
            name=wish.name,
            form=(*ABOUT, *wish.kind.form),
            stages=wish.kind.stages,
            title=title,
        )
    except ConflictError as error:
        if actor.user_id is not None:
            raise
        # A stranger is not told whether this address applied; the address itself is.
        mails.tell_applied_before(request, error.detail)
        db.session.delete(request)
        db.session.flush()
        return Outcome("mailed")
    request.application_id = opened.application.id
    db.session.flush()
    mails.send_status_link(request, title, f"/join/status/{opened.status_token}")
    if actor.user_id is None:
        return Outcome("mailed")
    return Outcome("status", opened.status_token)


def _join_now(wish: Wish, actor: Actor) -> Organization:
    if actor.user_id is None:
        raise ConflictError("Sign in first.")
    # One at a time, so that a double click finds what its first half made.
    lock_row(User, User.id == actor.user_id)
    organization = wish.organization
    if organization is None:
        twin = identity.created_just_now(
            actor.user_id,
            wish.organization_name,
            OrganizationKind.PARTNER,
            since=clock.now() - SAME_CLICK,
        )
        if twin is not None:
            act_for(actor.session_id, twin.id)
            return twin
    request = _keep(wish, actor.user_id, JoinState.UNFINISHED)
    organization = organization or found_from(request, actor.user_id)
    complete(request, organization, by_user_id=actor.user_id)
    act_for(actor.session_id, organization.id)
    return organization


def _keep(wish: Wish, user_id: int | None, state: JoinState) -> JoinRequest:
    request = JoinRequest(
        public_id=new_public_id("join"),
        partner_type=wish.kind.key,
        state=state,
        organization_id=wish.organization.id if wish.organization else None,
        user_id=user_id,
        organization_name=wish.organization_name,
        website=wish.website,
        country=wish.country or None,
        name=wish.name,
        email=wish.email,
        answers=dict(wish.answers),
        invite_id=wish.invite.id if wish.invite else None,
        created_at=clock.now(),
    )
    db.session.add(request)
    db.session.flush()
    record_fact(
        "join_request.made",
        subject=("join_request", request.id),
        actor_user_id=user_id,
        organization_id=request.organization_id,
        data={"partner_type": wish.kind.key},
    )
    return request


def _give_token(request: JoinRequest) -> str:
    token = secrets.token_urlsafe(32)
    request.token_hash, request.expires_at = hash_token(token), clock.now() + LINK_LIVES
    db.session.flush()
    return token


def _too_often(email: str) -> bool:
    """Whether an address was given too often within a day (this time included)."""
    count = db.session.scalar(
        select(func.count()).where(
            JoinRequest.email == email, JoinRequest.created_at > clock.now() - timedelta(days=1)
        )
    )
    return (count or 0) > MOST_OF_AN_ADDRESS
