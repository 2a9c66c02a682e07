"""Finance decides: refunds, disputes, questions, write-offs."""

import pytest

from billing.ledger import balance, credit, debit, post
from billing.models import (
    BalanceConversion,
    Dispute,
    Objection,
    ObjectionState,
    Refund,
    RefundRequest,
    RequestState,
    WriteOff,
)
from marketplace.core.database import db
from marketplace.identity.models import Role
from tests.factories.mails import mails
from tests.factories.people import make_member, make_organization
from tests.journeys.sales.desk.conftest import Desk


def seen(amount: int, left: int, **more: str) -> dict[str, str]:
    """What the page sends of a refund of `amount` that it showed."""
    return {
        "amount": f"{amount / 100:.2f}",
        "seen_amount": str(amount),
        "seen_left": str(left),
        "reason": "Because",
        **more,
    }


def test_a_refund_shows_who_pays_what_before_it_is_made(desk: Desk) -> None:
    path = f"/staff/finance/orders/{desk.order.public_id}/refund"
    page = desk.client.get(path, query_string={"amount": "59.50"}).get_data(as_text=True)
    # Half of 119: half the tax, the fee and the publisher's part.
    for text in ("€9.50", "€10.00", "€40.00", "Refund €59.50"):
        assert text in page, text
    response = desk.client.post(path, data=seen(5_950, 11_900, reason="Half unused"))
    assert response.status_code == 303
    refund = db.session.query(Refund).one()
    assert (refund.amount, refund.reason, refund.created_by_id) == (
        5_950,
        "Half unused",
        desk.fay.id,
    )
    page = desk.client.get(response.location).get_data(as_text=True)
    assert "Half unused" in page
    assert "Being sent" in page


@pytest.mark.parametrize(
    ("amount", "message"),
    [
        ("", "Fill this in"),
        ("nonsense", "Type an amount"),
        ("0", "more than nothing"),
        ("119.01", "at most what is left"),
        ("1.234", "EUR has 2 decimals"),
    ],
)
def test_a_wrong_amount_is_refused_at_its_field(desk: Desk, amount: str, message: str) -> None:
    path = f"/staff/finance/orders/{desk.order.public_id}/refund"
    response = desk.client.post(path, data={"amount": amount, "reason": "Because"})
    assert response.status_code == 422
    page = response.get_data(as_text=True)
    assert message in page
    assert f'value="{amount}"' in page
    assert db.session.query(Refund).count() == 0
    page = desk.client.get(path, query_string={"amount": amount}).get_data(as_text=True)
    assert message in page or amount == ""


def test_an_amount_typed_after_the_preview_is_shown_before_it_is_refunded(desk: Desk) -> None:
    path = f"/staff/finance/orders/{desk.order.public_id}/refund"
    page = desk.client.get(path).get_data(as_text=True)
    # One form: the amount that stands in the field is the one that is sent.
    assert page.count('name="amount"') == 1
    assert 'name="seen_amount" value="11900"' in page
    assert 'name="seen_left" value="11900"' in page
    response = desk.client.post(path, data={**seen(11_900, 11_900), "amount": "59.50"})
    assert response.status_code == 422
    page = response.get_data(as_text=True)
    assert "You had looked at another amount" in page
    assert "Refund €59.50" in page
    assert 'name="seen_amount" value="5950"' in page
    assert db.session.query(Refund).count() == 0
    shown = desk.client.post(path, data={"amount": "10", "show": "1", "reason": ""})
    assert shown.status_code == 200
    assert "Refund €10.00" in shown.get_data(as_text=True)
    assert desk.client.post(path, data={"amount": "10", "reason": "x"}).status_code == 422
    assert db.session.query(Refund).count() == 0


def test_the_same_refund_sent_twice_is_made_once(desk: Desk) -> None:
    path = f"/staff/finance/orders/{desk.order.public_id}/refund"
    data = seen(2_000, 11_900)
    assert desk.client.post(path, data=data).status_code == 303
    again = desk.client.post(path, data=data)
    assert again.status_code == 422
    assert "Something was refunded since you looked; €99.00 is left" in again.text
    assert db.session.query(Refund).count() == 1
    assert desk.client.post(path, data=seen(2_000, 9_900)).status_code == 303
    assert db.session.query(Refund).count() == 2


def test_a_refund_needs_a_reason(desk: Desk) -> None:
    path = f"/staff/finance/orders/{desk.order.public_id}/refund"
    response = desk.client.post(path, data={"amount": "10", "reason": ""})
    assert response.status_code == 422
    assert "Refund €10.00" in response.get_data(as_text=True)


def test_a_request_is_granted_in_part_and_the_customer_is_mailed(desk: Desk) -> None:
    path = f"/staff/finance/refunds/requests/{desk.request.id}"
    page = desk.client.get(path).get_data(as_text=True)
    assert "It does not fit &lt;us&gt;." in page
    assert "€119.00" in page
    assert 'name="seen_amount" value="11900"' in page
    response = desk.client.post(
        f"{path}/grant",
        data={**seen(5_950, 11_900), "amount": "59.5", "answer": "Half, as agreed."},
    )
    assert response.status_code == 303
    request = db.session.get_one(RefundRequest, desk.request.id)
    refund = db.session.query(Refund).one()
    assert request.state is RequestState.GRANTED
    assert (refund.amount, refund.request_id) == (5_950, request.id)
    assert any("€59.50" in mail["body"] and "Half, as agreed." in mail["body"] for mail in mails())
    again = desk.client.post(f"{path}/grant", data={"amount": "1"}, follow_redirects=True)
    assert "decided or withdrawn already" in again.get_data(as_text=True)
    assert db.session.query(Refund).count() == 1
    assert desk.client.get(path).status_code == 200


def test_a_request_is_granted_as_it_was_shown_and_not_otherwise(desk: Desk) -> None:
    path = f"/staff/finance/refunds/requests/{desk.request.id}"
    assert "Refund €119.00" in desk.client.get(path).text
    other = desk.client.post(
        f"{path}/grant", data={**seen(11_900, 11_900), "amount": "59.50", "answer": "Half of it"}
    )
    assert other.status_code == 422
    for words in ("You had looked at another amount", "Refund €59.50", "Half of it", "€40.00"):
        assert words in other.text, words
    assert desk.client.post(f"{path}/grant", data={"amount": "119"}).status_code == 422
    shown = desk.client.post(f"{path}/grant", data={"amount": "10", "show": "1"})
    assert shown.status_code == 200
    assert "Refund €10.00" in shown.text
    # Somebody refunds a part without the request meanwhile.
    refund = f"/staff/finance/orders/{desk.order.public_id}/refund"
    assert desk.other.post(refund, data=seen(1_900, 11_900)).status_code == 303
    late = desk.client.post(f"{path}/grant", data=seen(1_000, 11_900))
    assert late.status_code == 422
    assert "Something was refunded since you looked; €100.00 is left" in late.text
    assert db.session.query(Refund).count() == 1
    assert desk.client.post(f"{path}/grant", data=seen(1_000, 10_000)).status_code == 303
    assert db.session.query(Refund).count() == 2


def test_a_request_is_refused_with_a_reason(desk: Desk) -> None:
    path = f"/staff/finance/refunds/requests/{desk.request.id}/refusal"
    assert desk.client.post(path, data={"answer": " "}).status_code == 422
    assert desk.client.post(path, data={"answer": "It was used."}).status_code == 303
    assert db.session.get_one(RefundRequest, desk.request.id).state is RequestState.REFUSED
    assert any("It was used." in mail["body"] for mail in mails())


def test_too_much_is_not_granted(desk: Desk) -> None:
    path = f"/staff/finance/refunds/requests/{desk.request.id}/grant"
    response = desk.client.post(path, data={"amount": "500"})
    assert response.status_code == 422
    assert "at most what is left" in response.get_data(as_text=True)


@pytest.mark.parametrize("part", ["buyer", "publisher", "reseller", "affiliate"])
def test_nobody_decides_about_an_order_that_their_own_organization_has_a_part_in(
    desk: Desk, part: str
) -> None:
    own = {"buyer": desk.customer, "publisher": desk.publisher}.get(part) or make_organization()
    for line in (*desk.order.lines, *desk.dispute.order.lines):
        if part == "reseller":
            line.reseller_id = own.id
        elif part == "affiliate":
            line.affiliate_organization_id = own.id
    # Even who may do everything on the platform.
    desk.fay_at_platform.role = Role.OWNER
    make_member(own, Role.VIEWER, desk.fay)
    db.session.commit()
    refund = f"/staff/finance/orders/{desk.order.public_id}/refund"
    asked = f"/staff/finance/refunds/requests/{desk.request.id}"
    dispute = f"/staff/finance/disputes/{desk.dispute.id}"
    question = f"/staff/finance/questions/{desk.objection.id}"
    for path in (refund, asked, dispute, question):
        assert desk.client.get(path).status_code == 404, path
        assert desk.other.get(path).status_code == 200, path
    for path in (
        refund, f"{asked}/grant", f"{asked}/refusal", f"{dispute}/evidence", f"{question}/decision",
    ):  # fmt: skip
        assert desk.client.post(path, data=seen(100, 11_900)).status_code == 404, path
    assert db.session.query(Refund).count() == 0
    for path in ("refunds", "disputes", "questions"):
        page = f"/staff/finance/{path}"
        assert "Somebody else" in desk.client.get(page).text, path
        assert "Somebody else" not in desk.other.get(page).text, path
    order = desk.client.get(f"/staff/finance/orders/{desk.order.public_id}").text
    assert asked not in order
    assert refund not in order


def test_what_the_platform_sells_is_its_own_finance_s_to_refund(desk: Desk) -> None:
    desk.order.lines[0].publisher_id = desk.fay_at_platform.organization_id
    db.session.commit()
    path = f"/staff/finance/orders/{desk.order.public_id}/refund"
    assert desk.client.get(path).status_code == 200


def test_nobody_asks_that_their_own_organization_s_debt_be_given_up(desk: Desk) -> None:
    make_member(desk.publisher, Role.VIEWER, desk.fay)
    db.session.commit()
    query = f"partner={desk.publisher.slug}&currency=EUR"
    data = {"amount": "7", "reason": "We like them"}
    assert desk.client.get(f"/staff/finance/write-offs/new?{query}").status_code == 404
    assert desk.client.post(f"/staff/finance/write-offs?{query}", data=data).status_code == 404
    assert db.session.query(WriteOff).count() == 0
    assert desk.other.get(f"/staff/finance/write-offs/new?{query}").status_code == 200
    # The lists are everybody's of finance.
    assert desk.client.get("/staff/finance/write-offs").status_code == 200
    assert "write-offs/new" not in desk.client.get("/staff/finance/receivables").text
    assert "write-offs/new" in desk.other.get("/staff/finance/receivables").text


def test_evidence_is_sent_once(desk: Desk) -> None:
    path = f"/staff/finance/disputes/{desk.dispute.id}"
    page = desk.client.get(path).get_data(as_text=True)
    assert "Product not received" in page
    assert "Tide tables, Pro" in page  # filled in
    assert desk.client.post(f"{path}/evidence", data={}).status_code == 422
    response = desk.client.post(
        f"{path}/evidence", data={"uncategorized_text": "They used it daily."}
    )
    assert response.status_code == 303
    dispute = db.session.get_one(Dispute, desk.dispute.id)
    assert dispute.evidence == {"uncategorized_text": "They used it daily."}
    page = desk.client.get(path).get_data(as_text=True)
    assert "They used it daily." in page
    assert "Send to the bank" not in page


def test_a_question_is_answered_and_the_line_corrected(desk: Desk) -> None:
    path = f"/staff/finance/questions/{desk.objection.id}"
    page = desk.client.get(path).get_data(as_text=True)
    assert "Why 20%?" in page
    assert desk.client.post(f"{path}/decision", data={"answer": "x"}).status_code == 422
    response = desk.client.post(
        f"{path}/decision",
        data={"verdict": "rejected", "answer": "It is so.", "amount": "5", "direction": "more"},
    )
    assert response.status_code == 422
    assert "Only an upheld question moves money" in response.get_data(as_text=True)
    response = desk.client.post(
        f"{path}/decision",
        data={"verdict": "upheld", "answer": "It was 15%.", "amount": "5", "direction": "more"},
    )
    assert response.status_code == 303
    objection = db.session.get_one(Objection, desk.objection.id)
    assert (objection.state, objection.adjustment) == (ObjectionState.UPHELD, 500)
    assert any("€5.00" in mail["body"] and "It was 15%." in mail["body"] for mail in mails())
    assert "It was 15%." in desk.client.get(path).get_data(as_text=True)


def test_a_write_off_takes_two_people(desk: Desk) -> None:
    query = f"partner={desk.publisher.slug}&currency=EUR"
    page = desk.client.get(f"/staff/finance/write-offs/new?{query}").get_data(as_text=True)
    assert "owes €7.00" in page
    path = f"/staff/finance/write-offs?{query}"
    assert desk.client.post(path, data={"amount": "7.01", "reason": "x"}).status_code == 422
    assert desk.client.post(path, data={"amount": "7", "reason": ""}).status_code == 422
    assert desk.client.post(path, data={"amount": "7", "reason": "Bankrupt"}).status_code == 303
    row = db.session.query(WriteOff).one()
    path = f"/staff/finance/write-offs/{row.id}/approval"
    assert "somebody else" in desk.client.get(path).get_data(as_text=True)
    refused = desk.client.post(path, follow_redirects=True).get_data(as_text=True)
    assert "Somebody else has to decide" in refused
    assert balance("partner_receivable", "EUR", desk.publisher.id) == 700
    assert "Bankrupt" in desk.other.get(path).get_data(as_text=True)
    assert desk.other.post(path).status_code == 303
    assert balance("partner_receivable", "EUR", desk.publisher.id) == 0
    assert "decided already" in desk.other.get(path).get_data(as_text=True)


def test_a_write_off_is_refused(desk: Desk) -> None:
    path = f"/staff/finance/write-offs?partner={desk.publisher.slug}&currency=EUR"
    desk.client.post(path, data={"amount": "7", "reason": "Bankrupt"})
    row = db.session.query(WriteOff).one()
    assert desk.other.post(f"/staff/finance/write-offs/{row.id}/refusal").status_code == 303
    assert balance("partner_receivable", "EUR", desk.publisher.id) == 700
    assert desk.client.get("/staff/finance/write-offs?show=decided").status_code == 200


@pytest.mark.parametrize("query", ["", "partner=nobody&currency=EUR", "partner=x&currency=zz"])
def test_a_write_off_of_nobody_is_not_found(desk: Desk, query: str) -> None:
    assert desk.client.get(f"/staff/finance/write-offs/new?{query}").status_code == 404


def owe_in_leva(desk: Desk, amount: int = 8_500) -> None:
    post(
        "adjustment",
        source=("test", 2),
        key="test:leva",
        legs=[
            debit("stripe_available", amount, "BGN"),
            credit("partner_payable", amount, "BGN", desk.publisher.id),
        ],
    )
    db.session.commit()


def test_a_balance_in_a_retired_currency_is_converted_by_two_people(desk: Desk) -> None:
    owe_in_leva(desk)
    slug = desk.publisher.slug
    assert "Convert to EUR" in desk.client.get(f"/staff/finance/organizations/{slug}").text
    page = desk.client.get("/staff/finance/conversions").text
    assert "BGN" in page
    assert "Quayside" in page
    query = f"partner={slug}&currency=BGN&side=payable"
    page = desk.client.get(f"/staff/finance/conversions/new?{query}").text
    for text in ("€43.46", "1.95583 BGN for 1 EUR", "Council of the EU", "Our gain"):
        assert text in page, text
    path = f"/staff/finance/conversions?{query}"
    typed = {"rate": "1.95583", "rate_source": "Fixed by law", "seen": "4346"}
    for wrong, text in (
        ({"rate": "2"}, "another amount now"),
        ({"rate": "x"}, "Type a rate"),
        ({"rate_source": ""}, "Fill this in"),
        ({"seen": ""}, "another amount now"),
    ):
        answer = desk.client.post(path, data=typed | wrong)
        assert answer.status_code == 422, wrong
        assert text in answer.text, wrong
    assert 'name="seen" value="4250"' in desk.client.post(path, data=typed | {"rate": "2"}).text
    assert desk.client.post(path, data=typed).status_code == 303
    row = db.session.query(BalanceConversion).one()
    address = f"/staff/finance/conversions/{row.id}/approval"
    assert "somebody else" in desk.client.get(address).text
    refused = desk.client.post(address, follow_redirects=True).text
    assert "Somebody else has to decide" in refused
    assert balance("partner_payable", "BGN", desk.publisher.id) == 8_500
    page = desk.other.get(address).text
    assert "Fixed by law" in page
    assert "Neither gain nor loss" in page
    assert desk.other.post(address).status_code == 303
    assert balance("partner_payable", "BGN", desk.publisher.id) == 0
    assert balance("partner_payable", "EUR", desk.publisher.id) == 4_346 - 700
    assert "decided already" in desk.other.get(address).text
    assert "Converted" in desk.client.get("/staff/finance/conversions?show=decided").text
    assert "Nothing to convert" in desk.client.get("/staff/finance/conversions").text


def test_a_conversion_is_refused_and_nobody_decides_about_their_own(desk: Desk) -> None:
    owe_in_leva(desk)
    query = f"partner={desk.publisher.slug}&currency=BGN&side=payable"
    typed = {"rate": "1.95583", "rate_source": "Fixed by law", "seen": "4346"}
    path = f"/staff/finance/conversions?{query}"
    assert desk.client.post(path, data=typed).status_code == 303
    row = db.session.query(BalanceConversion).one()
    assert desk.other.post(f"/staff/finance/conversions/{row.id}/refusal").status_code == 303
    assert balance("partner_payable", "BGN", desk.publisher.id) == 8_500
    make_member(desk.publisher, Role.VIEWER, desk.fay)
    db.session.commit()
    assert desk.client.get(f"/staff/finance/conversions/new?{query}").status_code == 404
    assert desk.client.post(path, data=typed).status_code == 404
    assert "conversions/new" not in desk.client.get("/staff/finance/conversions").text
    for odd in ("currency=EUR&side=payable", "currency=BGN&side=x", "currency=BGN"):
        found = desk.other.get(
            f"/staff/finance/conversions/new?partner={desk.publisher.slug}&{odd}"
        )
        assert found.status_code == 404, odd
