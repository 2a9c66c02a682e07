"""The two blueprints of this area."""

from flask import Blueprint

from marketplace.catalogue.engagement.links import listing_path, publisher_path

engagement = Blueprint("engagement", __name__)
requests = Blueprint("requests", __name__, url_prefix="/requests")

for _blueprint in (engagement, requests):
    _blueprint.context_processor(
        lambda: {"listing_path": listing_path, "publisher_path": publisher_path}
    )
