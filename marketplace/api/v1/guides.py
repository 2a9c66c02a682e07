"""The guides for developers as pages: the files of docs/ that are for them, and no others."""

import re
from functools import lru_cache

from flask import Blueprint, current_app, render_template, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from marketplace.config import ROOT
from marketplace.core.errors import NotFoundError
from marketplace.core.markdown import render_markdown
from marketplace.core.permissions import public

# By address, in the order in which a developer needs them.
GUIDES = {
    "quick-start": "Quick start",
    "oauth": "OAuth",
    "api": "The API",
    "webhooks": "Webhooks",
    "catalogue-format": "Fields of a listing",
}
_LINK = re.compile(r"\[([^\]]+)\]\(((?!https?://)[^)]+)\)")
_EXAMPLE_SITE = re.compile(r"https://market(?:place)?\.example\b")

guides = Blueprint("api_guides", __name__)


@guides.get("/api/v1/guides/<name>")
@public("the same texts are in the repository")
def guide(name: str) -> ResponseReturnValue:
    """One guide."""
    if name not in GUIDES:
        raise NotFoundError
    site: str = current_app.config["PUBLIC_URL"]
    return render_template(
        "api/guide.html", name=name, title=GUIDES[name], guides=GUIDES, text=_text(name, site)
    )


@lru_cache(maxsize=16)
def _text(name: str, site: str) -> Markup:
    source = (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8")
    # The page has its own title.
    source = source.partition("\n")[2]
    return render_markdown(_EXAMPLE_SITE.sub(site, _LINK.sub(_linked, source)))


def _linked(found: re.Match[str]) -> str:
    """A link to another guide; of one to something else in the repository, its words."""
    words, target = found.groups()
    name = target.removesuffix(".md")
    return f"[{words}]({url_for('api_guides.guide', name=name)})" if name in GUIDES else words
