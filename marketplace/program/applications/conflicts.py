"""Conflicts of interest: who must not judge an application."""

from sqlalchemy import select

from marketplace.core.database import db
from marketplace.identity.models import Identity, Membership, Organization, User
from marketplace.program.applications.models import Application, InterestConflict
from marketplace.program.applications.words import domain_of

# Everybody can have an address there: it says nothing about who works together.
PUBLIC_MAIL = frozenset(
    {
        "aol.com",
        "fastmail.com",
        "gmail.com",
        "gmx.de",
        "gmx.net",
        "googlemail.com",
        "hey.com",
        "hotmail.com",
        "icloud.com",
        "live.com",
        "mail.com",
        "mailbox.org",
        "me.com",
        "msn.com",
        "outlook.com",
        "posteo.de",
        "proton.me",
        "protonmail.com",
        "qq.com",
        "web.de",
        "yahoo.com",
        "yandex.com",
        "zoho.com",
    }
)


def conflict_of(application: Application, user_id: int | None) -> str:
    """Why a person must not judge this application, in words; empty when they may.

    They declared it, applied themselves, work for the applying organization, or have an address of
    the same e-mail domain as the applicant. Up to four queries.
    """
    if user_id is None:
        return ""
    declared = db.session.scalar(
        select(InterestConflict.id).where(
            InterestConflict.application_id == application.id, InterestConflict.user_id == user_id
        )
    )
    if declared is not None:
        return "You declared a conflict of interest."
    if application.applicant_user_id == user_id:
        return "You are the applicant."
    if application.organization_id is not None:
        member = db.session.scalar(
            select(Membership.id).where(
                Membership.organization_id == application.organization_id,
                Membership.user_id == user_id,
            )
        )
        if member is not None:
            return "You work for the organization that applies."
    shared = (_domains_of_person(user_id) & _domains_of(application)) - PUBLIC_MAIL
    return f"You have an address at {min(shared)}, as the applicant has." if shared else ""


def _domains_of_person(user_id: int) -> set[str]:
    addresses = [
        *db.session.scalars(select(User.email).where(User.id == user_id)),
        *db.session.scalars(select(Identity.email).where(Identity.user_id == user_id)),
    ]
    return {domain for each in addresses if (domain := domain_of(each))}


def _domains_of(application: Application) -> set[str]:
    found = {domain_of(application.email)} - {""}
    if application.organization_id is not None:
        website = db.session.scalar(
            select(Organization.website).where(Organization.id == application.organization_id)
        )
        host = (website or "").partition("://")[2].partition("/")[0].partition(":")[0].lower()
        found |= {host.removeprefix("www.")} - {""}
    return found
