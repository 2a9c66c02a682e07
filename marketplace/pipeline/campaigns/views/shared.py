"""What the partner's and the staff's page of a campaign have in common."""

from typing import Any

from flask import current_app

from marketplace.core import clock
from marketplace.core.errors import InvalidError
from marketplace.core.pagination import page_number, paginate
from marketplace.core.permissions import current_actor
from marketplace.pipeline.campaigns import queries
from marketplace.pipeline.campaigns.forms import AnswerForm, ExpenseForm
from marketplace.pipeline.campaigns.models import Campaign, Side
from marketplace.pipeline.campaigns.services.answering import answer, consent_text
from marketplace.pipeline.campaigns.services.spending import spend
from marketplace.pipeline.campaigns.visibility import phase
from marketplace.sales.form_errors import fields_hold, show_errors

LEADS_A_PAGE = 25
LEAD_COLUMNS = ("Name", "E-mail", "Company", "Message", "Held by", "May be shared", "Answered at")


def page_values(campaign: Campaign, side: Side, page: str | None) -> dict[str, Any]:
    """What the page shows to a side; leads without consent of the other side only count."""
    leads = paginate(
        queries.leads_seen_by(campaign.id, side), page=page_number(page), per_page=LEADS_A_PAGE
    )
    spent = queries.spent([campaign.id])
    answered = queries.lead_counts([campaign.id]).get(campaign.id, 0)
    total = sum(spent.values())
    return {
        "campaign": campaign,
        "side": side.value,
        "phase": phase(campaign, clock.now().date()),
        "listing": queries.listing_of(campaign),
        "leads": leads,
        "hidden": answered - leads.total,
        "answered": answered,
        "expenses": queries.expenses(campaign.id),
        "spent": {each.value: spent.get((campaign.id, each), 0) for each in Side},
        "for_each": total // answered if answered else None,
        "consent": consent_text(campaign, current_app.config["SITE_NAME"]),
        "expense_form": expense_form(campaign, posted=False),
        "lead_form": AnswerForm(formdata=None),
    }


def expense_form(campaign: Campaign, *, posted: bool) -> ExpenseForm:
    """The form of an expense in the campaign's currency."""
    form = ExpenseForm() if posted else ExpenseForm(formdata=None)
    form.currency.data = campaign.currency
    if not posted:
        form.spent_on.data = clock.today_in(current_actor().timezone)
    return form


def take_expense(campaign: Campaign, side: Side) -> ExpenseForm | None:
    """Write down what was typed; the form with its errors, or None when it went well."""
    form = expense_form(campaign, posted=True)
    if not fields_hold(form):
        return form
    try:
        spend(
            campaign,
            side,
            amount=form.minor_units(),
            what=form.what.data or "",
            spent_on=form.spent_on.data,
            form_id=form.form_id.data or "",
            actor=current_actor(),
        )
    except InvalidError as error:
        show_errors(form, error)
        return form
    return None


def take_lead(campaign: Campaign, side: Side) -> AnswerForm | bool:
    """Add somebody whom a side met itself; the form with its errors, or whether they are new."""
    form = AnswerForm()
    if not fields_hold(form):
        return form
    try:
        return answer(
            campaign,
            held_by=side,
            name=form.name.data or "",
            email=form.email.data or "",
            company=form.company.data or "",
            message=form.message.data or "",
            shares=bool(form.shares.data),
            words=consent_text(campaign, current_app.config["SITE_NAME"]),
            actor=current_actor(),
        )
    except InvalidError as error:
        show_errors(form, error)
        return form


def lead_rows(campaign: Campaign, side: Side) -> Any:
    """The rows of the file of leads that a side sees."""
    for lead in queries.every_lead_seen_by(campaign.id, side):
        yield (
            lead.name,
            lead.email,
            lead.company,
            lead.message,
            lead.held_by.value,
            "yes" if lead.shares else "no",
            lead.created_at,
        )
