"""The words of managed services. Tones are those of badges."""

from marketplace.accreditation.managed_services.models import EvidenceKind, ServiceEvidenceState

EVIDENCE_KINDS = {
    EvidenceKind.SLA_REPORT.value: "Report on the service level",
    EvidenceKind.AUDIT.value: "Audit by a third party",
    EvidenceKind.CUSTOMER.value: "Letter of a customer",
    EvidenceKind.INCIDENT.value: "Report on an incident",
}
EVIDENCE_STATES = {
    ServiceEvidenceState.SUBMITTED: ("With our reviewers", "info"),
    ServiceEvidenceState.ACCEPTED: ("Accepted", "success"),
    ServiceEvidenceState.RETURNED: ("Needs something", "warning"),
}
COUNTS_DAYS = 365
