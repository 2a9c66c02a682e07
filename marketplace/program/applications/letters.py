"""Decision letters: a text with merge fields, shown before it is sent."""

import re
from datetime import datetime

from marketplace.core.errors import InvalidError
from marketplace.program.applications.words import paragraphs

MOST_OF_A_LETTER = 5_000
_FIELD = re.compile(r"\{([^{}\n]{1,60})\}")
FIELDS = {
    "name": "the applicant's name",
    "organization": "the applying organization",
    "title": "what was applied for",
    "site": "this site's name",
    "date": "today",
    "again_from": "the day from which they can apply again",
}
ACCEPTED = """Hello {name},

we have decided on your application: {title}. We are glad to accept {organization}.

The next steps are on the page of your application.

{site}"""
DECLINED = """Hello {name},

thank you for your application: {title}. We looked at it with care and cannot accept it now.

You can apply again from {again_from} on.

{site}"""


def template_for(accepted: bool) -> str:
    """The text that a letter begins with."""
    return ACCEPTED if accepted else DECLINED


def merge(
    text: str,
    *,
    name: str,
    organization: str,
    title: str,
    site: str,
    now: datetime,
    again_from: datetime,
) -> str:
    """The letter as it is sent. Raises InvalidError at `letter` for an unknown merge field, an
    empty letter or a long one."""
    values = {
        "name": name or "there",
        "organization": organization or name or "you",
        "title": title,
        "site": site,
        "date": f"{now:%d %B %Y}",
        "again_from": f"{again_from:%d %B %Y}",
    }
    tidy = paragraphs(text)
    if not tidy:
        raise InvalidError({"letter": "Write the letter. The applicant reads it."})
    if len(tidy) > MOST_OF_A_LETTER:
        raise InvalidError({"letter": f"Use at most {MOST_OF_A_LETTER:,} characters."})
    unknown = [each for each in _FIELD.findall(tidy) if each not in values]
    if unknown:
        known = ", ".join(f"{{{each}}}" for each in FIELDS)
        raise InvalidError({"letter": f"There is no field {{{unknown[0]}}}. Fields are {known}."})
    return _FIELD.sub(lambda found: values[found[1]], tidy)
