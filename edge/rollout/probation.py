"""A model on probation: the one table of its states, and what is remembered of it. Pure.

Everything that happens to a candidate is an event. Whether it may happen now, and what the
candidate is afterwards, says `TABLE` and nothing else. The result is stored before it is acted
upon, so that a power cut at any instant finds either the state before or the state after.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Literal, get_args

from sync.assignment import STRATEGIES, Assignment, Limits, Strategy

State = Literal[
    "assigned",
    "downloading",
    "verified",
    "proved",
    "shadow",
    "needs_calibration",
    "canary",
    "active",
    "rejected",
    "rolled_back",
    "superseded",
    "cancelled",
]
Event = Literal[
    "download",
    "arrive",
    "prove",
    "shadow",
    "lack",
    "calibrate",
    "share",
    "promote",
    "settle",
    "order",
    "lose",
    "fail",
    "rollback",
    "cancel",
    "supersede",
]
STATES: tuple[State, ...] = get_args(State)
EVENTS: tuple[Event, ...] = get_args(Event)
ENDED: frozenset[State] = frozenset({"rejected", "rolled_back", "superseded", "cancelled"})
BEFORE: tuple[State, ...] = STATES[: STATES.index("active")]
"""The states of a candidate: another model is active."""
BESIDE: frozenset[State] = frozenset({"shadow", "needs_calibration", "canary"})
"""It runs beside the active model."""
INSTALLED: frozenset[State] = BESIDE | {"proved"}
"""It lies in its slot, whole and proved."""


def _every(states: tuple[State, ...], event: Event, to: State | None = None) -> dict[Any, State]:
    return {(state, event): to or state for state in states}


TABLE: Mapping[tuple[State, Event], State] = {
    ("assigned", "download"): "downloading",
    ("assigned", "arrive"): "verified",
    ("downloading", "arrive"): "verified",
    ("verified", "prove"): "proved",
    ("proved", "shadow"): "shadow",
    ("shadow", "lack"): "needs_calibration",
    ("canary", "lack"): "needs_calibration",
    ("needs_calibration", "lack"): "needs_calibration",
    ("shadow", "calibrate"): "shadow",
    ("needs_calibration", "calibrate"): "shadow",
    ("shadow", "share"): "canary",
    ("canary", "share"): "canary",
    ("shadow", "promote"): "active",
    ("canary", "promote"): "active",
    ("active", "settle"): "active",
    # the same bundle again, with new orders: what was reached stays reached
    **_every((*BEFORE, "active"), "order"),
    # what lay in its slot is gone or damaged: it is installed anew
    **_every(("proved", "shadow", "needs_calibration", "canary"), "lose", "verified"),
    **_every(("assigned", "downloading", "verified", "proved"), "fail", "rejected"),
    **_every(("shadow", "needs_calibration"), "fail", "rejected"),
    **_every(("canary", "active"), "fail", "rolled_back"),
    **_every(BEFORE, "rollback", "cancelled"),
    **_every(("canary", "active"), "rollback", "rolled_back"),
    **_every(BEFORE, "cancel", "cancelled"),
    **_every(BEFORE, "supersede", "superseded"),
}
"""What is not in it cannot happen. A candidate that never decided a part is rejected, one that did
is rolled back."""


class Impossible(ValueError):
    """An event that cannot happen to a candidate in this state."""


def after(state: State, event: Event) -> State:
    """The state after an event. Raises Impossible."""
    try:
        return TABLE[state, event]
    except KeyError:
        raise Impossible(f"{event} cannot happen to a candidate in the state {state}") from None


@dataclass(frozen=True, slots=True)
class Orders:
    """By which word a candidate is here, and how far it may go by itself.

    `serial` and `rollout` are those of the assignment; a command has the newest serial that the
    station knew then, and no rollout. `rest`: the fleet has said *pause*. `source` is the folder or
    file that a command named; without one the bundle comes through the inbox, as `file`.
    """

    serial: int
    by: str
    strategy: Strategy = "canary"
    steps: tuple[float, ...] = (5.0, 25.0, 100.0)
    promote: bool = True
    rollout: str | None = None
    account: str | None = None
    request: str | None = None
    source: str | None = None
    file: str | None = None
    not_trained_on_yours: bool = False
    rest: bool = False
    limits: Limits = field(default_factory=Limits)


def orders(assignment: Assignment) -> Orders:
    """The orders that an assignment gives."""
    return Orders(
        serial=assignment.serial,
        by=assignment.by,
        strategy=assignment.strategy,
        steps=assignment.steps,
        promote=assignment.promote,
        rollout=assignment.rollout,
        file=f"{assignment.bundle.sha256}.zip",
        not_trained_on_yours=assignment.not_trained_on_yours,
        rest=assignment.action == "pause",
        limits=assignment.limits,
    )


@dataclass(frozen=True, slots=True)
class Probation:
    """One candidate. `id` names its evidence; a digest that is tried again gets another one.

    `step` is the place in `orders.steps` while it is a canary. `base` is the number of parts that
    both models had seen when this state or step began. `trial` is the number of parts after
    its promotion during which its return is automatic; None before, and when it has settled.
    `calibration` is made here, for this bundle, with the sha256 of its file. `needed` says how many
    labels are missing, `until` (seconds since 1970) how long they are waited for.
    """

    id: str
    digest: str
    name: str
    version: str
    orders: Orders
    state: State = "assigned"
    slot: str | None = None
    code: str | None = None
    why: str | None = None
    step: int = 0
    base: int = 0
    since: float = 0.0
    calibration: str | None = None
    calibration_sha256: str | None = None
    needed: tuple[int, int] | None = None
    until: float | None = None
    trial: int | None = None

    @property
    def share(self) -> float:
        """The share of parts that it decides, 0..1."""
        if self.state == "active":
            return 1.0
        return self.orders.steps[self.step] / 100 if self.state == "canary" else 0.0

    @property
    def over(self) -> bool:
        """Whether nothing can happen to it any more."""
        return self.state in ENDED or (self.state == "active" and self.trial is None)

    def after(self, event: Event, wall: float, **changes: Any) -> Probation:
        """What it is after this event, at this time. Raises Impossible.

        Code and reason are those of this event: those of an earlier one do not stay.
        """
        if self.over:
            raise Impossible(f"{event} cannot happen to a candidate that has ended")
        state = after(self.state, event)
        moved = state != self.state or event == "share"
        return replace(
            self,
            **{
                "state": state,
                "since": wall if moved else self.since,
                "code": None,
                "why": None,
                **changes,
            },
        )

    def as_json(self) -> dict[str, object]:
        """What `from_json` reads."""
        return asdict(self)


def from_json(content: Any) -> Probation:
    """What was remembered. Raises ValueError, TypeError, KeyError or AttributeError for anything
    that is no probation: then there is no candidate, and the active model goes on."""
    said = dict(content["orders"])
    limits = Limits(**said.pop("limits"))
    said["steps"] = tuple(float(step) for step in said["steps"])
    orders = Orders(**said, limits=limits)
    needed = content["needed"]
    found = Probation(
        **{
            **_known(content),
            "orders": orders,
            "needed": None if needed is None else (int(needed[0]), int(needed[1])),
        }
    )
    if found.state not in STATES or orders.strategy not in STRATEGIES:
        raise ValueError(f"no state of a candidate: {found.state}")
    if not 0 <= found.step < len(orders.steps):
        raise ValueError(f"no step of this canary: {found.step}")
    return found


def _known(content: Mapping[str, Any]) -> dict[str, Any]:
    return {one.name: content[one.name] for one in fields(Probation)}
