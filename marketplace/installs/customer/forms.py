"""The forms. Their limits are checked by the services; here they shape the fields."""

from flask_wtf import FlaskForm
from wtforms import BooleanField, RadioField, StringField, TextAreaField

from marketplace.installs.customer.services.uninstalling import REASONS
from marketplace.installs.models import MembersMay, RuleVerdict, ScopeDirection


class UninstallForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """Why an app is removed."""

    reason = RadioField("Why do you remove it?", choices=dict(REASONS), validate_choice=False)
    note = TextAreaField("Anything else?", description="The publisher reads this.")


class AskForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """A member asks the admins."""

    message = TextAreaField("Message", description="What would you use it for?")


class DeclineForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """An admin declines what a member asked for."""

    note = TextAreaField("Note", description="Mailed to the person who asked.")


class PolicyForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """How an organization installs."""

    members_may = RadioField(
        "Members who are neither owner nor admin",
        choices={
            MembersMay.INSTALL.value: "Install by themselves",
            MembersMay.REQUEST.value: "Ask an admin",
            MembersMay.NOTHING.value: "Do nothing",
        },
        validate_choice=False,
    )
    only_allowed = BooleanField(
        "Only what a rule allows",
        description="Nobody, admins included, installs anything without a rule that allows it.",
    )


class RuleForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """A rule about a listing or a publisher."""

    target = StringField(
        "Listing or publisher",
        description="Find it above, or give its name or the address of its page here.",
    )
    verdict = RadioField(
        "Rule",
        choices={
            RuleVerdict.BLOCK.value: "Block",
            RuleVerdict.ALLOW.value: "Allow",
        },
        validate_choice=False,
    )
    note = StringField("Note", description="Members read it on the listing.")


class ReceiptForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """A partner confirms an erasure."""

    receipt = TextAreaField(
        "Receipt",
        description=(
            "Say what was erased and when; if the law makes you keep something, say what and how "
            "long. The customer reads this."
        ),
    )


class ScopeForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """A scope of the operator's own API, in words."""

    name = StringField("Scope", description="As apps ask for it, such as tides.read.")
    title = StringField("Title", description="What an app may then do, such as “See tides”.")
    description = TextAreaField("Description", description="Which data exactly, in one sentence.")
    direction = RadioField(
        "With it an app",
        choices={
            ScopeDirection.READ.value: "sees data",
            ScopeDirection.WRITE.value: "changes data",
        },
        validate_choice=False,
    )
    is_sensitive = BooleanField(
        "Sensitive", description="Personal data, money, or what cannot be undone. Marked for all."
    )
