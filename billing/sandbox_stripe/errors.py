"""Refusals in Stripe's shape."""

from typing import Any


class ApiError(Exception):
    """An error answer. `kind` is Stripe's error type."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str = "",
        kind: str = "invalid_request_error",
        param: str = "",
        more: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.body: dict[str, Any] = {"type": kind, "message": message}
        if code:
            self.body["code"] = code
            self.body["doc_url"] = f"https://stripe.com/docs/error-codes/{code}"
        if param:
            self.body["param"] = param
        self.body |= more or {}


def missing(kind: str, thing_id: object, param: str = "id") -> ApiError:
    """There is no such object (a path: 404; a parameter: 400)."""
    status = 404 if param == "id" else 400
    return ApiError(status, f"No such {kind}: '{thing_id}'", code="resource_missing", param=param)


def invalid(message: str, param: str = "", code: str = "") -> ApiError:
    """The request makes no sense."""
    return ApiError(400, message, param=param, code=code)
