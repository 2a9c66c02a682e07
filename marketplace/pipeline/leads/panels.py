"""What the public pages of listings and partners offer: sending a brief."""

from typing import Any

from flask import url_for

from marketplace.catalogue.models import Listing
from marketplace.core.permissions import Actor
from marketplace.identity.models import Organization
from marketplace.pipeline.leads.services.offering import may_take_leads


def brief_panel(listing: Listing, actor: Actor) -> dict[str, Any]:
    """`{"brief_href": …}` for a findable listing whose publisher takes leads, else None; not for
    its own people. One query besides the policy's, which a request asks once."""
    if not listing.is_findable or actor.role_in(listing.publisher_id) is not None:
        return {"brief_href": None}
    takes = may_take_leads(listing.publisher)
    return {"brief_href": url_for("leads.brief", listing=listing.slug) if takes else None}


def partner_brief_panel(partner: Organization, actor: Actor) -> dict[str, Any]:
    """The same for a partner's page."""
    takes = actor.role_in(partner.id) is None and may_take_leads(partner)
    return {"brief_href": url_for("leads.brief", partner=partner.slug) if takes else None}
