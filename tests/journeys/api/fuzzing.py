"""Schemathesis against the real WSGI application."""

from typing import Any

import schemathesis
from flask import Flask
from schemathesis import engine
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events

from tests.parts import examples

CONFIG: dict[str, Any] = {
    "seed": 20261123,
    "workers": 1,
    "generation": {
        "mode": "all",
        "max-examples": examples(4),
        "deterministic": True,
        "database": "none",
    },
    "phases": {"stateful": {"generation": {"max-examples": examples(3)}}},
}
# Tags of the part that everybody may read.
ANONYMOUS = ["Listings", "Categories", "Publishers"]


def fuzz(
    app: Flask,
    *,
    only: list[str] | None = None,
    but: list[str] | None = None,
    config: dict[str, Any] | None = None,
) -> tuple[list[str], int]:
    """What schemathesis found wrong with the operations of these tags, and how much it checked."""
    schema: Any = schemathesis.openapi.from_wsgi(
        "/api/v1/openapi.json",
        app,
        config=SchemathesisConfig.from_dict({**CONFIG, **(config or {})}),
    )
    if only is not None:
        schema = schema.include(tag=only)
    if but is not None:
        schema = schema.exclude(tag=but)
    failures: list[str] = []
    checks = 0
    for each in engine.from_schema(schema).execute():
        if isinstance(each, events.NonFatalError):
            failures.append(f"{each.label}: {each.value!r}")
        elif isinstance(each, events.FatalError):
            failures.append(repr(each.exception))
        elif isinstance(each, events.ScenarioFinished):
            for nodes in each.recorder.checks.values():
                checks += len(nodes)
                failures += [
                    f"{each.recorder.label} {node.name}: {node.failure_info.failure}\n"
                    f"{node.failure_info.code_sample}"
                    for node in nodes
                    if node.failure_info is not None
                ]
    return failures, checks
