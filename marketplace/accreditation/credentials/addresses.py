"""The absolute addresses under which credentials, keys and lists are found. They are written into
what is signed, so they do not change."""

from flask import current_app


def base_url() -> str:
    """Where this installation is, without a slash at its end."""
    return str(current_app.config["PUBLIC_URL"]).rstrip("/")


def issuer_id() -> str:
    """The issuer's id, which is also the address of its profile."""
    return f"{base_url()}/credentials/issuer"


def key_url(kid: str) -> str:
    """Where one public key (a JWK) is served."""
    return f"{base_url()}/credentials/keys/{kid}"


def credential_url(public_id: str) -> str:
    """The id of a credential, and its public page."""
    return f"{base_url()}/credentials/{public_id}"


def status_list_url(number: int) -> str:
    """Where a status list is served."""
    return f"{base_url()}/credentials/status/{number}"
