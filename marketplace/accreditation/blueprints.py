"""All blueprints of this room, for wiring.py."""

from flask import Blueprint

from marketplace.accreditation.authorizations.views import authorizations, authorizations_staff
from marketplace.accreditation.certification.views import certification, certification_staff
from marketplace.accreditation.courses.views import courses, courses_staff
from marketplace.accreditation.credentials.views import credentials, credentials_staff
from marketplace.accreditation.embeds.views import embeds
from marketplace.accreditation.managed_services.views import (
    managed_services,
    managed_services_staff,
)
from marketplace.accreditation.passport.views import (
    passport,
    passport_receipts,
    passport_staff,
)
from marketplace.accreditation.seats.views import seats
from marketplace.accreditation.verification.views import verification, verification_staff

BLUEPRINTS: tuple[Blueprint, ...] = (
    verification,
    verification_staff,
    certification,
    certification_staff,
    managed_services,
    managed_services_staff,
    authorizations,
    authorizations_staff,
    seats,
    courses,
    courses_staff,
    credentials,
    credentials_staff,
    embeds,
    passport,
    passport_staff,
    passport_receipts,
)
