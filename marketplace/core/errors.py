"""The errors that services raise and that the edge turns into pages or problem JSON."""

from collections.abc import Mapping


class PorticoError(Exception):
    """A refusal with an HTTP status, a short title and a sentence for the person."""

    status = 500
    title = "Something went wrong"
    # What helps: the label and the address of a button on the error's page.
    action: tuple[str, str] | None = None

    def __init__(self, detail: str = "", *, code: str = "") -> None:
        super().__init__(detail or self.title)
        self.detail = detail
        self.code = code


class NotFoundError(PorticoError):
    """The thing does not exist, or its existence is not for this actor to know."""

    status = 404
    title = "Not found"


class ForbiddenError(PorticoError):
    """The actor may know of the thing but may not do this."""

    status = 403
    title = "Not allowed"


class SignInRequiredError(PorticoError):
    """The act needs a signed-in person."""

    status = 401
    title = "Sign in first"


class ConflictError(PorticoError):
    """Somebody or something else got there first; nothing was changed."""

    status = 409
    title = "Conflict"


class InvalidError(PorticoError):
    """Input that breaks a rule. `fields` maps a field's name to a message for the person."""

    status = 422
    title = "Some fields need attention"

    def __init__(self, fields: Mapping[str, str], detail: str = "") -> None:
        super().__init__(detail or "; ".join(f"{name}: {text}" for name, text in fields.items()))
        self.fields = dict(fields)


class RateLimitedError(PorticoError):
    """Too many requests; `retry_after` is in seconds."""

    status = 429
    title = "Too many requests"

    def __init__(self, detail: str = "", *, retry_after: int = 60) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class UnavailableError(PorticoError):
    """A part that is needed does not answer; trying again later is right."""

    status = 503
    title = "Temporarily unavailable"

    def __init__(self, detail: str = "", *, retry_after: int = 5) -> None:
        super().__init__(detail)
        self.retry_after = retry_after
