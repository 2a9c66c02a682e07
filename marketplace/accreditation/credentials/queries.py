"""Reading credentials for pages and for other parts."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import joinedload

from marketplace.accreditation.credentials import status_list
from marketplace.accreditation.credentials.models import Credential, CredentialState
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.pagination import Page, paginate
from marketplace.core.permissions import current_actor
from marketplace.identity.models import Membership, Organization, OrganizationKind, User

PER_PAGE = 25
MOST_ROWS = 10_000


def find_credential(credential_id: str) -> Credential | None:
    """The credential of that public id, with its organization."""
    return db.session.scalar(
        select(Credential)
        .where(Credential.public_id == credential_id)
        .options(joinedload(Credential.organization))
    )


def valid_at(at: datetime) -> ColumnElement[bool]:
    """Credentials that are valid at a moment."""
    return and_(
        or_(Credential.revoked_at.is_(None), Credential.revoked_at > at),
        or_(Credential.expires_at.is_(None), Credential.expires_at > at),
    )


def in_state(state: CredentialState, at: datetime) -> ColumnElement[bool]:
    """Credentials of a state at a moment."""
    if state is CredentialState.VALID:
        return valid_at(at)
    if state is CredentialState.REVOKED:
        return Credential.revoked_at.is_not(None)
    return and_(Credential.revoked_at.is_(None), Credential.expires_at <= at)


def credentials_query(
    *, organization_id: int | None = None, state: str = "", words: str = ""
) -> Select[Credential]:
    """Credentials, newest first: of one organization or of all, by state and by words of title,
    holder or organization."""
    query = (
        select(Credential)
        .join(Credential.organization)
        .options(joinedload(Credential.organization))
        .order_by(Credential.issued_at.desc(), Credential.id.desc())
    )
    if organization_id is not None:
        query = query.where(Credential.organization_id == organization_id)
    if state in {each.value for each in CredentialState}:
        query = query.where(in_state(CredentialState(state), clock.now()))
    for word in words.replace("\x00", "").split()[:5]:
        pattern = f"%{_escaped(word.lower())}%"
        query = query.where(
            or_(
                func.lower(Credential.title).like(pattern, escape="\\"),
                func.lower(Credential.recipient_name).like(pattern, escape="\\"),
                func.lower(Organization.name).like(pattern, escape="\\"),
                Credential.public_id == word,
            )
        )
    return query


def page_of_credentials(query: Select[Credential], page: int) -> Page[Credential]:
    """One page of them."""
    return paginate(query, page=page, per_page=PER_PAGE)


def rows_of(query: Select[Credential]) -> Sequence[Credential]:
    """All of them for a file, up to MOST_ROWS."""
    return db.session.scalars(query.limit(MOST_ROWS)).all()


def own_credentials(user_id: int) -> Sequence[Credential]:
    """What a person holds, wherever they earned it."""
    return db.session.scalars(
        select(Credential)
        .where(Credential.user_id == user_id)
        .options(joinedload(Credential.organization))
        .order_by(Credential.issued_at.desc(), Credential.id.desc())
    ).all()


def members_of(organization_id: int) -> Sequence[User]:
    """The people of an organization, by name."""
    return db.session.scalars(
        select(User)
        .join(Membership, Membership.user_id == User.id)
        .where(Membership.organization_id == organization_id)
        .order_by(func.lower(User.name), User.id)
    ).all()


def member_ids(organization_id: int) -> set[int]:
    """Who is a member of it now."""
    return set(
        db.session.scalars(
            select(Membership.user_id).where(Membership.organization_id == organization_id)
        )
    )


def people_with_valid(organization_id: int) -> int:
    """How many members of it hold a valid credential that they earned there."""
    return (
        db.session.scalar(
            select(func.count(func.distinct(Credential.user_id)))
            .join(
                Membership,
                and_(
                    Membership.user_id == Credential.user_id,
                    Membership.organization_id == Credential.organization_id,
                ),
            )
            .where(Credential.organization_id == organization_id, valid_at(clock.now()))
        )
        or 0
    )


def find_partner(text: str) -> Organization | None:
    """The partner of an address here (its slug) or of a name that only one has."""
    wanted = text.replace("\x00", "").strip().lower()
    if not wanted:
        return None
    rows = db.session.scalars(
        select(Organization)
        .where(
            Organization.kind == OrganizationKind.PARTNER,
            or_(Organization.slug == wanted, func.lower(Organization.name) == wanted),
        )
        .limit(2)
    ).all()
    exact = [row for row in rows if row.slug == wanted] or list(rows)
    return exact[0] if len(exact) == 1 else None


def revoked_places(number: int) -> list[int]:
    """The places of a status list that are set."""
    first, last = status_list.ids_of_list(number)
    rows = db.session.scalars(
        select(Credential.id).where(
            Credential.revoked_at.is_not(None), Credential.id.between(first, last)
        )
    )
    return [status_list.place_of(each)[1] for each in rows]


def has_list(number: int) -> bool:
    """Whether there are credentials that a list speaks of."""
    first, _last = status_list.ids_of_list(number)
    greatest = db.session.scalar(select(func.max(Credential.id))) or 0
    return number >= 1 and greatest >= first


def is_holder(credential: Credential) -> bool:
    """Whether the current actor holds it: the person, or of an organization's its people."""
    actor = current_actor()
    if credential.user_id is not None:
        return actor.user_id is not None and actor.user_id == credential.user_id
    return actor.role_in(credential.organization_id) is not None


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
