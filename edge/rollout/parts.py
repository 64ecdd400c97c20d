"""What the steward is given: the models of the line, and what is known of a candidate. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from edge.rollout.outcome import Kind, Result
from edge.rollout.standing import Place


class Fault(Protocol):
    """Why a model has to go. `code` is one of sync/refusals.py."""

    @property
    def code(self) -> str:
        """For programs."""
        ...

    @property
    def words(self) -> str:
        """For people."""
        ...


class Models(Protocol):
    """The models that the line has loaded. Nothing here waits, and nothing raises: what a bundle
    or the machine is guilty of, `fault` and `fell` say.

    At every instant exactly one model is active. Each is known by its place: bundle and calibration
    belong together.
    """

    @property
    def active(self) -> Place:
        """The model that decides, but for a canary's share."""
        ...

    @property
    def beside(self) -> Place | None:
        """The model that is loaded beside it: the candidate, or in a trial the previous one."""
        ...

    @property
    def warm(self) -> bool:
        """Whether the candidate has answered: it can be compared."""
        ...

    @property
    def prepared(self) -> bool:
        """Whether the candidate could decide a part now."""
        ...

    @property
    def fault(self) -> Fault | None:
        """Why the candidate cannot run: it does not load, or has died too often."""
        ...

    @property
    def fell(self) -> Fault | None:
        """Why the active model has to go: three deaths within a minute."""
        ...

    @property
    def lost(self) -> Fault | None:
        """Why the model that is to be active again never will be: it is damaged, or does not come
        up. None while it is on its way."""
        ...

    @property
    def asked(self) -> bool:
        """Whether models are asked about parts at all."""
        ...

    @property
    def unconfirmed(self) -> bool:
        """Whether the candidate has fields that nobody vouches for."""
        ...

    @property
    def vouched(self) -> bool:
        """Whether somebody may have vouched for them since: `calibrate` looks."""
        ...

    @property
    def cuts_in_force(self) -> bool:
        """Whether the active model has cuts to decide by; a candidate then needs its own."""
        ...

    @property
    def calibration(self) -> str | None:
        """The calibration by which the active model decides now; a person may apply another."""
        ...

    @property
    def fits(self) -> bool:
        """Whether the candidate's calibration, if it has one, is one for this view and machine."""
        ...

    @property
    def decided(self) -> int:
        """Parts that the active model has answered, since the start of the line."""
        ...

    def load(self, place: Place) -> None:
        """Start the candidate beside the active model, in shadow, instead of what is there."""
        ...

    def prepare(self) -> None:
        """Make the candidate able to decide parts. May be called again."""
        ...

    def keep(self, place: Place) -> None:
        """Start the previous model beside the active one, for its return and for comparison,
        instead of what is there."""
        ...

    def calibrate(self, place: Place) -> None:
        """The model beside is judged anew: by these cuts, or none any more."""
        ...

    def share(self, share: float) -> None:
        """The candidate decides this share of the parts, from the next one on at which it can."""
        ...

    def promote(self, place: Place) -> None:
        """The candidate is active from the next part on, once it can decide; the model before stays
        warm beside it."""
        ...

    def restore(self, place: Place) -> None:
        """The previous model is active from the next part on, or, where it is not loaded, as soon
        as it is; what was active is ended. Where that takes long, persons decide meanwhile."""
        ...

    def drop(self) -> None:
        """End the model beside."""
        ...


class Dossier(Protocol):
    """What is known of one candidate on the same parts as the other model. It outlives a restart.

    One for each `Probation.id`. The candidate is called so even when it has become active: what
    stands beside it then is the model before. Nothing here raises.
    """

    @property
    def parts(self) -> int:
        """Parts that both models have answered."""
        ...

    def step(self, now_ns: int) -> None:
        """Take in what both models said since, and what persons said. Never waits."""
        ...

    def lacking(self, since: int) -> str | None:
        """Why the parts after the one with number `since` do not suffice for its next step, in
        words: at least `min_parts` of its limits. None when they do."""
        ...

    def broken(self) -> Fault | None:
        """Which guard it has broken."""
        ...

    def as_json(self) -> Mapping[str, object]:
        """The figures, for records and the status."""
        ...

    def close(self) -> None:
        """Let go of files."""
        ...


class Work(Protocol):
    """The slow steps, in a process of their own: see edge/rollout/task.py."""

    @property
    def busy(self) -> bool:
        """Whether a step was started whose result nobody has taken yet."""
        ...

    def start(self, kind: Kind, arguments: Mapping[str, object]) -> None:
        """Begin a step; what was running is ended."""
        ...

    def poll(self) -> Result | None:
        """The result, once."""
        ...

    def stop(self) -> None:
        """End what is running."""
        ...
