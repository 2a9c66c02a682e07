"""Reading passports, issuers and recognitions."""

from collections.abc import Sequence

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import joinedload

from marketplace.accreditation.passport.models import (
    PassportExport,
    PassportImport,
    Recognition,
    TrustedIssuer,
)
from marketplace.core.database import db
from marketplace.core.pagination import Page, paginate
from marketplace.identity.models import Organization

PER_PAGE = 25
_WITH_ISSUER = joinedload(Recognition.passport).joinedload(PassportImport.issuer)


def find_export(passport_id: str) -> PassportExport | None:
    """The exported passport of that public id."""
    return db.session.scalar(select(PassportExport).where(PassportExport.public_id == passport_id))


def page_of_exports(organization_id: int, page: int) -> Page[PassportExport]:
    """What an organization has exported, newest first."""
    query = (
        select(PassportExport)
        .where(PassportExport.organization_id == organization_id)
        .order_by(PassportExport.created_at.desc(), PassportExport.id.desc())
    )
    return paginate(query, page=page, per_page=PER_PAGE)


def recognised_for(organization_id: int) -> Sequence[Recognition]:
    """What we have recognised for an organization, with its issuers, newest first."""
    return db.session.scalars(
        select(Recognition)
        .where(Recognition.organization_id == organization_id)
        .options(_WITH_ISSUER)
        .order_by(Recognition.created_at.desc(), Recognition.id.desc())
        .limit(200)
    ).all()


def recognitions_query(words: str = "") -> Select[Recognition]:
    """All of them, newest first, by words of partner, title or issuer."""
    query = (
        select(Recognition)
        .join(Recognition.organization)
        .join(Recognition.passport)
        .join(PassportImport.issuer)
        .options(joinedload(Recognition.organization), _WITH_ISSUER)
        .order_by(Recognition.created_at.desc(), Recognition.id.desc())
    )
    for word in words.replace("\x00", "").split()[:5]:
        escaped = word.lower().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        pattern = f"%{escaped}%"
        query = query.where(
            or_(
                func.lower(Organization.name).like(pattern, escape="\\"),
                func.lower(Recognition.title).like(pattern, escape="\\"),
                func.lower(TrustedIssuer.name).like(pattern, escape="\\"),
            )
        )
    return query


def page_of_recognitions(words: str, page: int) -> Page[Recognition]:
    """One page of them."""
    return paginate(recognitions_query(words), page=page, per_page=PER_PAGE)


def find_recognition(recognition_id: str) -> Recognition | None:
    """The recognition of that public id."""
    return db.session.scalar(
        select(Recognition)
        .where(Recognition.public_id == recognition_id)
        .options(joinedload(Recognition.organization), _WITH_ISSUER)
    )


def issuers() -> Sequence[TrustedIssuer]:
    """The issuers that are or were trusted, those of now first."""
    return db.session.scalars(
        select(TrustedIssuer).order_by(
            TrustedIssuer.removed_at.is_not(None), TrustedIssuer.name, TrustedIssuer.id
        )
    ).all()


def find_issuer(trusted_issuer_id: str) -> TrustedIssuer | None:
    """The issuer of that public id."""
    return db.session.scalar(
        select(TrustedIssuer).where(TrustedIssuer.public_id == trusted_issuer_id)
    )
