"""An order of a person, as it travels from a command to whoever writes the tables. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sync.assignment import Assignment, BundleFile, parse
from sync.fleet.plan import Plan

_PLANNED = ("strategy", "steps", "promote", "again", "not_trained_on_yours", "limits")


@dataclass(frozen=True, slots=True)
class Order:
    """One order. `by` is the person named, `account` who typed it; `body` what the kind needs."""

    id: str
    kind: str
    by: str
    body: Mapping[str, Any]
    account: str | None = None

    def as_text(self) -> str:
        """What `read` reads."""
        content = {"id": self.id, "kind": self.kind, "by": self.by, "account": self.account}
        return json.dumps({**content, "body": dict(self.body)}, sort_keys=True, allow_nan=False)


class OrderRefused(Exception):
    """An order that cannot be carried out; what a person can do is in `mend`."""

    def __init__(self, what: str, mend: str) -> None:
        super().__init__(what)
        self.mend = mend


def read(text: str | bytes) -> Order:
    """Raises OrderRefused."""
    try:
        content = json.loads(text)
        order = Order(**content)
    except (ValueError, TypeError, RecursionError) as error:
        raise OrderRefused(f"that is no order: {error}", "give it again") from error
    texts = (order.id, order.kind, order.by)
    if not all(isinstance(one, str) and 0 < len(one) <= 300 for one in texts):
        raise OrderRefused("that is no order", "give it again")
    if not isinstance(order.body, dict) or not isinstance(order.account, str | None):
        raise OrderRefused("that is no order", "give it again")
    return order


def check(plan: Plan, file: BundleFile, by: str) -> None:
    """Raises OrderRefused for what no station would take: then not even the order counts."""
    names: dict[str, Any] = {"station": "a/b/c", "rollout": "r", "issued_at": "now", "by": by}
    given = {name: getattr(plan, name) for name in _PLANNED}
    try:
        parse(Assignment(**names, serial=1, action="run", bundle=file, **given).as_bytes())
    except ValueError as error:  # also a number that is none
        raise OrderRefused(f"no station would take that: {error}", "ask for less") from error
