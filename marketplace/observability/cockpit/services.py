"""Writing to a partner's owners and admins."""

from flask import current_app

from billing.public_ids import new_public_id
from marketplace.core import clock
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.facts import record_fact
from marketplace.core.mail import send_mail
from marketplace.core.once import insert_if_new
from marketplace.core.permissions import Actor
from marketplace.identity.models import Organization
from marketplace.observability.cockpit.models import PartnerMessage
from marketplace.program.scorecards.queries import people_told

MOST_SUBJECT, MOST_BODY = 120, 5_000


def write_to(partner: Organization, *, subject: str, body: str, form_key: str, actor: Actor) -> int:
    """Mail to a partner; how many people get it, 0 when the same form was sent before.

    Raises InvalidError by field, ConflictError when nobody there can be written to.
    """
    subject, body = " ".join(subject.replace("\0", "").split()), body.replace("\0", "").strip()
    errors = {}
    if not subject or len(subject) > MOST_SUBJECT:
        errors["subject"] = f"Write a subject of at most {MOST_SUBJECT} characters."
    if not body or len(body) > MOST_BODY:
        errors["body"] = f"Write a message of at most {MOST_BODY:,} characters."
    if errors:
        raise InvalidError(errors)
    people = people_told(partner.id)
    if not people:
        raise ConflictError(f"Nobody of {partner.name} has an address that was confirmed.")
    message_id = insert_if_new(
        PartnerMessage,
        organization_id=partner.id,
        by_user_id=actor.user_id,
        subject=subject,
        body=body,
        receivers=len(people),
        sent_at=clock.now(),
        form_key=form_key.replace("\0", "")[:60] or new_public_id("msg"),
    )
    if message_id is None:
        return 0
    site = str(current_app.config["SITE_NAME"])
    for person in people:
        send_mail(
            person.email or "",
            subject,
            f"Hello {person.name},\n\n{body}\n\n{actor.name}\n{site}\n"
            f"{current_app.config['PUBLIC_URL']}/partner\n",
            dedupe_key=f"partner_message:{message_id}:{person.id}",
        )
    record_fact(
        "partner.written_to",
        subject=("partner_message", message_id),
        actor_user_id=actor.user_id,
        organization_id=partner.id,
        data={"receivers": len(people)},
    )
    return len(people)
