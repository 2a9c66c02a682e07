"""The signed link by which somebody agrees, later, that the partner sees their answer."""

from datetime import timedelta

from flask import current_app
from itsdangerous import BadData, URLSafeTimedSerializer

from marketplace.core.database import db
from marketplace.pipeline.campaigns.models import CampaignLead

OPEN_FOR = timedelta(days=14)
_SALT = "portico campaign consent 1"


def token_of(lead: CampaignLead) -> str:
    """The token of the link, which only the address of the answer is sent."""
    return str(_serializer().dumps(lead.id))


def lead_of(token: str) -> CampaignLead | None:
    """The answer of a token; None when it was not signed here, is too old, or is forgotten."""
    try:
        lead_id = _serializer().loads(token, max_age=int(OPEN_FOR.total_seconds()))
    except BadData:
        return None
    lead = db.session.get(CampaignLead, int(lead_id))
    return lead if lead is not None and lead.erased_at is None else None


def _serializer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(str(current_app.config["SECRET_KEY"]), salt=_SALT)
