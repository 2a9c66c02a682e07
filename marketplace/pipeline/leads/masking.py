"""What a partner may see of a lead before it accepts. Pure."""

import re
from dataclasses import dataclass

from marketplace.pipeline.leads.normalizing import normal_domain
from marketplace.program.onboarding.domains import is_free_mail

HIDDEN = "[hidden]"
_EMAIL = re.compile(r"[^\s@<>\"',;()]+\s*(?:@|\(at\)|\[at\])\s*[^\s@<>\"',;()]+", re.IGNORECASE)
_LINK = re.compile(
    r"(?:https?://|www\.)\S+|\b[a-z0-9][a-z0-9-]*(?:\.[a-z0-9-]+)*\.[a-z]{2,24}\b(?:/\S*)?",
    re.IGNORECASE,
)
# Also right behind a word ("Tel.030…") or before one ("…567ext 5"); not inside of an amount.
_PHONE = re.compile(r"(?<!\d)(?<!\d[.,])\+?\(?\d(?:[\s().\-/]*\d){6,}(?!\d)")

# Where somebody is found elsewhere: "@ada", "Skype: ada.k". Names of products that are also asked
# for, like Slack, are left alone.
_HANDLE = re.compile(
    r"(?<![\w@])@\w[\w.\-]{1,60}"
    r"|\b(?:skype|telegram|whatsapp|wechat|viber|signal)(?:\s+(?:id|name))?\s*[:=]\s*\S+",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class MaskedContact:
    """A contact of whom nothing can be found out."""

    initials: str
    need: str


def initials_of(name: str) -> str:
    """Ada Okafor is A. O.; at most three."""
    return " ".join(f"{word[0].upper()}." for word in name.split()[:3] if word[0].isalnum())


def masked_text(text: str, *secrets: str) -> str:
    """A text without addresses, handles, links, phone numbers and the given names."""
    hidden = _EMAIL.sub(HIDDEN, text)
    hidden = _HANDLE.sub(HIDDEN, hidden)
    hidden = _LINK.sub(HIDDEN, hidden)
    hidden = _PHONE.sub(HIDDEN, hidden)
    words = sorted({part for secret in secrets for part in _parts(secret)}, key=len, reverse=True)
    for word in words:
        hidden = re.sub(rf"(?<!\w){re.escape(word)}(?!\w)", HIDDEN, hidden, flags=re.IGNORECASE)
    return hidden


def mask(*, name: str, company: str, email: str, domain: str, need: str) -> MaskedContact:
    """The contact as it is shown before a partner has accepted."""
    site = domain.rpartition(".")[0]
    local = email.partition("@")[0]
    # The company's site may be another one than its mail comes from.
    mailed = normal_domain(email)
    mailed = "" if is_free_mail(mailed) else mailed
    return MaskedContact(
        initials=initials_of(name) or "Somebody",
        need=_without_words(
            masked_text(
                need, name, company, domain, site, local, mailed, mailed.rpartition(".")[0]
            ),
            name,
            " ".join(word for word in company.split() if word.strip(".,") not in _LEGAL),
        ),
    )


def _without_words(text: str, name: str, company: str) -> str:
    """A text without the short words of names either, as they are written; those of a company when
    they are written large, like BMW."""
    short = [word for word in company.split() if word[0].isupper() or word[0].isdigit()]
    for word in [*name.split(), *(word for word in short if word not in _COMMON)]:
        if len(word) >= 2:
            text = re.sub(rf"(?<!\w){re.escape(word)}(?!\w)", HIDDEN, text)
    return text


def _parts(secret: str) -> set[str]:
    """The whole of a name, and those of its words that tell it."""
    whole = " ".join(secret.split())
    if len(whole) < 3:
        return set()
    return {whole, *(word for word in re.split(r"[\s.,&]+", whole) if len(word) >= 4)} - _COMMON


# What kind of company it is tells nobody which.
_LEGAL = {
    *("AB", "AG", "AS", "BV", "Co", "Inc", "KG", "LLC", "LLP", "Ltd", "NV", "Oy", "PLC", "SA"),
    *("SARL", "SAS", "SE", "SL", "SpA", "SRL", "Sp", "The", "GmbH", "IT"),
}
# Words of companies' names that are no secret, and would tear holes into a text.
_COMMON = {
    *("Group", "Labs", "Company", "Software", "Services", "Solutions", "Systems", "Partners"),
    *("group", "labs", "company", "software", "services", "solutions", "systems", "partners"),
    *("info", "sales", "hello", "office", "contact", "mail", "team", "Limited", "GmbH", "Corp"),
}
