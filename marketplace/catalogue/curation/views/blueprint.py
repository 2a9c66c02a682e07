"""The blueprint of the curation pages."""

from flask import Blueprint, request

from marketplace.catalogue.engagement.links import listing_path, publisher_path

curation = Blueprint("curation", __name__, url_prefix="/staff")
MAX_SEARCH = 80


@curation.context_processor
def _paths() -> dict[str, object]:
    return {"listing_path": listing_path, "publisher_path": publisher_path}


def asked_text(name: str = "q") -> str:
    """The words of a search field of this page, tidied and cut."""
    text = request.args.get(name, "").replace("\x00", "")
    return " ".join(text.split())[:MAX_SEARCH]
