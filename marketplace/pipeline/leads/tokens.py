"""The signed link by which a customer looks after a brief without signing in."""

from flask import current_app
from itsdangerous import BadSignature, URLSafeSerializer
from sqlalchemy import select

from marketplace.core.database import db
from marketplace.pipeline.leads.models import Lead

_SALT = "portico lead 1"


def token_of(lead: Lead) -> str:
    """The token of a lead's link."""
    return str(_serializer().dumps(lead.public_id))


def lead_of(token: str) -> Lead | None:
    """The lead of a token; None when it was not signed here or the lead is gone."""
    try:
        public_id = _serializer().loads(token)
    except BadSignature:
        return None
    return db.session.scalar(select(Lead).where(Lead.public_id == str(public_id)))


def _serializer() -> URLSafeSerializer:
    return URLSafeSerializer(str(current_app.config["SECRET_KEY"]), salt=_SALT)
