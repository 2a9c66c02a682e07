"""Credentials that staff issue by hand, and what their holders decide about them."""

from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import select

from marketplace.accreditation.credentials import queries
from marketplace.accreditation.credentials.mails import tell_issued
from marketplace.accreditation.credentials.models import Credential
from marketplace.accreditation.credentials.services.issuing import issue
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import InvalidError
from marketplace.core.facts import record_fact
from marketplace.identity.models import Membership, Organization, User
from marketplace.identity.own_partner import SOMEBODY_ELSE, is_member

MOST_AHEAD = timedelta(days=3_653)  # ten years


def issue_by_hand(
    *,
    partner: str,
    email: str,
    title: str,
    description: str,
    criteria: str,
    expires_on: date | None,
    nonce: str,
    by_user_id: int | None,
) -> Credential:
    """Issue a credential to a partner, or to a member of it when `email` names one.

    Raises InvalidError with messages for the form's fields.
    """
    errors: dict[str, str] = {}
    organization = queries.find_partner(partner)
    if organization is None:
        errors["partner"] = "No partner, or several, of that name."
    if organization is not None and is_member(by_user_id, organization.id):
        errors["partner"] = SOMEBODY_ELSE
    person = _member(organization, email) if organization is not None else None
    if organization is not None and email.strip() and person is None:
        errors["email"] = "No member of that partner has this address."
    expires_at: datetime | None = None
    if expires_on is not None and expires_on > clock.now().date() + MOST_AHEAD:
        errors["expires_on"] = "At most ten years ahead."
    elif expires_on is not None:
        expires_at = end_of_day(expires_on)
        if expires_at <= clock.now():
            errors["expires_on"] = "A day that is to come."
    for name, text in (("title", title), ("description", description), ("criteria", criteria)):
        if "\x00" in text:
            errors[name] = "It holds a character that cannot be stored."
    if errors or organization is None:
        raise InvalidError(errors)
    key = f"manual:{nonce[:60]}"
    known = db.session.scalar(select(Credential.id).where(Credential.issue_key == key))
    credential = issue(
        key,
        organization_id=organization.id,
        user_id=person.id if person else None,
        recipient_name=person.name if person else organization.name,
        title=title.strip(),
        description=description.strip(),
        criteria=criteria.strip(),
        expires_at=expires_at,
        evidence=[],
        key=key,
        by_user_id=by_user_id,
    )
    if known is None:
        tell_issued(credential)
    return credential


def show_name(credential: Credential, shown: bool, *, by_user_id: int | None) -> None:
    """The holder decides whether the public page says their name."""
    if credential.shows_name == shown:
        return
    credential.shows_name = shown
    db.session.flush()
    record_fact(
        "credential.name_shown" if shown else "credential.name_hidden",
        subject=("credential", credential.id),
        actor_user_id=by_user_id,
        organization_id=credential.organization_id,
    )


def end_of_day(day: date) -> datetime:
    """The moment at which a day is over in UTC."""
    return datetime.combine(day + timedelta(days=1), time(0), tzinfo=UTC)


def _member(organization: Organization, email: str) -> User | None:
    wanted = email.replace("\x00", "").strip().lower()
    if not wanted:
        return None
    rows = db.session.scalars(
        select(User)
        .join(Membership, Membership.user_id == User.id)
        .where(Membership.organization_id == organization.id)
    )
    return next((user for user in rows if (user.email or "").lower() == wanted), None)
