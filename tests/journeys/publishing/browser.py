"""Reading forms out of pages, as a browser without JavaScript does."""

from html.parser import HTMLParser


class _Form(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[dict[str, list[str]]] = []
        self._text: str | None = None
        self._select: str | None = None
        self._chosen = False
        self._buffer = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append({})
        if not self.forms:
            return
        if tag == "input" and "name" in given:
            kind = given.get("type", "text")
            if kind in {"checkbox", "radio"} and "checked" not in given:
                return
            if kind not in {"file", "submit"}:
                self._add(given["name"], given.get("value", ""))
        elif tag == "textarea" and "name" in given:
            self._text, self._buffer = given["name"], ""
        elif tag == "select" and "name" in given:
            self._select, self._chosen = given["name"], False
        elif tag == "option" and self._select and "selected" in given:
            self._add(self._select, given.get("value", ""))

    def handle_data(self, data: str) -> None:
        if self._text is not None:
            self._buffer += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea" and self._text is not None:
            text = self._buffer
            text = text.removeprefix("\r\n") if text.startswith("\r\n") else text.removeprefix("\n")
            self._add(self._text, text)
            self._text = None
        elif tag == "select":
            self._select = None

    def _add(self, name: str, value: str) -> None:
        self.forms[-1].setdefault(name, []).append(value)


def answers_of(page: str, holding: str = "seen") -> dict[str, list[str]]:
    """The fields of the page's form that has a field named `holding`."""
    parser = _Form()
    parser.feed(page)
    return next(dict(form) for form in parser.forms if holding in form)


def hidden_value(page: str, name: str) -> str:
    """The value of the first field of that name."""
    return answers_of(page, name)[name][0]
