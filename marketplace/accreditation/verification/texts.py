"""The words of verification. Tones are those of badges."""

from marketplace.accreditation.verification.models import (
    DocumentKind,
    ProofState,
    VerificationState,
)

METHODS = (
    ("dns", "A record in your DNS"),
    ("email", "A mail to an address at the domain"),
)
PROOF_STATES = {
    ProofState.PENDING: ("Waiting for proof", "warning"),
    ProofState.VERIFIED: ("Proven", "success"),
    ProofState.FAILING: ("Record missing", "danger"),
    ProofState.REOPENED: ("To be proven again", "danger"),
    ProofState.DISPUTED: ("Held by another", "warning"),
    ProofState.REMOVED: ("Removed", "neutral"),
}
DOCUMENT_KINDS = {
    DocumentKind.REGISTRATION.value: "Entry in a register of companies",
    DocumentKind.ADDRESS.value: "Address, such as a bill",
    DocumentKind.TAX.value: "Tax registration",
    DocumentKind.ACCREDITATION.value: "Accreditation of a school or a non-profit",
    DocumentKind.IDENTITY.value: "Who signs for the organization",
    DocumentKind.OTHER.value: "Something else",
}
STATES = {
    VerificationState.OPEN: ("Not submitted", "neutral"),
    VerificationState.SUBMITTED: ("With our team", "info"),
    VerificationState.RETURNED: ("Needs something", "warning"),
    VerificationState.APPROVED: ("Verified", "success"),
    VerificationState.LAPSED: ("Lapsed", "danger"),
    VerificationState.REVOKED: ("Not verified", "danger"),
}
