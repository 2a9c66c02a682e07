"""From the address of another installation to its issuer id, and back."""

from urllib.parse import urlsplit

from marketplace.accreditation.credentials.addresses import issuer_id
from marketplace.core.errors import InvalidError, PorticoError
from marketplace.core.outbound import check_url

_TAIL = "/credentials/issuer"


def issuer_of(typed: str, field: str) -> str:
    """The issuer id of the installation at a typed address. Raises InvalidError (`field`)."""
    text = typed.strip().rstrip("/").removesuffix(_TAIL)
    if text and "://" not in text:
        text = f"https://{text}"
    try:
        check_url(text, https_only=True)
        parts = urlsplit(text)
    except (PorticoError, ValueError) as error:
        detail = error.detail if isinstance(error, PorticoError) else "This is not an address."
        raise InvalidError({field: detail}) from None
    if parts.query or len(text) > 250:
        raise InvalidError({field: "Give the address of the installation’s first page."})
    issuer = f"{parts.scheme}://{parts.netloc.lower()}{parts.path.rstrip('/')}{_TAIL}"
    if issuer == issuer_id():
        raise InvalidError({field: "That is this installation."})
    return issuer


def base_of(issuer: str) -> str:
    """The address of the installation of an issuer."""
    return issuer.removesuffix(_TAIL)
