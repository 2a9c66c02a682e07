"""The mail that was queued, whether or not a worker has sent it since."""

import email
import email.policy

from flask import current_app
from sqlalchemy import select

from marketplace.core.database import db
from marketplace.core.jobs import Job


def mails() -> list[dict[str, str]]:
    """Each message as `to`, `subject` and `body`: the sent ones first, then the waiting ones.

    A job that is done has forgotten its message; the file backend has kept it.
    """
    folder = current_app.extensions["portico_settings"].data_dir / "mail"
    sent = []
    for path in sorted(folder.glob("*.eml")):
        message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
        body = message.get_body()
        sent.append(
            {
                "to": str(message["To"]),
                "subject": str(message["Subject"]),
                "body": body.get_content() if body is not None else "",
            }
        )
    rows = db.session.scalars(select(Job).where(Job.kind == "mail.send").order_by(Job.id))
    return sent + [dict(job.payload) for job in rows if job.payload]
