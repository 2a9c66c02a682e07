"""Files that partners show in confidence: hostile until looked at, kept privately.

Pictures are decoded and written anew by us. A PDF is kept as it came, and therefore never shown in
a page: it is only ever downloaded (see `download`). Whoever opens it does so in their own reader.
"""

import re
import secrets
from dataclasses import dataclass

from flask import Response, current_app

from marketplace.core.errors import NotFoundError
from marketplace.core.images import ImageRefusedError, ImageRule, clean_image
from marketplace.core.jobs import Payload, enqueue, job_handler
from marketplace.core.storage import Storage

FORGET = "accreditation.forget_file"

MOST_BYTES = 5 * 1024 * 1024
ACCEPT = ".pdf,.png,.jpg,.jpeg,application/pdf,image/png,image/jpeg"
_PICTURE = ImageRule("picture", 1, 1, (3_000, 3_000))
# What makes a PDF act when it is opened, or carry other files.
_ACTIVE = re.compile(rb"/(JavaScript|JS|Launch|EmbeddedFile|RichMedia|XFA)\b")
_ENDINGS = {"application/pdf": "pdf", "image/png": "png", "image/jpeg": "jpg"}


class FileRefusedError(ValueError):
    """The upload cannot be used; the message is for the person."""


@dataclass(frozen=True)
class CleanFile:
    """A file that may be kept."""

    name: str
    data: bytes
    content_type: str


def clean_file(name: str, upload: bytes) -> CleanFile:
    """Look at an uploaded PDF, PNG or JPEG. Raises FileRefusedError."""
    if not upload:
        raise FileRefusedError("The file is empty.")
    if len(upload) > MOST_BYTES:
        raise FileRefusedError("The file is larger than 5 MB. Use a smaller one.")
    if upload.startswith(b"%PDF-"):
        _check_pdf(upload)
        return CleanFile(_named(name, "application/pdf"), upload, "application/pdf")
    try:
        image = clean_image(upload, _PICTURE)
    except ImageRefusedError as error:
        text = str(error)
        raise FileRefusedError(
            "Use a PDF, PNG or JPEG file." if text.startswith("Use a PNG") else text
        ) from error
    if image.content_type not in _ENDINGS:
        raise FileRefusedError("Use a PDF, PNG or JPEG file.")
    return CleanFile(_named(name, image.content_type), image.data, image.content_type)


def keep(file: CleanFile, folder: str) -> str:
    """Store the file under a key that nobody can guess and no public page serves; the key."""
    key = f"private/{folder}/{secrets.token_hex(20)}.{_ENDINGS[file.content_type]}"
    storage().put(key, file.data, file.content_type)
    return key


def forget(key: str) -> None:
    """Remove a file from the store once this transaction is committed, and not if it is not."""
    enqueue(FORGET, {"key": key}, dedupe_key=f"{FORGET}:{key}")


@job_handler(FORGET)
def _forget(payload: Payload) -> None:
    storage().delete(str(payload["key"]))


def download(key: str | None, name: str, content_type: str) -> Response:
    """The file as a download that no browser shows within our pages. Raises NotFoundError."""
    data = storage().get(key) if key else None
    if data is None:
        raise NotFoundError
    response = Response(data, content_type=content_type)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response.headers["Cache-Control"] = "private, no-store"
    return response


def storage() -> Storage:
    """The store of the application."""
    found: Storage = current_app.extensions["portico_storage"]
    return found


def _check_pdf(upload: bytes) -> None:
    if b"%%EOF" not in upload[-2_048:]:
        raise FileRefusedError("The PDF is damaged and cannot be read.")
    if _ACTIVE.search(upload):
        raise FileRefusedError(
            "The PDF holds scripts or other files. Print it to a new PDF and use that one."
        )


def _named(name: str, content_type: str) -> str:
    """A file name of harmless characters, with the ending of what the file is."""
    bare = name.replace("\\", "/").rsplit("/", 1)[-1].rsplit(".", 1)[0]
    safe = re.sub(r"[^A-Za-z0-9_-]+", "-", bare).strip("-_")[:80]
    return f"{safe or 'file'}.{_ENDINGS[content_type]}"
