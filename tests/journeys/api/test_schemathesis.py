"""Schemathesis, all its checks and phases, against the API as its description says it is."""

import pytest
import schemathesis
from flask import Flask
from schemathesis import engine
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events

CONFIG = {
    "seed": 20261123,
    "workers": 1,
    "generation": {"mode": "all", "max-examples": 12, "deterministic": True, "database": "none"},
    "phases": {"stateful": {"generation": {"max-examples": 5}}},
}


@pytest.mark.usefixtures("catalogue")
@pytest.mark.timeout(240)
def test_the_api_is_what_its_description_says(app: Flask) -> None:
    schema = schemathesis.openapi.from_wsgi(
        "/api/v1/openapi.json", app, config=SchemathesisConfig.from_dict(CONFIG)
    )
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
    assert failures == []
    assert checks > 500
