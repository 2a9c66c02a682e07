"""Parts of the portal: whose pages belong to which."""

from flask import Flask
from flask.testing import FlaskClient

from marketplace.program.modules import (
    FOR_PARTNERS,
    FOR_PARTNERS_AND_APPLICANTS,
    MODULES,
    module_of,
)
from tests.conftest import SignIn
from tests.factories.people import make_member, make_organization
from tests.factories.program import make_policy, policy_document


def test_every_page_of_a_divided_blueprint_belongs_to_a_part(app: Flask) -> None:
    divided = {
        beginning.partition(".")[0] for module in MODULES.values() for beginning in module.endpoints
    }
    pages = {
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/partner/") and rule.endpoint.partition(".")[0] in divided
    }
    assert {each for each in pages if module_of(each) is None} == set()


def test_what_is_for_partners_of_the_program_is_there_and_in_no_part(app: Flask) -> None:
    pages = {rule.endpoint for rule in app.url_map.iter_rules()}
    for beginning in (*FOR_PARTNERS, *FOR_PARTNERS_AND_APPLICANTS):
        found = {each for each in pages if each.startswith(beginning)}
        assert found, beginning
        assert {module_of(each) for each in found} == {None}, beginning


def test_a_type_without_affiliate_links_has_none_of_their_pages(
    app: Flask, sign_in: SignIn
) -> None:
    kinds = policy_document()["types"]
    make_policy(types=[{**kinds[0], "modules": ["catalogue"]}, *kinds[1:]])
    partner = make_organization()
    browser: FlaskClient = sign_in(make_member(partner), partner)
    pages = (
        browser.get("/partner/affiliate/programs/any"),
        browser.post("/partner/affiliate/memberships/any/key"),
        browser.post("/partner/affiliate/memberships/any/leaving"),
    )
    assert [page.status_code for page in pages] == [403, 403, 403]
