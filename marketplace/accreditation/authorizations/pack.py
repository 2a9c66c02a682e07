"""The procurement pack: what a public buyer asks first, as one PDF. All of it is public."""

from collections.abc import Sequence
from datetime import date

from flask import current_app

from marketplace.accreditation.authorizations.models import Authorization, ProcurementProfile
from marketplace.accreditation.authorizations.schemes import LABELS
from marketplace.accreditation.authorizations.texts import STATUSES
from marketplace.accreditation.certification.listings import ListingFacts
from marketplace.accreditation.certification.models import Certification
from marketplace.core import clock
from marketplace.core.pdf import PdfDocument
from marketplace.identity.models import Organization


def procurement_pack(
    listing: ListingFacts,
    organization: Organization,
    profile: ProcurementProfile | None,
    domains: Sequence[str],
    authorizations: Sequence[Authorization],
    certifications: Sequence[Certification],
) -> bytes:
    """The file, of what counts today."""
    now = clock.now()
    site = str(current_app.config["SITE_NAME"])
    public_url = current_app.config["PUBLIC_URL"]
    document = PdfDocument(
        f"Procurement pack: {listing.name}",
        made_at=now,
        site_name=site,
        subtitle=f"{listing.tagline}\nAs of {now:%d %b %Y, %H:%M} UTC. "
        f"Made by {site} from what it has checked itself, and from what the company says.",
    )
    document.heading("Company (as it says itself)")
    document.pairs(
        [
            ("Name here", organization.name),
            ("Legal name", _of(profile, "legal_name")),
            ("Register number", _of(profile, "registration_number")),
            ("Tax number", _of(profile, "tax_id")),
            ("Address", _of(profile, "address")),
            ("Country", organization.country or ""),
            ("Website", organization.website),
        ]
    )
    document.heading(f"Verification (by {site})")
    document.pairs(
        [
            (
                "Organization",
                f"Verified since {_day(organization.verified_at.date())}"
                if organization.verified_at
                else "Not verified",
            ),
            ("Proven domains", ", ".join(domains)),
        ]
    )
    document.heading(f"Authorizations (checked by {site})")
    if authorizations:
        document.table(
            ("Level", "Status", "Sponsor", "Since", "Until"),
            [
                (
                    LABELS[row.level],
                    STATUSES[row.status.value][0],
                    row.sponsor or "–",
                    _day(row.authorized_on),
                    _day(row.expires_on),
                )
                for row in authorizations
            ],
            widths=(4, 3, 4, 3, 3),
        )
        document.paragraph(
            "\n".join(f"{LABELS[row.level]}: {row.evidence_url}" for row in authorizations),
            muted=True,
        )
    else:
        document.paragraph("None.")
    document.heading(f"Certifications (by {site})")
    if certifications:
        document.table(
            ("Certification", "Since", "Until"),
            [
                (
                    row.program.title if row.program else f"Certified by {site}",
                    _day(row.certified_at.date() if row.certified_at else None),
                    _day(row.expires_at.date() if row.expires_at else None),
                )
                for row in certifications
            ],
            widths=(6, 3, 3),
        )
    else:
        document.paragraph("None.")
    document.heading("Security contact (as the company says)")
    document.pairs(
        [
            ("Contact", _of(profile, "security_contact")),
            ("E-mail", _of(profile, "security_email")),
            ("Reporting", _of(profile, "security_url")),
        ]
    )
    document.paragraph(f"The listing: {public_url}/listings/{listing.slug}", muted=True)
    return document.bytes()


def _of(profile: ProcurementProfile | None, name: str) -> str:
    return str(getattr(profile, name)) if profile is not None else ""


def _day(day: date | None) -> str:
    return f"{day:%d %b %Y}" if day else "–"
