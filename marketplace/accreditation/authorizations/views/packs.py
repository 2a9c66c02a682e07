"""The procurement pack of a listing, for anybody."""

from flask import Response
from flask.typing import ResponseReturnValue

from marketplace.accreditation.authorizations.pack import procurement_pack
from marketplace.accreditation.authorizations.reading import authorizations_of_listing
from marketplace.accreditation.authorizations.services import profile_of
from marketplace.accreditation.authorizations.views.blueprints import authorizations
from marketplace.accreditation.certification.listings import listing_by_slug
from marketplace.accreditation.certification.models import Subject
from marketplace.accreditation.certification.reading import certifications_of
from marketplace.accreditation.verification.reading import verified_domains
from marketplace.core.database import db
from marketplace.core.errors import NotFoundError
from marketplace.core.limits import limiter
from marketplace.core.permissions import public
from marketplace.identity.models import Organization


@authorizations.get("/procurement/<procurement_slug>.pdf")
@public("holds what the listing's page shows, and what the company wrote for this")
@limiter.limit("30 per minute")
def pack(procurement_slug: str) -> ResponseReturnValue:
    """One PDF: company, verification, authorizations with dates, security contact."""
    listing = listing_by_slug(procurement_slug)
    if listing is None or not listing.is_public:
        raise NotFoundError
    organization = db.session.get(Organization, listing.organization_id)
    if organization is None:
        raise NotFoundError
    data = procurement_pack(
        listing,
        organization,
        profile_of(organization.id),
        verified_domains(organization.id),
        authorizations_of_listing(listing.id),
        [
            row
            for row in certifications_of(organization.id)
            if row.subject is Subject.ORGANIZATION or row.listing_id == listing.id
        ],
    )
    response = Response(data, content_type="application/pdf")
    response.headers["Content-Disposition"] = (
        f'attachment; filename="procurement-{listing.slug}.pdf"'
    )
    response.headers["Cache-Control"] = "public, max-age=300"
    return response
