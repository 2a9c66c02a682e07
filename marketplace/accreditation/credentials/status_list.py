"""Which bit of which list says that a credential is revoked (Bitstring Status List v1.0)."""

import base64
import gzip
import io
import zlib
from collections.abc import Iterable

# The least length that the standard allows, so that a bit hides among many.
LIST_BITS = 131_072
# A full list shrinks to some kilobytes; anything beyond this unpacked is not a list of ours.
MOST_BYTES = 2 * 1024 * 1024
_SPREAD = 88_339  # odd, so that multiplying by it permutes the places of a list


class NotAListError(ValueError):
    """The text is not an encoded list, or a far too long one."""


def place_of(credential_id: int) -> tuple[int, int]:
    """The number of the list and the place in it of a credential (by its row's id)."""
    number, position = divmod(credential_id - 1, LIST_BITS)
    return number + 1, (position * _SPREAD) % LIST_BITS


def ids_of_list(number: int) -> tuple[int, int]:
    """The first and the last id of credentials that a list speaks of."""
    return (number - 1) * LIST_BITS + 1, number * LIST_BITS


def encode(places: Iterable[int]) -> str:
    """The list in which these places are set: multibase base64url of gzip."""
    bits = bytearray(LIST_BITS // 8)
    for place in places:
        bits[place // 8] |= 0x80 >> (place % 8)
    packed = gzip.compress(bytes(bits), mtime=0)
    return "u" + base64.urlsafe_b64encode(packed).decode("ascii").rstrip("=")


def is_set(encoded: str, place: int) -> bool:
    """Whether a place of somebody's list is set. Raises NotAListError."""
    text = encoded[1:] if encoded.startswith("u") else encoded
    try:
        packed = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        with gzip.GzipFile(fileobj=io.BytesIO(packed)) as file:
            bits = file.read(MOST_BYTES + 1)
    except (ValueError, OSError, EOFError, zlib.error) as error:
        raise NotAListError("not a packed list") from error
    if len(bits) > MOST_BYTES or not 0 <= place < len(bits) * 8:
        raise NotAListError("the list does not have that place")
    return bool(bits[place // 8] & (0x80 >> (place % 8)))
