"""What partners and customers are written about ideas."""

from collections.abc import Iterable

from flask import current_app
from sqlalchemy import select

from marketplace.core.database import db
from marketplace.core.mail import send_mail
from marketplace.identity.models import Role, User
from marketplace.identity.queries import people_to_write
from marketplace.pipeline.ideas.models import Idea, IdeaClaim

READERS = (Role.OWNER, Role.ADMIN)


def address(path: str) -> str:
    """An absolute address, also where there is no request."""
    return f"{current_app.config['PUBLIC_URL']}{path}"


def addresses_of(user_ids: Iterable[int]) -> list[tuple[str, str]]:
    """Verified addresses of these people with their names, each address once."""
    rows = db.session.execute(
        select(User.email, User.name)
        .where(
            User.id.in_(set(user_ids)),
            User.email.is_not(None),
            User.email_verified.is_(True),
            User.deactivated_at.is_(None),
        )
        .order_by(User.id)
    )
    found: dict[str, tuple[str, str]] = {}
    for email, name in rows:
        found.setdefault(str(email).lower(), (str(email), name))
    return list(found.values())


def tell_people(user_ids: Iterable[int], subject: str, text: str, path: str) -> int:
    """Write to people; how many mails."""
    people = addresses_of(user_ids)
    for email, name in people:
        send_mail(
            email,
            subject,
            f"Hello {name},\n\n{text}\n\n{address(path)}\n\n{current_app.config['SITE_NAME']}",
        )
    return len(people)


def people_of(organization_id: int) -> list[int]:
    """The owners and admins of an organization; nobody while it is suspended."""
    return [person.id for person in people_to_write(organization_id, READERS)]


def tell_published(idea: Idea, *, but: int | None) -> None:
    """Tell whoever proposed an idea that others see it now, unless they showed it themselves."""
    if idea.created_by_id is not None and idea.created_by_id != but:
        tell_people(
            [idea.created_by_id],
            f"Your idea is shown: {idea.title}",
            f"You proposed “{idea.title}”. Others see it now and can vote for it, and partners can "
            "build it.",
            f"/ideas/{idea.public_id}",
        )


def tell_declined(idea: Idea, *, but: int | None) -> None:
    """Tell whoever proposed an idea why it was declined, unless they declined it themselves."""
    if idea.created_by_id is not None and idea.created_by_id != but:
        tell_people(
            [idea.created_by_id],
            f"Your idea was declined: {idea.title}",
            f"You proposed “{idea.title}”. We do not go on with it:\n\n{idea.note}",
            "/ideas",
        )


def tell_lapsing(idea: Idea, claim: IdeaClaim) -> None:
    """Remind a partner that its claim ends soon."""
    tell_people(
        people_of(claim.organization_id),
        f"Your claim on “{idea.title}” ends soon",
        f"You build “{idea.title}”. Nobody else can claim it until "
        f"{claim.protected_until:%d %b %Y}; a report of your progress moves that day on.",
        f"/partner/ideas/{idea.public_id}",
    )


def tell_lapsed(idea: Idea, claim: IdeaClaim) -> None:
    """Tell a partner that its claim has ended."""
    tell_people(
        people_of(claim.organization_id),
        f"Your claim on “{idea.title}” has ended",
        f"The day of your claim on “{idea.title}” has passed without a report. The idea is open "
        "again, also to you.",
        f"/partner/ideas/{idea.public_id}",
    )


def tell_free(idea: Idea, user_ids: Iterable[int]) -> None:
    """Tell those who watched it that it can be claimed."""
    tell_people(
        user_ids,
        f"“{idea.title}” can be claimed",
        f"You wanted to know when “{idea.title}” is free again. It is.",
        f"/partner/ideas/{idea.public_id}",
    )


def tell_reopened(idea: Idea, user_ids: Iterable[int]) -> None:
    """Tell those who asked for it that the partner who built it stopped."""
    tell_people(
        user_ids,
        f"{idea.title}: looking for a partner again",
        f"You asked for “{idea.title}”. The partner who wanted to build it has stopped, and the "
        "idea is open to others again. We tell you when it is there.",
        f"/ideas/{idea.public_id}",
    )
