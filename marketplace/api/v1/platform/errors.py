"""The refusals of the platform API, each with the code that a program tells it by."""

from collections.abc import Mapping

from marketplace.core.errors import ConflictError, ForbiddenError, PorticoError


class ApiError(PorticoError):
    """A refusal with a code and headers of its own."""

    code_name = ""

    def __init__(self, detail: str = "", *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail, code=self.code_name)
        self.headers = dict(headers or {})


class BadRequestError(ApiError):
    """The request cannot be read."""

    status = 400
    title = "The request cannot be read"
    code_name = "bad-request"


class InvalidJsonError(BadRequestError):
    """The body is no JSON object that we take."""

    code_name = "invalid-json"


class TokenInAddressError(BadRequestError):
    """A token stood in the address, where logs keep it."""

    title = "Send the token in a header"
    code_name = "token-in-address"


class TokenRefusedError(ApiError):
    """There is no token, or it opens nothing."""

    status = 401
    title = "A valid token is needed"
    code_name = "invalid-token"


class ScopeError(ApiError, ForbiddenError):
    """The token is good, but not for this."""

    status = 403
    title = "The token lacks a scope"
    code_name = "insufficient-scope"


class WrongCredentialError(ApiError, ForbiddenError):
    """An app's token where a partner's is needed, or the other way round."""

    status = 403
    title = "Another kind of token is needed"
    code_name = "wrong-credential"


class TestCredentialError(ApiError, ForbiddenError):
    """A test credential was used on something live."""

    status = 403
    title = "A test credential cannot do this"
    code_name = "test-credential"


class PausedError(ApiError, ForbiddenError):
    """The installation is paused; resuming it makes the token good again."""

    status = 403
    title = "The installation is paused"
    code_name = "installation-paused"


class SuspendedError(ApiError, ForbiddenError):
    """The organization or the listing is suspended."""

    status = 403
    title = "Suspended"
    code_name = "suspended"


class RoleError(ApiError, ForbiddenError):
    """The person whose key it is may not do this."""

    status = 403
    title = "Not allowed"
    code_name = "not-allowed"


class NoDraftError(ApiError, ConflictError):
    """There is no draft to act on."""

    status = 409
    title = "There is no draft"
    code_name = "no-draft"


class VersionExistsError(ApiError, ConflictError):
    """The version was told of with other words."""

    status = 409
    title = "The version is there already"
    code_name = "version-exists"


class StaleError(ApiError):
    """The thing is not what the client last saw."""

    status = 412
    title = "It has changed since you read it"
    code_name = "stale"


class MediaTypeError(ApiError):
    """The body is not JSON by its own word."""

    status = 415
    title = "Send JSON"
    code_name = "unsupported-media-type"


class IfMatchNeededError(ApiError):
    """A change must say what it changes."""

    status = 428
    title = "Send If-Match"
    code_name = "precondition-required"


class KeyReusedError(ApiError):
    """The idempotency key belongs to another request."""

    status = 422
    title = "The idempotency key was used for another request"
    code_name = "idempotency-key-reused"


class KeyInProgressError(ApiError, ConflictError):
    """The first request of this key is not answered yet."""

    status = 409
    title = "The first request of this key is still running"
    code_name = "idempotency-in-progress"


# The code of what is raised without one, by status.
CODES: Mapping[int, str] = {
    400: "bad-request",
    401: "invalid-token",
    403: "not-allowed",
    404: "not-found",
    405: "method-not-allowed",
    409: "conflict",
    412: "stale",
    413: "too-large",
    415: "unsupported-media-type",
    422: "invalid",
    428: "precondition-required",
    429: "rate-limited",
    500: "error",
    503: "unavailable",
}
