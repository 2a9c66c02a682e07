"""A message with a small file beside it."""

import email
import email.policy
from collections.abc import Callable

from flask import Flask

from marketplace.core.database import db
from marketplace.core.mail import Attachment, send_mail


def test_a_file_arrives_as_it_was_given(app: Flask, run_jobs: Callable[[], int]) -> None:
    data = b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"
    send_mail(
        "ada@people.example",
        "Meeting",
        "See you.\n",
        attachments=[Attachment("meeting.ics", "text/calendar; method=REQUEST", data)],
    )
    db.session.commit()
    assert run_jobs() == 1
    folder = app.extensions["portico_settings"].data_dir / "mail"
    (path,) = folder.glob("*.eml")
    message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    body = message.get_body(("plain",))
    assert body is not None
    assert body.get_content() == "See you.\n"
    (file,) = message.iter_attachments()
    assert file.get_filename() == "meeting.ics"
    assert file.get_content_type() == "text/calendar"
    assert file["Content-Type"].params["method"] == "REQUEST"
    assert file.get_payload(decode=True) == data
