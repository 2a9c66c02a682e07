"""Whether a visit counts, and where it came from. Pure."""

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from billing.affiliates.clicks import is_bot
from marketplace.catalogue.exposure import Placement

SLOT = timedelta(minutes=30)

# Programs that say what they are, beyond those that the affiliates' clicks leave out.
_PROGRAM = re.compile(
    r"bot[/;)\s]|archiver|fetch|go-http|http[-_ ]?client|httpx|java/|libwww|okhttp|axios|perl|php/"
    r"|ruby|scan|validator|feed|phantom|playwright|puppeteer|selenium|prerender|node/|undici",
    re.IGNORECASE,
)
_PATHS: tuple[tuple[str, Placement], ...] = (
    ("/search", Placement.SEARCH),
    ("/categories", Placement.CATEGORY),
    ("/collections", Placement.COLLECTION),
    ("/partners", Placement.PARTNER),
    ("/listings/", Placement.SIMILAR),
)


@dataclass(frozen=True, slots=True)
class Browser:
    """What a request says of the browser that sent it. `address` and `session` never leave this
    process: they are hashed before anything is written."""

    address: str
    user_agent: str
    session: str = ""

    def visitor(self, salt: str) -> str:
        """Who this is within a day: 32 hex digits that say nothing without the day's salt."""
        who = f"session:{self.session}" if self.session else f"{self.address}\0{self.user_agent}"
        return hashlib.sha256(f"{salt}\0{who}".encode("utf-8", "replace")).hexdigest()[:32]


def is_machine(user_agent: str, accept: str, purpose: str) -> bool:
    """Whether a request was no person looking at a page.

    `accept` is its Accept header (a browser that navigates asks for HTML; none at all is no
    verdict), `purpose` its Purpose or Sec-Purpose header (a browser that only fetches ahead).
    """
    if is_bot(user_agent) or _PROGRAM.search(user_agent):
        return True
    if accept and "html" not in accept and "*/*" not in accept:
        return True
    return "prefetch" in purpose.lower() or "prerender" in purpose.lower()


def placement_of(referrer: str, host: str) -> Placement:
    """What led to a listing's page: one of our own pages by its path, else `direct`."""
    try:
        came = urlsplit(referrer)
    except ValueError:
        return Placement.DIRECT
    if came.netloc != host:
        return Placement.DIRECT
    if came.path in ("", "/"):
        return Placement.HOME
    for path, placement in _PATHS:
        if came.path.startswith(path):
            return placement
    return Placement.DIRECT


def slot_of(moment: datetime) -> datetime:
    """The beginning of the half hour (UTC) of a moment."""
    return moment.replace(minute=30 * (moment.minute // 30), second=0, microsecond=0)
