"""What a tier protected stays closed when a new policy has that tier no more."""

from typing import Any

from marketplace.core.database import db
from tests.factories.courses import make_course
from tests.factories.people import make_member, make_organization
from tests.factories.program import make_policy, make_standing, policy_document
from tests.factories.rounds import make_round


def test_rounds_and_courses_of_a_removed_tier_are_closed(sign_in: Any) -> None:
    make_policy()
    partner, silver = make_organization("Quayside"), make_organization("Silver")
    make_standing(partner)
    make_standing(silver, "silver")
    round_ = make_round(least_tier="silver")
    course = make_course(min_tier="silver")
    db.session.commit()
    low, high = sign_in(make_member(partner), partner), sign_in(make_member(silver), silver)
    apply, learn = (
        f"/partner/rounds/{round_.public_id}/application",
        f"/partner/courses/{course.public_id}",
    )
    for path in (apply, learn):
        assert high.get(path).status_code == 200, path
        assert low.get(path).status_code in (403, 404), path
    document = policy_document()
    document["tiers"] = [each for each in document["tiers"] if each["key"] != "silver"]
    make_policy(document)
    db.session.commit()
    for path in (apply, learn):
        assert low.get(path).status_code in (403, 404), path
    assert "no longer part of the program" in low.get(f"/partner/rounds/{round_.public_id}").text
    assert "Build integrations that last" not in low.get("/partner/courses").text
