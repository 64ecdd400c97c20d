"""What this station judges by: which calibration is in force here, and what follows from it."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from camera.familiar import Familiar
from edge import calibrations, cameras
from edge.calibrations import Binding, Choice
from edge.records import Cuts
from edge.requests import Refused
from edge.store.archive import Archive
from edge.workers.applying import Applicable
from edge.workers.ruler import Basis
from inference.interpreter import runtime_name

if TYPE_CHECKING:
    from camera.source import Source
    from edge.config import Config
    from inference.bundle import Bundle

TYPED = "cuts are typed by hand in the configuration, and these come first"


class Standards:
    """The calibrations of one station as it is now: its bundle, runtime, machine and view.

    Cuts typed by hand hold for the configured bundle only, not for one from a slot.
    """

    def __init__(
        self,
        config: Config,
        bundle: Bundle | None,
        source: Source | None = None,
        configured: bool = True,
    ) -> None:
        self.config, self.bundle, self.configured = config, bundle, configured
        self.source = cameras.source(config.camera) if source is None else source
        self.view = cameras.view(config, self.source)

    @property
    def folders(self) -> list[Path]:
        """Where calibrations lie: made here, or shipped with the bundle."""
        places = [self.config.state_dir / "calibrations"]
        return places if self.bundle is None else [*places, Path(self.bundle.root) / "calibrations"]

    @property
    def binding(self) -> Binding:
        """What a calibration must have been made for. There must be a bundle."""
        assert self.bundle is not None
        return Binding(self.bundle.digest, runtime_name(), platform.machine(), self.view)

    @property
    def made_with(self) -> dict[str, object]:
        """The same in readable parts, so that a person can be told what has changed."""
        camera = self.config.camera
        seen = dict(_flat("camera", self.source.view()))
        seen |= {"roi": camera.roi and list(camera.roi), "rotate": camera.rotate}
        seen |= {"runtime": runtime_name(), "machine": platform.machine()}
        if self.bundle is not None:
            inputs, outputs = self.bundle.spec.input, self.bundle.spec.output
            seen |= {
                "bundle": f"{self.bundle.name} {self.bundle.version}",
                "labels": {label.name: label.role for label in outputs.labels},
                "resize": inputs.resize,
                "fit": inputs.fit,
                "colour": inputs.colour,
                "model": self.bundle.hashes.get("model.tflite", "")[:12],
            }
        return seen

    def choose(self, state: Callable[[str], str | None] | None = None) -> Choice:
        """The calibration in force, or why there is none. Raises sqlite3.Error.

        `state` is what the line remembers; read from line.db where it is not given.
        """
        if self.bundle is None:
            return Choice(None, "there is no model")
        if state is not None:
            return calibrations.in_force(self.folders, self.binding, self.made_with, state)
        with Archive(self.config.state_dir / "line.db") as archive:
            return calibrations.in_force(self.folders, self.binding, self.made_with, archive.state)

    def applicable(self, calibration_id: str) -> Applicable:
        """The calibration with this id. Raises Refused where it cannot be in force here."""
        if self.bundle is None:
            raise Refused("there is no model")
        if self._typed() is not None:
            raise Refused(f"{TYPED}: take decision.accept_below and reject_above out of it")
        try:
            found, digest = calibrations.find(self.folders, calibration_id)
        except (OSError, ValueError) as error:
            raise Refused(str(error)) from error
        if why := calibrations.misfit(found, self.binding, self.made_with):
            raise Refused(f"calibration {found.id} was made for {why}")
        return Applicable(found, digest, self.basis(Choice(found, f"calibration {found.id}")))

    def basis(self, choice: Choice) -> Basis:
        """What the ruler works by under this calibration."""
        decision = self.config.decision
        cuts = self._cuts(choice)
        return Basis(
            ceiling=decision.automation,
            ask_all=decision.ask == "all",
            cuts=cuts,
            familiar=self._familiar(choice),
            no_cuts=choice.why if cuts is None else None,
        )

    def _typed(self) -> Cuts | None:
        low, high = self.config.decision.accept_below, self.config.decision.reject_above
        if not self.configured or low is None or high is None:
            return None
        return Cuts(low, high, certified=False)

    def _cuts(self, choice: Choice) -> Cuts | None:
        """Cuts typed by hand are meant: they come first, and are uncertified everywhere."""
        made = None if choice.calibration is None else choice.calibration.cuts
        return self._typed() or made

    def _familiar(self, choice: Choice) -> Familiar | None:
        """The range of pictures that the calibration was made from, else the one of the bundle."""
        known = None if choice.calibration is None else choice.calibration.familiar
        if known is None and self.bundle is not None:
            known = self.bundle.baseline.get("familiar")
        return None if known is None else Familiar.from_json(known)


def _flat(name: str, value: object) -> Iterator[tuple[str, object]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _flat(f"{name}.{key}", inner)
    else:
        yield name, value
