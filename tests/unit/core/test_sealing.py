"""Secrets encrypted at rest."""

from collections.abc import Iterator

import pytest

from marketplace.core.sealing import SealBrokenError, configure_sealing, reseal, seal, unseal
from tests.conftest import SECRET_KEY


@pytest.fixture(autouse=True)
def keys_of_their_own() -> Iterator[None]:
    configure_sealing("first key")
    yield
    configure_sealing(SECRET_KEY)


def test_what_is_sealed_can_be_read_again_and_tells_nothing() -> None:
    token = seal("whsec_Grüße")
    assert unseal(token) == "whsec_Grüße"
    assert "whsec" not in token
    assert seal("whsec_Grüße") != token


def test_after_an_exchange_of_the_key_old_tokens_can_be_read_and_moved() -> None:
    token = seal("secret")
    configure_sealing("second key", "first key")
    assert unseal(token) == "secret"
    moved = reseal(token)
    configure_sealing("second key")
    assert unseal(moved) == "secret"
    with pytest.raises(SealBrokenError):
        unseal(token)


@pytest.mark.parametrize("token", ["", "nonsense", "gAAAAA", "ü"])
def test_nonsense_is_refused(token: str) -> None:
    with pytest.raises(SealBrokenError):
        unseal(token)
    with pytest.raises(SealBrokenError):
        reseal(token)


def test_a_changed_token_is_refused() -> None:
    token = seal("secret")
    with pytest.raises(SealBrokenError):
        unseal(token[:-6] + "AAAAA=")
