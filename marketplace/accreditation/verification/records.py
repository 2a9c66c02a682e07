"""TXT records: how they are asked for, and what is made of the answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import dns.exception
import dns.resolver
from dns.rdatatype import RdataType
from dns.rdtypes.ANY.TXT import TXT

LABEL = "_portico"
PREFIX = "portico-verification="
TIMEOUT_SECONDS = 5.0
# Of what others wrote there, this much is kept and shown.
MOST_RECORDS, MOST_CHARACTERS = 5, 120


class LookupFailedError(Exception):
    """No answer, or a broken one: nothing is known; ask again later."""


class Resolver(Protocol):
    """Looks up TXT records."""

    def txt(self, name: str) -> list[str]:
        """The texts of all TXT records of a name; none where there is none.

        Raises LookupFailedError.
        """


class DnsResolver:
    """Asks DNS servers: those of the machine, or the given ones (addresses and a port)."""

    def __init__(self, servers: Sequence[tuple[str, int]] = ()) -> None:
        self._servers = tuple(servers)

    def txt(self, name: str) -> list[str]:
        """See Resolver."""
        try:
            resolver = dns.resolver.Resolver(configure=not self._servers)
            if self._servers:
                resolver.nameservers = [
                    dns.nameserver.Do53Nameserver(address, port) for address, port in self._servers
                ]
            answer = resolver.resolve(
                f"{name}.", RdataType.TXT, lifetime=TIMEOUT_SECONDS, search=False
            )
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return []
        except (dns.exception.DNSException, OSError, ValueError) as error:
            raise LookupFailedError(str(error)) from error
        return [
            b"".join(record.strings).decode("utf-8", "replace")
            for record in answer
            if isinstance(record, TXT)
        ]


_resolver: list[Resolver] = []


def resolve_with(resolver: Resolver) -> None:
    """Look up by it from now on, in this process."""
    _resolver[:] = [resolver]


def current_resolver() -> Resolver:
    """What was chosen, the machine's own servers otherwise."""
    return _resolver[0] if _resolver else DnsResolver()


@dataclass(frozen=True)
class Answer:
    """What a lookup came to. `found` is None when nobody answered: then nothing is known."""

    matches: bool
    found: tuple[str, ...] | None

    def in_words(self, name: str) -> str:
        """A sentence for the partner."""
        if self.found is None:
            return "The name servers did not answer. We try again."
        if self.matches:
            return f"Found the record at {name}."
        if not self.found:
            return f"There is no TXT record at {name}."
        shown = ", ".join(f"“{text}”" for text in self.found)
        return f"The TXT record at {name} says {shown}."


def record_name(domain: str) -> str:
    """Where the record of a domain stands."""
    return f"{LABEL}.{domain}"


def record_text(challenge: str) -> str:
    """What the record says."""
    return f"{PREFIX}{challenge}"


def look_up(domain: str, challenge: str, resolver: Resolver | None = None) -> Answer:
    """Ask for the record of a domain and compare. Never raises."""
    try:
        texts = (resolver or current_resolver()).txt(record_name(domain))
    except LookupFailedError:
        return Answer(matches=False, found=None)
    wanted = record_text(challenge)
    shown = tuple(_printable(text) for text in texts[:MOST_RECORDS])
    return Answer(matches=wanted in (text.strip() for text in texts), found=shown)


def _printable(text: str) -> str:
    bare = "".join(letter if letter.isprintable() else "?" for letter in text)
    return bare if len(bare) <= MOST_CHARACTERS else f"{bare[:MOST_CHARACTERS]}…"
