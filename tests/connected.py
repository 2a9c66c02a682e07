"""The functions that the application connects across domains, in lists that modules call.

A test that replaces one and does not put it back changes what the tests after it see, in an order
that nobody else gets; tests/conftest.py compares them after each test."""

import sys

PACKAGES = ("billing.", "marketplace.", "search.")
Connected = dict[tuple[str, str], list[str]]


def connected() -> Connected:
    """The names of the functions in each module-level list of functions, by (module, list)."""
    return {
        (module_name, name): [_name(each) for each in value]
        for module_name, module in list(sys.modules.items())
        if module_name.startswith(PACKAGES)
        for name, value in list(vars(module).items())
        if isinstance(value, list) and value and all(callable(each) for each in value)
    }


def now_at(keys: Connected) -> Connected:
    """What is in the same lists now."""
    return {
        (module_name, name): [_name(each) for each in getattr(sys.modules[module_name], name)]
        for module_name, name in keys
    }


def _name(function: object) -> str:
    # By name: a second application connects other closures of the same code.
    return str(getattr(function, "__qualname__", function))
