"""Where partners copy their badges, cards and the script."""

from flask import render_template, request
from flask.typing import ResponseReturnValue

from marketplace.accreditation.credentials.addresses import base_url
from marketplace.accreditation.embeds import cards
from marketplace.accreditation.embeds.views.answers import size_of, theme_of
from marketplace.accreditation.embeds.views.blueprints import embeds
from marketplace.core.database import db
from marketplace.core.permissions import current_actor, needs
from marketplace.identity.models import Organization


@embeds.get("/partner/embeds")
@needs("embeds.use")
def index() -> ResponseReturnValue:
    """What can be embedded, with a preview and the code to copy."""
    organization = db.session.get_one(Organization, current_actor().organization_id)
    listings = cards.listings_of(organization.id)
    chosen = next((row for row in listings if row.slug == request.args.get("listing")), None)
    return render_template(
        "embeds/index.html",
        organization=organization,
        card=cards.partner_card(organization),
        listings=listings,
        chosen=chosen,
        theme=theme_of(request.args.get("theme")),
        size=size_of(request.args.get("size")),
        base=base_url(),
        minutes=cards.KEEP_SECONDS // 60,
    )
