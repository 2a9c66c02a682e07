"""What of a search may be counted: the normalised words, unless they look like somebody's data.

People paste addresses, telephone numbers and keys into search fields. Such a query is not kept at
all; leaving a part out would still keep the rest of what belongs to a person.
"""

import re
import unicodedata

MAX_LENGTH = 80
MIN_LENGTH = 2
# An at sign between words is an address, or a handle.
_ADDRESS = re.compile(r"\S@\S|(^|\s)@\w")
# Six digits in a row, or seven in groups: telephone, customer, card and account numbers.
_LONG_NUMBER = re.compile(r"\d{6,}|(?:\d[\s().+/-]{0,3}){7,}")
# Something random of 20 characters or more, with both letters and digits: a key or a token.
_TOKEN = re.compile(r"(?=\S*\d)(?=\S*[a-z])\S{20,}")
_ADDRESS_WITH_ARGUMENTS = re.compile(r"https?://|www\.|\?\S+=")


def countable(text: str) -> str | None:
    """The query under which a search is counted, or None when it must not or need not be.

    NFKC, case-folded, white space joined, at most 80 characters.
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    printable = "".join(c if c.isprintable() else " " for c in folded)
    query = " ".join(printable.split())
    if len(query) < MIN_LENGTH or not any(c.isalnum() for c in query):
        return None
    if any(
        pattern.search(query)
        for pattern in (_ADDRESS, _LONG_NUMBER, _TOKEN, _ADDRESS_WITH_ARGUMENTS)
    ):
        return None
    return query[:MAX_LENGTH].rstrip()
