"""A partner's own listings: drafts, reviews of them, versions."""

from marketplace.api.v1.platform.schemas.parts import (
    SHAPES,
    bag,
    choice,
    count,
    flag,
    link,
    many,
    maybe,
    moment,
    page_of,
    ref,
    shape,
    text,
)
from marketplace.catalogue.content import KINDS
from marketplace.catalogue.models import ListingStatus, RevisionState
from marketplace.catalogue.publishing.sensitivity import REASONS

STATES = tuple(each.value for each in RevisionState)

DRAFT = shape(
    "Draft",
    "The open revision.",
    number=count("Its number, from 1 for each listing.", 3),
    state=choice(STATES, "Where it is.", "draft"),
    version=count("How often it was saved.", 4),
    updated_at=moment("When it was last changed."),
    submitted_at=moment("When it was handed in.", None, null=True),
)
OWN_LISTING = shape(
    "OwnListing",
    "A listing of yours in a list.",
    slug=text("Its slug.", "tide-tables"),
    name=text("Its name.", "Tide Tables"),
    tagline=text("What it does, in a line.", "Brings tide forecasts into your schedule"),
    kind=choice(KINDS, "What kind of listing it is.", "integration"),
    status=choice(
        tuple(each.value for each in ListingStatus), "Where it is in its life.", "active"
    ),
    published_at=moment("When it was first public; null: not yet.", null=True),
    suspended=flag("Whether our team took it down.", False),
    certified=flag("Whether it is certified.", False),
    url=link("Its public page.", "https://marketplace.example/listings/tide-tables"),
    draft=maybe("Draft", "What is being worked on, or null."),
)
OWN_LISTING_PAGE = page_of("OwnListingPage", OWN_LISTING, "Your listings, the oldest first.")
FIELD_PROBLEM = "FieldProblem"
WORKING_LISTING = shape(
    "WorkingListing",
    "A listing of yours with its working content: the draft's, else what is public.",
)
SHAPES[WORKING_LISTING]["properties"] = {
    **SHAPES[OWN_LISTING]["properties"],
    "content": bag(
        "Fields as in ListingChanges. A draft may lack some, or hold what must be mended.",
        {
            "name": "Tide Tables",
            "tagline": "Brings tide forecasts into your schedule",
            "kind": "integration",
            "categories": ["productivity"],
        },
    ),
    "problems": many(ref(FIELD_PROBLEM), "What must be mended before it is submitted."),
}
SHAPES[WORKING_LISTING]["required"] = list(SHAPES[WORKING_LISTING]["properties"])
SUBMISSION_RESULT = shape(
    "SubmissionResult",
    "What a submission led to.",
    outcome=choice(
        ("published", "in_review"),
        "Public at once when nothing in it needs a review.",
        "in_review",
    ),
    repeated=flag("Whether it was submitted before.", False),
)
REVIEW_EVENT = shape(
    "ListingReviewEvent",
    "A step or a note of a review.",
    kind=text("What it is.", "changes_requested"),
    body=text("The words; or empty.", "Please say why you need contacts.read."),
    field_notes=bag("Words at fields.", {"scopes": "Give a reason a customer understands."}),
    revision=count("The revision's number.", 3),
    created_at=moment("When."),
)
LISTING_REVIEW = shape(
    "ListingReviewState",
    "How the review of a listing goes.",
    draft=maybe("Draft", "The open revision, or null."),
    reasons=many(
        {"type": "string", "enum": list(REASONS)},
        "Why it needs a review.",
        ["new_listing"],
    ),
    needs_second_approval=flag("Whether two people look at it.", False),
    submitted_at=moment("When it was handed in.", null=True),
    events=many(ref("ListingReviewEvent"), "The newest 40 steps and notes, newest first."),
)
VERSION = shape(
    "ListingVersion",
    "A release.",
    version=text("Its number.", "1.2.0"),
    released_on=text("The day.", "2026-11-28", format="date"),
    changelog=text("What changed, as Markdown.", "Faster on large accounts."),
    created_at=moment("When it was told here."),
)
VERSION_PAGE = page_of("ListingVersionPage", VERSION, "Versions, the newest told first.")

__all__ = [
    "LISTING_REVIEW",
    "OWN_LISTING_PAGE",
    "SUBMISSION_RESULT",
    "VERSION",
    "VERSION_PAGE",
    "WORKING_LISTING",
]
