"""Faults on order: what goes wrong the next time something is asked.

A fault is {"name": "transfers.create" (or a pattern like "transfers.*"), "kind": …, "times": 1,
"skip": 0}. Kinds:

- `lost`: it happens, and the answer never arrives.
- `dropped`: the connection breaks before anything happens.
- `error`: 500, nothing happens. With "cached", the same key answers 500 for a day, as at Stripe.
- `error_after`: it happens, and the answer is 500; the same key then gives the true answer.
- `rate_limited`: 429 with Retry-After ("seconds", 1 by default).
- `conflict`: 409, as if the same key were being worked on.
- `refused`: 400 with "code" and "message".
- `slow`: waits "seconds" first.
"""

import fnmatch
import json
from typing import Any

from billing.sandbox_stripe.errors import ApiError
from billing.sandbox_stripe.store import Store

KINDS = frozenset(
    {"lost", "dropped", "error", "error_after", "rate_limited", "conflict", "refused", "slow"}
)


def add_fault(store: Store, name: str, kind: str, **more: Any) -> None:
    """Order a fault. Raises ApiError for an unknown kind."""
    if kind not in KINDS:
        raise ApiError(400, f"Unknown fault {kind}", param="kind")
    fault = {"name": name, "kind": kind, "times": 1, "skip": 0, **more}
    store.execute("INSERT INTO fault (data) VALUES (?)", json.dumps(fault))


def clear_faults(store: Store) -> None:
    """Nothing goes wrong any more."""
    store.execute("DELETE FROM fault")


def list_faults(store: Store) -> list[dict[str, Any]]:
    """What is still to go wrong."""
    return [json.loads(row[0]) for row in store.execute("SELECT data FROM fault ORDER BY id")]


def take_fault(store: Store, name: str) -> dict[str, Any] | None:
    """The first fault that is ordered for this call, used up once."""
    for fault_id, data in store.execute("SELECT id, data FROM fault ORDER BY id").fetchall():
        fault: dict[str, Any] = json.loads(data)
        if not fnmatch.fnmatchcase(name, fault["name"]):
            continue
        if fault["skip"] > 0:
            fault["skip"] -= 1
            store.execute("UPDATE fault SET data = ? WHERE id = ?", json.dumps(fault), fault_id)
            return None
        fault["times"] -= 1
        if fault["times"] > 0:
            store.execute("UPDATE fault SET data = ? WHERE id = ?", json.dumps(fault), fault_id)
        else:
            store.execute("DELETE FROM fault WHERE id = ?", fault_id)
        return fault
    return None
