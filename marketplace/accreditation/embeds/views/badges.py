"""Badges by address. They say what holds now and are grey when it does not."""

from flask import current_app, request
from flask.typing import ResponseReturnValue

from marketplace.accreditation.credentials import images
from marketplace.accreditation.credentials.models import Credential, CredentialState
from marketplace.accreditation.credentials.queries import find_credential
from marketplace.accreditation.embeds import cards
from marketplace.accreditation.embeds.views.answers import image
from marketplace.accreditation.embeds.views.blueprints import embeds
from marketplace.core.errors import NotFoundError
from marketplace.core.permissions import public

_WHY = "other sites show it; it says public things alone"


@embeds.get("/badges/<credential_id>.svg")
@public(_WHY)
def credential_badge(credential_id: str) -> ResponseReturnValue:
    """A credential: its title, and whether it holds."""
    credential = _credential(credential_id)
    state = credential.state
    value = "verified" if state is CredentialState.VALID else state.value
    return image(
        images.flat_badge(
            credential.title, value, is_live=state is CredentialState.VALID, theme=_theme()
        )
    )


@embeds.get("/badges/<credential_id>/medal.svg")
@public(_WHY)
def credential_medal(credential_id: str) -> ResponseReturnValue:
    """The same as a medal, without the signed credential inside."""
    credential = _credential(credential_id)
    state = credential.state
    note = "" if state is CredentialState.VALID else state.value
    site = str(current_app.config["SITE_NAME"])
    return image(images.medal(credential.title, site, note=note))


@embeds.get("/badges/partner/<slug>.svg")
@public(_WHY)
def partner_badge(slug: str) -> ResponseReturnValue:
    """A partner and its tier now."""
    organization = cards.find_partner(slug)
    if organization is None:
        raise NotFoundError
    card = cards.partner_card(organization)
    site = str(current_app.config["SITE_NAME"])
    value = f"{card.tier} partner" if card.tier else "not a partner" if card.has_left else "listed"
    return image(images.flat_badge(site, value, is_live=bool(card.tier), theme=_theme()))


@embeds.get("/badges/listing/<slug>.svg")
@public(_WHY)
def listing_badge(slug: str) -> ResponseReturnValue:
    """A listing and whether it is certified now."""
    card = cards.listing_card(slug)
    if card is None:
        raise NotFoundError
    site = str(current_app.config["SITE_NAME"])
    value = "certified" if card.is_certified else "listed" if card.is_live else "withdrawn"
    return image(images.flat_badge(site, value, is_live=card.is_certified, theme=_theme()))


def _credential(credential_id: str) -> Credential:
    credential = find_credential(credential_id)
    if credential is None:
        raise NotFoundError
    return credential


def _theme() -> str:
    return "dark" if request.args.get("theme") == "dark" else "light"
