"""Cards for frames of other sites, and their data for scripts. Neither reads a cookie."""

from pathlib import Path

from flask import Response, current_app, jsonify, request
from flask.typing import ResponseReturnValue

from marketplace.accreditation.embeds import cards
from marketplace.accreditation.embeds.views.answers import frame, kept, size_of, theme_of
from marketplace.accreditation.embeds.views.blueprints import embeds
from marketplace.core.errors import NotFoundError
from marketplace.core.permissions import public

_WHY = "other sites show it; it says public things alone"


@embeds.get("/embed/partners/<slug>")
@public(_WHY)
def partner_frame(slug: str) -> ResponseReturnValue:
    """A partner's card."""
    return _frame("embeds/partner_card.html", _partner(slug))


@embeds.get("/embed/partners/<slug>.json")
@public(_WHY)
def partner_data(slug: str) -> ResponseReturnValue:
    """The same for scripts of any site."""
    return _data(_partner(slug))


@embeds.get("/embed/listings/<slug>")
@public(_WHY)
def listing_frame(slug: str) -> ResponseReturnValue:
    """A listing's card."""
    return _frame("embeds/listing_card.html", _listing(slug))


@embeds.get("/embed/listings/<slug>.json")
@public(_WHY)
def listing_data(slug: str) -> ResponseReturnValue:
    """The same for scripts of any site."""
    return _data(_listing(slug))


@embeds.get("/embed/widget.js")
@public("other sites load it")
def widget() -> ResponseReturnValue:
    """The script that puts a card in its place."""
    script = Path(str(current_app.static_folder)) / "embed" / "widget.js"
    response = Response(script.read_bytes(), content_type="text/javascript; charset=utf-8")
    response.headers["Access-Control-Allow-Origin"] = "*"
    return kept(response)


def _partner(slug: str) -> cards.PartnerCard:
    organization = cards.find_partner(slug)
    if organization is None or organization.suspended_at is not None:
        raise NotFoundError
    return cards.partner_card(organization)


def _listing(slug: str) -> cards.ListingCard:
    card = cards.listing_card(slug)
    if card is None:
        raise NotFoundError
    return card


def _frame(template: str, card: cards.PartnerCard | cards.ListingCard) -> Response:
    # Rendered without the context of our own pages, which would look for who is signed in.
    page = current_app.jinja_env.get_template(template)
    return frame(
        page.render(
            card=card,
            theme=theme_of(request.args.get("theme")),
            size=size_of(request.args.get("size")),
        )
    )


def _data(card: cards.PartnerCard | cards.ListingCard) -> Response:
    response = jsonify({**cards.as_data(card), "site": str(current_app.config["SITE_NAME"])})
    response.headers["Access-Control-Allow-Origin"] = "*"
    return kept(response)
