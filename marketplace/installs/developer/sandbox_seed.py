"""What a fresh sandbox organization is like: always the same, and nobody real."""

from dataclasses import dataclass

from marketplace.identity.models import Role


@dataclass(frozen=True)
class SamplePerson:
    """A member of every sandbox. Has no way to sign in, and gets no mail."""

    name: str
    mailbox: str
    role: Role


WEBSITE = "https://sandbox.example"
TAGLINE = "A made-up customer for trying apps"
COUNTRY = "NL"
COLOR = "#7c5cff"
PEOPLE = (
    SamplePerson("Olu Sample", "olu", Role.OWNER),
    SamplePerson("Ines Sample", "ines", Role.ADMIN),
    SamplePerson("Ravi Sample", "ravi", Role.DEVELOPER),
    SamplePerson("Yuki Sample", "yuki", Role.VIEWER),
)


def sandbox_name(partner_name: str) -> str:
    """The sandbox organization's name, within the 80 characters that names may have."""
    suffix = " sandbox"
    return partner_name[: 80 - len(suffix)].rstrip() + suffix


def address_of(person: SamplePerson, slug: str) -> str:
    """An address of a sample person that belongs to nobody (RFC 2606)."""
    return f"{person.mailbox}@{slug}.example"
