"""`model/state`: what the station should run, runs, tries and refuses; sync and the line together.
Pure."""

from __future__ import annotations

from collections.abc import Mapping

SCHEMA = "model-state/1"
OF_THE_LINE = ("running", "candidate", "previous", "last", "lost")
MOST_REFUSED = 16


def model_state(
    named: Mapping[str, object],
    line: Mapping[str, object],
    delivery: Mapping[str, object],
    clock_synced: bool,
) -> dict[str, object]:
    """The message, but for its time. `named` says which station and software it is, `line` is the
    status that the line left last (its member `rollout`, in which the newest refusal comes first,
    and its view), `delivery` what `sync.delivery.Delivery.state` says."""
    rollout = line.get("rollout")
    said = rollout if isinstance(rollout, dict) else {}
    refused = said.get("refused")
    return {
        **named,
        "schema": SCHEMA,
        **delivery,
        **{name: said.get(name) for name in OF_THE_LINE},
        "refused": refused[:MOST_REFUSED] if isinstance(refused, list) else [],
        "view": line.get("view"),
        "clock_synced": clock_synced,
    }
