"""Setting aside lines of the bank by what they have in common: look first, then decide."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from billing.models import BankRule
from billing.reconciliation import bank_rules as services
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.pagination import page_number
from marketplace.core.permissions import current_actor, needs
from marketplace.sales.finance.reconciliation import queries
from marketplace.sales.finance.reconciliation.forms import (
    BankRuleForm,
    LineFields,
    LineFilterForm,
)
from marketplace.sales.finance.reconciliation.views.blueprint import reconciliation

SHOWN = 10


@reconciliation.get("/reconciliation/bank/rules")
@needs("bank_file.import")
def bank_rules() -> ResponseReturnValue:
    """All rules, with who made them and how many lines they set aside."""
    page = queries.page_of_rules(page_number(request.args.get("page")))
    return render_template(
        "reconciliation/bank_rules.html",
        page=page,
        lines=queries.lines_by_rule([each.id for each in page.items]),
        people=queries.names_of(
            {who for each in page.items for who in (each.created_by_id, each.removed_by_id)}
        ),
    )


@reconciliation.get("/reconciliation/bank/setting-aside")
@needs("bank_file.import")
def setting_aside() -> ResponseReturnValue:
    """What fits the filter in the address, and the question whether to set it aside."""
    asked = LineFilterForm(formdata=request.args)
    status = 200 if asked.validate() else 422
    return _page(asked, BankRuleForm(formdata=None)), status


@reconciliation.post("/reconciliation/bank/rules")
@needs("bank_file.import")
def make_bank_rule() -> ResponseReturnValue:
    """Set aside what was shown; and what is like it in later files, if wished."""
    form = BankRuleForm()
    if not form.validate_on_submit():
        return _page(form, form), 422
    try:
        _, count = services.set_aside_all(
            form.wanted(),
            form.reason.data or "",
            is_standing=form.is_standing.data,
            seen=form.seen.data or "",
            by_user_id=current_actor().user_id or 0,
        )
    except InvalidError as error:
        for name, text in error.fields.items():
            form[name].errors = [*form[name].errors, text]
        return _page(form, form), 422
    except services.NotAsSeenError as error:
        form.form_errors.append(error.detail)
        return _page(form, form), 422
    flash(f"Set aside: {'1 line' if count == 1 else f'{count:,} lines'}.", "success")
    return redirect(
        url_for("reconciliation.bank_rules" if form.is_standing.data else "reconciliation.bank"),
        code=303,
    )


@reconciliation.get("/reconciliation/bank/rules/<int:bank_rule_id>/removal")
@needs("bank_rule.remove", load=queries.find_rule, name="rule")
def bank_rule_removal(rule: BankRule) -> ResponseReturnValue:
    """Ask before a rule is removed."""
    return render_template(
        "reconciliation/bank_rule_removal.html",
        rule=rule,
        count=queries.lines_by_rule([rule.id]).get(rule.id, 0),
    )


@reconciliation.post("/reconciliation/bank/rules/<int:bank_rule_id>/removal")
@needs("bank_rule.remove", load=queries.find_rule, name="rule")
def remove_bank_rule(rule: BankRule) -> ResponseReturnValue:
    """Remove it; and count its lines again, if wished."""
    try:
        count = services.remove_rule(
            rule,
            take_up=request.form.get("take_up") == "1",
            by_user_id=current_actor().user_id or 0,
        )
    except ConflictError as error:
        flash(error.detail, "warning")
    else:
        again = f" {'1 line counts' if count == 1 else f'{count:,} lines count'} again."
        flash("The rule is removed." + (again if count else ""), "success")
    return redirect(url_for("reconciliation.bank_rules"), code=303)


def _page(asked: LineFields, form: BankRuleForm) -> str:
    """The filter, what fits it, and the decision; nothing fits a filter that is wrong."""
    wanted = asked.wanted()
    is_wrong = any(asked[name].errors for name in asked.asked())
    is_open = not is_wrong and not wanted.asks_nothing
    sums = services.sums_of(wanted) if is_open else []
    return render_template(
        "reconciliation/setting_aside.html",
        asked_form=asked,
        asked=asked.asked(),
        form=form,
        sums=sums,
        seen=services.seen_text(sums),
        is_open=is_open,
        lines=queries.page_of_open_lines(wanted, 1).items[:SHOWN] if is_open else (),
    )
