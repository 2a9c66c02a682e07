"""Partners' questions about lines of their earnings."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from billing.models import Objection, ObjectionState
from billing.objections import decide_objection as decide
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.pagination import page_number
from marketplace.core.permissions import current_actor, needs
from marketplace.identity.queries import find_user
from marketplace.sales.finance.desk import mails, queries
from marketplace.sales.finance.desk.forms import ObjectionForm, show_errors
from marketplace.sales.finance.desk.views.blueprint import finance


@finance.get("/questions")
@needs("objections.handle")
def objections() -> ResponseReturnValue:
    """Questions that wait, or that were answered."""
    is_open = request.args.get("show") != "answered"
    page = queries.page_of_objections(is_open=is_open, page=page_number(request.args.get("page")))
    return render_template(
        "finance/objections.html",
        is_open=is_open,
        waiting=queries.open_objections(),
        page=page,
        organizations=queries.organizations({each.partner_id for each in page.items}),
    )


@finance.get("/questions/<int:objection_id>")
@needs("objection.decide", load=queries.find_objection, name="objection")
def objection(objection: Objection) -> ResponseReturnValue:
    """One question beside the line it is about."""
    form = ObjectionForm(formdata=None, data={"currency": objection.earning.currency})
    return _page(objection, form)


@finance.post("/questions/<int:objection_id>/decision")
@needs("objection.decide", load=queries.find_objection, name="objection")
def decide_objection(objection: Objection) -> ResponseReturnValue:
    """Answer it, and correct the line where the partner is right."""
    form = ObjectionForm()
    form.currency.data = objection.earning.currency
    if not form.validate_on_submit():
        return _page(objection, form), 422
    amount = form.amount.data or 0
    try:
        decided = decide(
            objection.id,
            upheld=form.verdict.data == ObjectionState.UPHELD.value,
            answer=form.answer.data or "",
            adjustment=-amount if form.direction.data == "less" else amount,
            by_user_id=current_actor().user_id or 0,
        )
    except InvalidError as error:
        fields = {"amount" if name == "adjustment" else name: text
                  for name, text in error.fields.items()}  # fmt: skip
        show_errors(form, InvalidError(fields))
        return _page(objection, form), 422
    except ConflictError as error:
        flash(error.detail, "warning")
        return redirect(url_for("finance.objections"), code=303)
    mails.tell_answered(find_user(decided.author_id), decided)
    flash("Answered. The partner is mailed.", "success")
    return redirect(url_for("finance.objections"), code=303)


def _page(objection: Objection, form: ObjectionForm) -> str:
    line = objection.earning.line
    return render_template(
        "finance/objection.html",
        objection=objection,
        earning=objection.earning,
        line=line,
        order=line.order,
        form=form,
        organizations=queries.organizations({objection.partner_id, line.order.organization_id}),
        people=queries.people({objection.author_id, objection.decided_by_id}),
    )
