"""The demo's mailbox: what the demo mailed, to read in the browser beside its sign-in provider.

It shows everybody's mail to everybody: the demo's people are made up. Production has no such page.
"""

import email
import email.policy
import re
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path

from flask import Blueprint, Response, abort, make_response, render_template, request
from flask.typing import ResponseReturnValue
from markupsafe import Markup, escape

SHOWN = 200
_NAME = re.compile(r"[\w-]{1,80}\.eml")
_ADDRESS = re.compile(r"https?://[^\s<>\"']+")
_POLICY = "default-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"


@dataclass(frozen=True)
class Mail:
    """A message as the list shows it."""

    name: str
    to: str
    subject: str
    date: str


def mailbox(folder: Path) -> Blueprint:
    """The pages over the messages in `folder`."""
    pages = Blueprint("mailbox", __name__)

    @pages.get("/mail")
    def index() -> ResponseReturnValue:
        wanted = request.args.get("to", "").strip().lower()[:254]
        found = []
        for path in sorted(folder.glob("*.eml"), reverse=True):
            message = _read(path)
            if wanted and wanted not in str(message["To"]).lower():
                continue
            found.append(
                Mail(path.name, str(message["To"]), str(message["Subject"]), str(message["Date"]))
            )
            if len(found) == SHOWN:
                break
        return _page("demo/mailbox.html", mails=found, wanted=wanted, most=SHOWN)

    @pages.get("/mail/<name>")
    def show(name: str) -> ResponseReturnValue:
        message = _find(folder, name)
        body = message.get_body(("plain",))
        return _page(
            "demo/mail.html",
            name=name,
            mail=Mail(name, str(message["To"]), str(message["Subject"]), str(message["Date"])),
            body=_with_links(body.get_content() if body is not None else ""),
            files=[part.get_filename() or "file" for part in message.iter_attachments()],
        )

    @pages.get("/mail/<name>/files/<int:number>")
    def file(name: str, number: int) -> ResponseReturnValue:
        parts = list(_find(folder, name).iter_attachments())
        if number >= len(parts):
            abort(404)
        content = parts[number].get_payload(decode=True)
        response = make_response(content if isinstance(content, bytes) else b"")
        response.headers["Content-Type"] = "application/octet-stream"
        file_name = re.sub(r"[^\w.-]", "_", parts[number].get_filename() or "file")
        response.headers["Content-Disposition"] = f'attachment; filename="{file_name}"'
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response

    return pages


def _read(path: Path) -> EmailMessage:
    return email.message_from_bytes(path.read_bytes(), policy=email.policy.default)


def _find(folder: Path, name: str) -> EmailMessage:
    if _NAME.fullmatch(name) is None or not (folder / name).is_file():
        abort(404)
    return _read(folder / name)


def _with_links(text: str) -> Markup:
    """The text, with its web addresses as links."""
    parts, end = [], 0
    for match in _ADDRESS.finditer(text):
        address = match[0].rstrip(".,;:)")
        parts += [
            escape(text[end : match.start()]),
            Markup('<a href="{0}">{0}</a>').format(address),
        ]
        end = match.start() + len(address)
    return Markup("").join([*parts, escape(text[end:])])


def _page(template: str, **values: object) -> Response:
    response = Response(render_template(template, **values), mimetype="text/html")
    response.headers["Content-Security-Policy"] = _POLICY
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response
