"""The stand-in's endpoints, by the names that the SDK gives them."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from billing.sandbox_stripe.errors import ApiError, invalid, missing
from billing.sandbox_stripe.store import Store, Thing

# Parameters of every list.
_PAGING = frozenset({"limit", "starting_after", "ending_before", "created", "expand"})


@dataclass
class Call:
    """One request, its parameters checked."""

    store: Store
    params: dict[str, Any]
    path: Mapping[str, str]
    account: str
    base_url: str

    @property
    def id(self) -> str:
        """The first id in the path."""
        return self.path["id"]


Answer = Callable[[Call], Any]


@dataclass(frozen=True)
class Endpoint:
    """A method and path, what it takes and who answers."""

    name: str
    method: str
    pattern: re.Pattern[str]
    params: str
    answer: Answer


ENDPOINTS: list[Endpoint] = []


def endpoint(name: str, method: str, path: str, params: str) -> Callable[[Answer], Answer]:
    """Register who answers `method path`; `{id}` stands for a part of the path.

    `name` is the SDK's, like `transfers.create`; `params` a class of stripe.params, empty for none.
    """
    pattern = re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path))

    def register(answer: Answer) -> Answer:
        ENDPOINTS.append(Endpoint(name, method, pattern, params, answer))
        return answer

    return register


def find_endpoint(method: str, path: str) -> tuple[Endpoint, dict[str, str]]:
    """Who answers. Raises ApiError for an address that Stripe, or the stand-in, does not have."""
    for each in ENDPOINTS:
        if each.method == method and (match := each.pattern.fullmatch(path)):
            return each, match.groupdict()
    raise ApiError(404, f"Unrecognized request URL ({method}: {path}).")


def retrieval(name: str, path: str, kind: str, params: str) -> None:
    """Register `GET path/{id}` of an ordinary object."""

    @endpoint(f"{name}.retrieve", "GET", f"{path}/{{id}}", params)
    def retrieve(call: Call) -> Thing:
        return own(call, kind, call.id)


def listing(name: str, path: str, kind: str, params: str, *, private: tuple[str, ...] = ()) -> None:
    """Register `GET path`: newest first, filtered by equality of what else is given.

    `private` names filters that compare with a private field of the object.
    """

    @endpoint(f"{name}.list", "GET", path, params)
    def answer(call: Call) -> dict[str, Any]:
        filters = {
            (f"_{key}" if key in private else key): value
            for key, value in call.params.items()
            if key not in _PAGING
        }
        return page_of(call, kind, path, lambda thing: _fits(thing, filters))


def _fits(thing: Thing, filters: Mapping[str, Any]) -> bool:
    return all(thing.get(name) == value for name, value in filters.items())


def page_of(
    call: Call, kind: str, path: str, fits: Callable[[Thing], bool] = lambda _thing: True
) -> dict[str, Any]:
    """A page of Stripe's: `data`, `has_more` and where it is from."""
    limit = int(call.params.get("limit", 10))
    if not 1 <= limit <= 100:
        raise invalid("Limit must be between 1 and 100", "limit")
    created = call.params.get("created", {})
    if not isinstance(created, dict):
        created = {"eq": created}
    before = str(call.params.get("ending_before", ""))
    data: list[Thing] = []
    has_more = False
    for thing in call.store.page(
        kind,
        account=call.account,
        created=created,
        after=str(call.params.get("starting_after", "")),
        before=before,
    ):
        if fits(thing):
            if len(data) == limit:
                has_more = True
                break
            data.append(thing)
    if before:
        data.reverse()
    return {"object": "list", "url": path, "has_more": has_more, "data": data}


def own(call: Call, kind: str, thing_id: Any, param: str = "id") -> Thing:
    """An object of the account that asks. Another account's does not exist for it."""
    found = call.store.get(kind, thing_id, param)
    if call.store.account_of(str(thing_id)) != call.account:
        raise missing(kind, thing_id, param)
    return found


def copy_metadata(thing: Thing, params: Mapping[str, Any]) -> None:
    """Merge metadata as Stripe does: an empty value takes a key away."""
    given = params.get("metadata")
    if given == "":
        thing["metadata"] = {}
    elif given:
        merged = {**thing.get("metadata", {}), **given}
        thing["metadata"] = {name: value for name, value in merged.items() if value != ""}


# Fields that Stripe gives only when they are asked for, by where they are kept.
_ON_REQUEST = {
    ("checkout.session", "line_items"): "_line_items",
    ("invoice", "payments"): "_payments",
    ("customer", "subscriptions"): "_subscriptions",
}


@dataclass
class Shown:
    """What goes out: asked-for references expanded, private fields left out."""

    store: Store
    expand: list[list[str]] = field(default_factory=list)

    def of(self, value: Any, wanted: list[list[str]] | None = None) -> Any:
        """`value` as Stripe shows it."""
        wanted = self.expand if wanted is None else wanted
        if isinstance(value, list):
            return [self.of(each, wanted) for each in value]
        if not isinstance(value, dict):
            return value
        below: dict[str, list[list[str]]] = {}
        for path in wanted:
            below.setdefault(path[0], []).append(path[1:])
        shown: dict[str, Any] = {}
        for name, each in value.items():
            if name.startswith("_"):
                continue
            if name in below and isinstance(each, str):
                each = self.store.find(each) or each
            if name == "hosted_invoice_url" and each:
                each = f"{self.store.base_url}{each}"
            shown[name] = self.of(each, [path for path in below.get(name, []) if path])
        for name, paths in below.items():
            kept = _ON_REQUEST.get((str(value.get("object")), name))
            if kept and kept in value:
                shown[name] = self.of(value[kept], [path for path in paths if path])
        return shown


def list_of(data: list[Any], url: str) -> dict[str, Any]:
    """A list inside an object."""
    return {"object": "list", "data": data, "has_more": False, "url": url}
