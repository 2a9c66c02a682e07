"""Reviews of a partner's listings."""

from marketplace.api.v1.platform.schemas.parts import (
    count,
    maybe,
    moment,
    page_of,
    part,
    shape,
    text,
)

ANSWER = shape(
    "ReviewAnswer",
    "A publisher's answer.",
    text=text("The words, in public.", "Thank you. Version 1.3 is faster."),
    answered_at=moment("When they were last written."),
)
REVIEW = shape(
    "Review",
    "A customer's review.",
    id=count("Its number.", 42),
    listing=part("ListingBrief", "What was reviewed."),
    organization=part("OrganizationBrief", "Who reviewed it."),
    author=text("The person's name.", "Ada Okafor"),
    rating=count("1 to 5.", 5),
    title=text("In a line; or empty.", "Saves us an hour a day"),
    body=text("The words; or empty.", "It just works."),
    created_at=moment("When it was written."),
    edited_at=moment("When it was last changed.", None, null=True),
    answer=maybe("ReviewAnswer", "Your answer, or null."),
)
REVIEW_PAGE = page_of("ReviewPage", REVIEW, "Reviews, the newest first.")
