"""The words of certification. Tones are those of badges."""

from marketplace.accreditation.certification.checklist import AutomaticCheck, EvidenceKind
from marketplace.accreditation.certification.models import (
    CertificationState,
    EvidenceState,
    ListingRule,
    Subject,
)

STATES = {
    CertificationState.DRAFT: ("Gathering evidence", "neutral"),
    CertificationState.SUBMITTED: ("With our reviewers", "info"),
    CertificationState.RETURNED: ("Needs something", "warning"),
    CertificationState.CERTIFIED: ("Certified", "success"),
    CertificationState.REFUSED: ("Refused", "danger"),
    CertificationState.WITHDRAWN: ("Withdrawn", "neutral"),
    CertificationState.EXPIRED: ("Expired", "danger"),
    CertificationState.REVOKED: ("Revoked", "danger"),
    CertificationState.RENEWED: ("Renewed", "neutral"),
}
ITEM_STATES = {
    EvidenceState.GIVEN: ("Given", "info"),
    EvidenceState.ACCEPTED: ("Accepted", "success"),
    EvidenceState.RETURNED: ("Needs something", "warning"),
}
SUBJECTS = {
    Subject.LISTING.value: "A listing",
    Subject.ORGANIZATION.value: "The organization",
    Subject.PERSON.value: "A person",
}
RULES = {
    ListingRule.BADGE.value: "A badge only",
    ListingRule.UNLIST.value: "Hidden when it runs out",
    ListingRule.REQUIRED.value: "Hidden until certified",
}
RULE_TEXTS = {
    ListingRule.BADGE.value: "Listings are shown with or without it.",
    ListingRule.UNLIST.value: "A listing that was certified is hidden until it is renewed.",
    ListingRule.REQUIRED.value: "No listing that this is for is shown without it.",
}
EVIDENCE_KINDS = {
    EvidenceKind.TEXT.value: "Words",
    EvidenceKind.LINK.value: "An address",
    EvidenceKind.FILE.value: "A file",
    EvidenceKind.AUTOMATIC.value: "We look ourselves",
}
CHECKS = {
    AutomaticCheck.LIVE_INSTALLS.value: "Live installations by others",
    AutomaticCheck.CERTIFIED_PEOPLE.value: "Certified people",
    AutomaticCheck.VERIFIED.value: "The organization is verified",
    AutomaticCheck.PUBLISHED.value: "The listing is published",
}
KINDS = {
    "app": "Apps",
    "integration": "Integrations",
    "service": "Services",
    "template": "Templates",
}
