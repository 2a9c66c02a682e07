"""What is typed about a lead, checked: one value for briefs, registrations and files. Pure."""

from dataclasses import dataclass, field
from typing import Any

from email_validator import EmailNotValidError, validate_email

from marketplace.catalogue.content import clean_text
from marketplace.identity.countries import COUNTRIES
from marketplace.pipeline.leads.normalizing import normal_domain
from marketplace.pipeline.leads.texts import BUDGETS, TIME_FRAMES

MOST = {"name": 120, "email": 254, "phone": 40, "company": 120, "website": 253, "need": 4_000}
MOST_POSTAL = 12


@dataclass(frozen=True)
class LeadFields:
    """What is known of somebody who looks for something; one-line texts are clean."""

    name: str
    email: str
    need: str
    company: str = ""
    phone: str = ""
    website: str = ""
    country: str | None = None
    postal_code: str = ""
    budget: str = ""
    time_frame: str = ""


@dataclass
class _Reading:
    errors: dict[str, str] = field(default_factory=dict)

    def line(self, values: dict[str, Any], name: str, wanted: str = "") -> str:
        """One line of text; `wanted` is the message when it is missing."""
        text = " ".join(clean_text(_text(values, name)).split())
        return self._within(name, text, wanted)

    def block(self, values: dict[str, Any], name: str, wanted: str = "") -> str:
        """Text of several lines."""
        return self._within(name, clean_text(_text(values, name)), wanted)

    def _within(self, name: str, text: str, wanted: str) -> str:
        most = MOST.get(name, 200)
        if len(text) > most:
            self.errors[name] = f"Use at most {most:,} characters."
            return text[:most]
        if not text and wanted:
            self.errors[name] = wanted
        return text


def read_fields(
    values: dict[str, Any], *, needs_company: bool = False
) -> tuple[LeadFields, dict[str, str]]:
    """The lead that `values` tell, and what is wrong by field; use it only without errors."""
    reading = _Reading()
    name = reading.line(values, "name", "Enter a name.")
    company = reading.line(values, "company", "Enter the company's name." if needs_company else "")
    need = reading.block(values, "need", "Say what is needed.")
    phone = reading.line(values, "phone")
    website = reading.line(values, "website")
    if website and "website" not in reading.errors and not normal_domain(website):
        reading.errors["website"] = "Enter a web address like example.com."
    email = reading.line(values, "email", "Enter an e-mail address.")
    if email and "email" not in reading.errors:
        try:
            # Names of domains in their ASCII form, so that every mail server takes them.
            checked = validate_email(email, check_deliverability=False, allow_smtputf8=False)
            email = checked.ascii_email or checked.normalized
        except EmailNotValidError:
            reading.errors["email"] = "Enter an e-mail address like ada@example.com."
    country = _text(values, "country").strip().upper()[:40]
    if country and country not in COUNTRIES:
        reading.errors["country"] = "Choose a country, or give its code of two letters."
        country = ""
    postal = "".join(clean_text(_text(values, "postal_code")).upper().split())
    if len(postal) > MOST_POSTAL or (not postal.replace("-", "").isalnum() and postal):
        reading.errors["postal_code"] = "Enter a postal code, or leave it empty."
        postal = ""
    budget, time_frame = _text(values, "budget").strip(), _text(values, "time_frame").strip()
    if budget not in BUDGETS:
        reading.errors["budget"] = "Choose one of the ranges."
    if time_frame not in TIME_FRAMES:
        reading.errors["time_frame"] = "Choose one of the times."
    return (
        LeadFields(
            name=name,
            email=email,
            need=need,
            company=company,
            phone=phone,
            website=website,
            country=country or None,
            postal_code=postal,
            budget=budget if budget in BUDGETS else "",
            time_frame=time_frame if time_frame in TIME_FRAMES else "",
        ),
        reading.errors,
    )


def _text(values: dict[str, Any], name: str) -> str:
    value = values.get(name)
    return "" if value is None else str(value)[:20_000]
