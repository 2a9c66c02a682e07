"""Operations: an address and a method with all that the description says of them.

A view is mounted and described in one place, so that neither is without the other.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from flask import Blueprint

from marketplace.api.v1.parameters import Parameter
from marketplace.api.v1.platform.bodies import Body
from marketplace.api.v1.platform.guard import TokenRule, View


@dataclass(frozen=True)
class Reply:
    """An answer that is no problem. `schema` names its shape; none: no body."""

    text: str
    schema: str | None = None
    headers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Operation:
    """One address with one method, as the description tells it."""

    id: str
    method: str
    rule: str
    tag: str
    summary: str
    description: str
    token: TokenRule
    replies: Mapping[int, Reply]
    parameters: tuple[Parameter, ...] = ()
    body: type[Body] | None = None
    body_needed: bool = True
    problems: tuple[int, ...] = ()
    if_match: bool = False

    @property
    def parameter_names(self) -> frozenset[str]:
        """The names of its query parameters."""
        return frozenset(each.name for each in self.parameters)


# By the name of the endpoint, as Flask has it.
OPERATIONS: dict[str, Operation] = {}


@dataclass
class Group:
    """Operations of one subject, mounted on a blueprint when it is there."""

    tag: str
    views: list[tuple[Operation, View]] = field(default_factory=list)

    def operation(
        self,
        method: str,
        rule: str,
        *,
        id: str,
        summary: str,
        description: str,
        replies: Mapping[int, Reply],
        **more: Any,
    ) -> Callable[[View], View]:
        """Mount the decorated view, whose token rule stands below this, and describe it."""

        def add(view: View) -> View:
            token: TokenRule = view.portico_token  # type: ignore[attr-defined]  # set by token_needs
            found = Operation(
                id=id,
                method=method,
                rule=rule,
                tag=self.tag,
                summary=summary,
                description=description,
                token=token,
                replies=replies,
                **more,
            )
            self.views.append((found, view))
            return view

        return add

    def mount(self, blueprint: Blueprint) -> None:
        """Give the blueprint these addresses."""
        for operation, view in self.views:
            name = str(getattr(view, "__name__", operation.id))
            blueprint.add_url_rule(
                operation.rule, endpoint=name, view_func=view, methods=[operation.method]
            )
            OPERATIONS[f"{blueprint.name}.{name}"] = operation
