"""Changing a partner's type by hand: one that joined as something else, or whose type is gone."""

from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.locks import lock_row
from marketplace.identity.models import Organization
from marketplace.identity.own_partner import refuse_members
from marketplace.program.onboarding.services.admitting import admit
from marketplace.program.policy.live import live_policy
from marketplace.program.scorecards.services.evaluation import evaluate, evaluate_midnight
from marketplace.program.standing.models import Standing
from marketplace.program.standing.reading import IN_FORCE

MOST_CHARACTERS = 1_000


def change_type(
    organization: Organization, partner_type: str, *, reason: str, by_user_id: int | None
) -> Standing:
    """Give a partner of the program another type, for a reason that stays on record; it keeps its
    tier until it is evaluated, which is done at once. Raises ForbiddenError for a member of it,
    InvalidError by field, ConflictError for who is not in the program or is of that type already.
    """
    refuse_members(by_user_id, organization.id)
    live = live_policy()
    if live is None:
        raise ConflictError("The program has no policy yet.")
    wrong: dict[str, str] = {}
    text = reason.strip()
    if live.policy.type(partner_type) is None:
        wrong["partner_type"] = "Choose a type of the policy."
    if not text:
        wrong["reason"] = "Say why: it stays on record."
    elif len(text) > MOST_CHARACTERS:
        wrong["reason"] = f"At most {MOST_CHARACTERS:,} characters."
    elif "\x00" in text:
        wrong["reason"] = "It holds a character that cannot be stored."
    if wrong:
        raise InvalidError(wrong)
    # The day before ends by what was so then.
    evaluate_midnight([organization.id])
    row = lock_row(Organization, Organization.id == organization.id) or organization
    standing = lock_row(Standing, Standing.organization_id == organization.id)
    if standing is None or standing.state not in IN_FORCE:
        raise ConflictError("This partner is not in the program.")
    if row.partner_type == partner_type:
        raise ConflictError("It is of that type already.")
    standing = admit(row, partner_type, by_user_id=by_user_id, reason=text)
    evaluate(organization.id, by_user_id=by_user_id)
    return standing
