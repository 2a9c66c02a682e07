"""The words of authorizations. Tones are those of badges."""

from marketplace.accreditation.authorizations.models import AuthorizationStatus, CheckState

STATUSES = {
    AuthorizationStatus.AUTHORIZED.value: ("Authorized", "success"),
    AuthorizationStatus.IN_PROCESS.value: ("In process", "info"),
    AuthorizationStatus.READY.value: ("Ready", "neutral"),
}
CHECKS = {
    CheckState.SUBMITTED: ("With our team", "info"),
    CheckState.ACCEPTED: ("Public", "success"),
    CheckState.RETURNED: ("Needs something", "warning"),
    CheckState.WITHDRAWN: ("Withdrawn", "neutral"),
    CheckState.EXPIRED: ("Expired", "danger"),
}
