"""Who may review, use, follow, ask for, answer and report."""

from marketplace.catalogue.models import AbuseCase, Appeal, CaseState, IntegrationRequest, Listing
from marketplace.catalogue.models import ListingReview as Review
from marketplace.core.permissions import Actor, rule
from marketplace.identity.models import Organization

ADMINS = frozenset({"owner", "admin"})
WRITERS = frozenset({"owner", "admin", "editor", "developer"})
ANSWERERS = frozenset({"owner", "admin", "editor"})
CASE_STAFF = ("reviewer", "program_manager", "support")
DECIDERS = ("reviewer", "program_manager")
# A publisher learns of a case only when it led to a suspension.
TOLD = (CaseState.SUSPENDED, CaseState.REINSTATED)


def _acts_for_a_user_of(actor: Actor, listing: Listing, roles: frozenset[str]) -> bool:
    """In one of `roles` of an organization that is neither ours nor the listing's publisher.

    A member of the publisher is refused for every organization: nobody praises their own.
    """
    organization = actor.organization
    return (
        organization is not None
        and organization.organization_kind != "platform"
        and organization.role in roles
        and actor.role_in(listing.publisher_id) is None
    )


@rule("listing.declare_use")
def may_declare_use(actor: Actor, listing: Listing) -> bool:
    """An owner or admin speaks for the organization."""
    return _acts_for_a_user_of(actor, listing, ADMINS)


@rule("listing.withdraw_use")
def may_withdraw_use(actor: Actor, _listing: Listing) -> bool:
    """An owner or admin speaks for the organization."""
    return actor.organization is not None and actor.organization.role in ADMINS


@rule("uses.read")
def may_read_uses(actor: Actor, _resource: object = None) -> bool:
    """Any member sees what the active organization uses."""
    return actor.organization is not None


@rule("review.write")
def may_write_review(actor: Actor, listing: Listing) -> bool:
    """Whoever works with it; that the organization uses it is checked by the service."""
    return _acts_for_a_user_of(actor, listing, WRITERS)


@rule("review.edit")
def may_edit_review(actor: Actor, review: Review) -> bool:
    """Its author while a member, and the owners and admins of the reviewing organization."""
    role = actor.role_in(review.organization_id)
    return role in ADMINS or (role in WRITERS and actor.user_id == review.author_id)


@rule("review.answer")
def may_answer_review(actor: Actor, review: Review) -> bool:
    """The publisher's owners, admins and editors."""
    return actor.role_in(review.listing.publisher_id) in ANSWERERS


@rule("review.flag")
def may_flag_review(actor: Actor, review: Review) -> bool:
    """Any signed-in person, but not the reviewing organization itself."""
    return actor.is_authenticated and actor.role_in(review.organization_id) is None


@rule("reviews.received")
def may_read_received_reviews(actor: Actor, _resource: object = None) -> bool:
    """Members of a partner see the reviews of its listings in one place."""
    organization = actor.organization
    return organization is not None and organization.organization_kind == "partner"


@rule("flags.handle")
def may_handle_flags(actor: Actor, _resource: object = None) -> bool:
    """Staff who care for content."""
    return actor.is_staff_as(*CASE_STAFF)


@rule("flag.decide")
def may_decide_flag(actor: Actor, review: Review) -> bool:
    """Staff, but not about their own organization's review or listing."""
    return (
        actor.is_staff_as(*CASE_STAFF)
        and actor.role_in(review.organization_id) is None
        and actor.role_in(review.listing.publisher_id) is None
    )


@rule("follow.toggle")
def may_follow(actor: Actor, _subject: object = None) -> bool:
    """Any signed-in person follows what is public."""
    return actor.is_authenticated


@rule("follows.read")
def may_read_follows(actor: Actor, _resource: object = None) -> bool:
    """One's own list."""
    return actor.is_authenticated


@rule("request.create")
def may_request(actor: Actor, _resource: object = None) -> bool:
    """Any signed-in person."""
    return actor.is_authenticated


@rule("request.vote")
def may_vote(actor: Actor, _request: IntegrationRequest) -> bool:
    """Any signed-in person."""
    return actor.is_authenticated


@rule("request.manage")
def may_manage_request(actor: Actor, _request: object = None) -> bool:
    """Staff who talk to partners."""
    return actor.is_staff_as("program_manager", "support")


@rule("cases.handle")
def may_handle_cases(actor: Actor, _case: object = None) -> bool:
    """Staff see the queue and the cases."""
    return actor.is_staff_as(*CASE_STAFF)


@rule("case.decide")
def may_decide_case(actor: Actor, case: AbuseCase) -> bool:
    """Reviewers and program managers, but not about a listing of an organization of theirs."""
    return actor.is_staff_as(*DECIDERS) and actor.role_in(case.listing.publisher_id) is None


@rule("case.read")
def may_read_case(actor: Actor, case: AbuseCase) -> bool:
    """The publisher's members see a case once it led to a suspension."""
    return actor.role_in(case.listing.publisher_id) is not None and case.state in TOLD


@rule("case.appeal")
def may_appeal(actor: Actor, case: AbuseCase) -> bool:
    """The publisher's owners and admins."""
    return case.state in TOLD and actor.role_in(case.listing.publisher_id) in ADMINS


@rule("appeal.decide")
def may_decide_appeal(actor: Actor, appeal: Appeal) -> bool:
    """Whoever may decide the case, except the person who suspended."""
    return may_decide_case(actor, appeal.case) and actor.user_id != appeal.case.decided_by_id


@rule("listing.suspend")
def may_suspend_listing(actor: Actor, listing: Listing) -> bool:
    """Reviewers and program managers, but not a listing of an organization of theirs."""
    return actor.is_staff_as(*DECIDERS) and actor.role_in(listing.publisher_id) is None


@rule("publisher.suspend")
def may_suspend_publisher(actor: Actor, publisher: Organization) -> bool:
    """Program managers, but not their own organization."""
    return actor.is_staff_as("program_manager") and actor.role_in(publisher.id) is None


@rule("cases.received")
def may_read_received_cases(actor: Actor, _resource: object = None) -> bool:
    """Members of a partner see the suspensions of its listings."""
    organization = actor.organization
    return organization is not None and organization.organization_kind == "partner"
