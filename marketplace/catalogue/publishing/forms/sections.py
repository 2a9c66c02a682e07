"""The portal's forms, a class per section of the editor.

They keep what was typed; the rules are those of ListingContent, whose messages are put at the
fields afterwards (`show_problems`).
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from flask_wtf import FlaskForm
from wtforms import (
    Field,
    FieldList,
    FileField,
    Form,
    FormField,
    HiddenField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.fields.choices import SelectChoice

from marketplace.catalogue.content import (
    AUTH_KINDS,
    COMPLIANCE,
    DIRECTIONS,
    KINDS,
    PRICING_MODELS,
    REGIONS,
    SECURITY_QUESTIONS,
)
from marketplace.catalogue.publishing.blank import is_blank
from marketplace.catalogue.publishing.languages import LANGUAGES
from marketplace.catalogue.publishing.sections import CHOICE_LABELS
from marketplace.identity.forms import choices_of

Content = Mapping[str, Any]


def labelled(name: str, values: Sequence[str]) -> list[SelectChoice]:
    """The choices of a field of the content, with their labels."""
    return choices_of((value, CHOICE_LABELS[name][value]) for value in values)


def _text(value: object) -> str:
    return str(value or "").replace("\r\n", "\n").strip()


def _lines(value: object) -> list[str]:
    return [line.strip() for line in _text(value).split("\n") if line.strip()]


def _rows(rows: Any, *, ignore: str = "") -> list[dict[str, Any]]:
    cleaned = [
        {name: _text(part) for name, part in row.items() if name != "csrf_token"} for row in rows
    ]
    return [
        row
        for row in cleaned
        if not is_blank({name: part for name, part in row.items() if name != ignore})
    ]


class SectionForm(FlaskForm):  # type: ignore[misc]  # flask_wtf is not typed
    """One section. `FIELDS` are the content's fields that `typed()` answers."""

    FIELDS: ClassVar[tuple[str, ...]] = ()
    # Where a field of the content has a control of another name.
    CONTROLS: ClassVar[Mapping[str, str]] = {}

    seen = HiddenField()
    version = HiddenField()

    @classmethod
    def filled(cls, content: Content, **hidden: object) -> "SectionForm":
        """The form with a content's values."""
        return cls(formdata=None, data={**cls.initial(content), **hidden})

    @classmethod
    def initial(cls, content: Content) -> dict[str, Any]:
        """The controls' values for a content."""
        return {name: content.get(name) for name in cls.FIELDS if content.get(name) is not None}

    def typed(self, content: Content) -> dict[str, Any]:
        """The content's fields as they were typed. `content` is what is stored now."""
        return {name: _text(self[name].data) for name in self.FIELDS}

    def show_problems(self, problems: Mapping[str, str]) -> None:
        """Put each message at its control."""
        for path, message in problems.items():
            name, *rest = path.split(".")
            control: Field = self[self.CONTROLS.get(name, name)]
            if rest and isinstance(control, FieldList) and rest[0].isdigit():
                _show_in_row(control, int(rest[0]), rest[1:], message)
            elif rest and isinstance(control, FormField) and rest[0] in control.form:
                control.form[rest[0]].errors = [message]
            else:
                control.errors = [message]

    def with_row(self, name: str) -> "SectionForm":
        """The same form with one more empty row in the list `name`."""
        data = self.data
        if isinstance(self._fields.get(name), FieldList):
            data[name] = [*data[name], {}]
        return type(self)(formdata=None, data=data)

    def without_row(self, row: str) -> "SectionForm":
        """The same form without a row such as `scopes-2`."""
        name = row.rpartition("-")[0]
        data = self.data
        field = self._fields.get(name)
        if isinstance(field, FieldList):
            names = [entry.name for entry in field.entries]
            data[name] = [part for part, own in zip(data[name], names, strict=True) if own != row]
        return type(self)(formdata=None, data=data)


def _show_in_row(rows: FieldList, number: int, rest: list[str], message: str) -> None:
    if number >= len(rows.entries):
        rows.errors = [message]
        return
    entry = rows.entries[number]
    if rest and isinstance(entry, FormField) and rest[0] in entry.form:
        entry.form[rest[0]].errors = [message]
        rows.errors = [row.errors for row in rows.entries]
    else:
        rows.errors = [message]


class BasicsForm(SectionForm):
    """What people see first."""

    FIELDS = ("name", "tagline", "kind", "categories", "tags", "aliases", "brand_color")
    CONTROLS = {"categories": "main_category"}

    name = StringField("Name")
    tagline = StringField("Tagline")
    kind = RadioField("Kind", choices=labelled("kind", KINDS), validate_choice=False)
    main_category = SelectField("Main category", validate_choice=False)
    second_category = SelectField("Second category", validate_choice=False)
    third_category = SelectField("Third category", validate_choice=False)
    tags = TextAreaField("Tags")
    aliases = TextAreaField("Other names")
    brand_color = StringField("Brand colour")

    @classmethod
    def initial(cls, content: Content) -> dict[str, Any]:
        categories = [*(content.get("categories") or ()), "", "", ""]
        return {
            **super().initial(content),
            "main_category": categories[0],
            "second_category": categories[1],
            "third_category": categories[2],
            "tags": "\n".join(content.get("tags") or ()),
            "aliases": "\n".join(content.get("aliases") or ()),
        }

    def offer_categories(self, pairs: list[tuple[str, str]]) -> None:
        """Tell the selects which categories there are, as (slug, name)."""
        self.main_category.choices = choices_of([("", "Choose a category"), *pairs])
        others = choices_of([("", "None"), *pairs])
        self.second_category.choices = self.third_category.choices = others

    def typed(self, content: Content) -> dict[str, Any]:
        categories = [self.main_category, self.second_category, self.third_category]
        chosen = [_text(field.data) for field in categories]
        return {
            "name": _text(self.name.data),
            "tagline": _text(self.tagline.data),
            "kind": _text(self.kind.data),
            "categories": list(dict.fromkeys(slug for slug in chosen if slug)),
            "tags": _lines(self.tags.data),
            "aliases": _lines(self.aliases.data),
            "brand_color": _text(self.brand_color.data).lower() or None,
        }


class DescriptionForm(SectionForm):
    """The long text."""

    FIELDS = ("description",)
    description = TextAreaField("Description")


class DataRow(Form):  # type: ignore[misc]  # wtforms is not typed
    """A kind of object that moves."""

    object = StringField("What")
    direction = SelectField(
        "Direction", choices=labelled("direction", DIRECTIONS), validate_choice=False
    )
    purpose = StringField("Purpose")


class DataForm(SectionForm):
    """What it connects and which data moves."""

    FIELDS = ("works_with", "data_shared")
    works_with = TextAreaField("Works with")
    data_shared = FieldList(FormField(DataRow), label="Data shared", min_entries=1)

    @classmethod
    def initial(cls, content: Content) -> dict[str, Any]:
        return {
            **super().initial(content),
            "works_with": "\n".join(content.get("works_with") or ()),
        }

    def typed(self, content: Content) -> dict[str, Any]:
        return {
            "works_with": _lines(self.works_with.data),
            "data_shared": _rows(self.data_shared.data, ignore="direction"),
        }


class ScopeRow(Form):  # type: ignore[misc]  # wtforms is not typed
    """A scope with its reason."""

    scope = StringField("Scope")
    reason = StringField("Reason")


class AccessForm(SectionForm):
    """How it is connected and what it asks."""

    FIELDS = ("auth_kinds", "scopes")
    auth_kinds = SelectMultipleField(
        "Ways to connect", choices=labelled("auth_kinds", AUTH_KINDS), validate_choice=False
    )
    scopes = FieldList(FormField(ScopeRow), label="Scopes", min_entries=1)

    def typed(self, content: Content) -> dict[str, Any]:
        return {
            "auth_kinds": list(dict.fromkeys(self.auth_kinds.data or ())),
            "scopes": _rows(self.scopes.data),
        }


class OperationRow(Form):  # type: ignore[misc]  # wtforms is not typed
    """An action or a trigger."""

    name = StringField("Name")
    description = StringField("Description")


class OperationsForm(SectionForm):
    """Actions and triggers."""

    FIELDS = ("actions", "triggers", "action_count", "trigger_count")
    actions = FieldList(FormField(OperationRow), label="Actions", min_entries=1)
    triggers = FieldList(FormField(OperationRow), label="Triggers", min_entries=1)
    action_count = StringField("Number of actions")
    trigger_count = StringField("Number of triggers")

    def typed(self, content: Content) -> dict[str, Any]:
        return {
            "actions": _rows(self.actions.data),
            "triggers": _rows(self.triggers.data),
            "action_count": _count(self.action_count.data),
            "trigger_count": _count(self.trigger_count.data),
        }


def _count(value: object) -> int | str | None:
    # A number is kept as one, so that typing what is there is no change; else as it was typed.
    text = _text(value)
    if not text:
        return None
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else text


class PricingRow(Form):  # type: ignore[misc]  # wtforms is not typed
    """The pricing in words."""

    model = RadioField(
        "Model", choices=labelled("model", PRICING_MODELS), default="contact", validate_choice=False
    )
    summary = StringField("Summary")
    url = StringField("Pricing page")


class PricingForm(SectionForm):
    """How it is paid for."""

    FIELDS = ("pricing",)
    pricing = FormField(PricingRow, label="Pricing")

    def typed(self, content: Content) -> dict[str, Any]:
        row = self.pricing.form
        return {
            "pricing": {
                "model": _text(row.model.data) or "contact",
                "summary": _text(row.summary.data),
                "url": _text(row.url.data),
            }
        }


class SetupForm(SectionForm):
    """The setup guide."""

    FIELDS = ("setup_guide",)
    setup_guide = TextAreaField("Setup guide")


class LinksForm(SectionForm):
    """Links and support."""

    FIELDS = (
        "website_url",
        "support_url",
        "support_email",
        "documentation_url",
        "privacy_url",
        "terms_url",
        "video_url",
    )
    website_url = StringField("Website")
    support_url = StringField("Support page")
    support_email = StringField("Support e-mail")
    documentation_url = StringField("Documentation")
    privacy_url = StringField("Privacy policy")
    terms_url = StringField("Terms of service")
    video_url = StringField("Video")


# One question, one text: the class is made of the questions.
SecurityAnswers = type(
    "SecurityAnswers",
    (Form,),
    {name: TextAreaField(question) for name, question in SECURITY_QUESTIONS.items()},
)


class SecurityForm(SectionForm):
    """Security answers and compliance."""

    FIELDS = ("security", "compliance")
    security = FormField(SecurityAnswers, label="Security answers")
    compliance = SelectMultipleField(
        "Compliance", choices=labelled("compliance", COMPLIANCE), validate_choice=False
    )

    def typed(self, content: Content) -> dict[str, Any]:
        answers = {name: _text(self.security.form[name].data) for name in SECURITY_QUESTIONS}
        return {
            "security": {name: answer for name, answer in answers.items() if answer},
            "compliance": list(dict.fromkeys(self.compliance.data or ())),
        }


class ScreenshotRow(Form):  # type: ignore[misc]  # wtforms is not typed
    """The texts of a screenshot that is there."""

    key = HiddenField()
    caption = StringField("Caption")
    alt = StringField("Alternative text")


class MediaForm(SectionForm):
    """The texts of the screenshots; the images have forms of their own."""

    FIELDS = ("screenshots",)
    # Nothing is typed into it here: it takes the messages that are about the logo.
    logo = FileField("Logo")
    screenshots = FieldList(FormField(ScreenshotRow), label="Screenshots")

    def typed(self, content: Content) -> dict[str, Any]:
        texts = {str(row.get("key")): row for row in self.screenshots.data}
        rows = []
        for stored in content.get("screenshots") or ():
            typed = texts.get(stored["key"])
            if typed is None:
                rows.append(dict(stored))
            else:
                rows.append(
                    {**stored, "caption": _text(typed["caption"]), "alt": _text(typed["alt"])}
                )
        return {"screenshots": rows}


class RegionsForm(SectionForm):
    """Languages and regions."""

    FIELDS = ("languages", "regions")
    languages = SelectMultipleField(
        "Languages", choices=choices_of(LANGUAGES.items()), validate_choice=False
    )
    other_languages = StringField("Other languages")
    regions = SelectMultipleField(
        "Regions", choices=labelled("regions", REGIONS), validate_choice=False
    )

    @classmethod
    def initial(cls, content: Content) -> dict[str, Any]:
        languages = list(content.get("languages") or ())
        return {
            **super().initial(content),
            "languages": [code for code in languages if code in LANGUAGES],
            "other_languages": ", ".join(code for code in languages if code not in LANGUAGES),
        }

    def typed(self, content: Content) -> dict[str, Any]:
        others = _text(self.other_languages.data).replace(",", " ").split()
        chosen = dict.fromkeys([*(self.languages.data or ()), *others])
        # What was there keeps its place, so that opening and saving changes nothing.
        before = [code for code in content.get("languages") or () if code in chosen]
        return {
            "languages": list(dict.fromkeys([*before, *chosen])),
            "regions": list(dict.fromkeys(self.regions.data or ())),
        }


SECTION_FORMS: Mapping[str, type[SectionForm]] = {
    "basics": BasicsForm,
    "description": DescriptionForm,
    "data": DataForm,
    "access": AccessForm,
    "operations": OperationsForm,
    "pricing": PricingForm,
    "setup": SetupForm,
    "links": LinksForm,
    "security": SecurityForm,
    "media": MediaForm,
    "regions": RegionsForm,
}
