"""What a station brings to an evaluation: its model, its camera's shape, its cuts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from camera.familiar import Familiar
from edge import __version__
from edge.calibrating.gathered import Unusable
from edge.calibrating.scoring import Progress, Shape, scorer
from edge.clock import boot_id
from edge.evaluating.cases import Cases
from edge.evaluating.evaluation import Judging
from edge.evaluating.pictures import picture_cases
from edge.evaluating.recorded import Wanted, recorded_cases
from edge.records import Origin
from edge.running import running
from edge.seating import make_setup

if TYPE_CHECKING:
    from edge.config import Config

HALF = 0.5


def half(why: str) -> Judging:
    """One cut in the middle, where there are no others. It means nothing but a common ground."""
    return Judging(HALF, HALF, f"both at {HALF}, since {why}")


class Station:
    """One configured station."""

    def __init__(self, config: Config) -> None:
        self.config = config
        found = running(config)
        self.bundle, self.no_model, self.standards = found.bundle, found.why, found.standards
        self.zone = ZoneInfo(config.station.time_zone)

    def judging(self) -> Judging:
        """The cuts in force at this station, else one cut in the middle. Raises sqlite3.Error."""
        basis = self.standards.basis(self.standards.choose())
        if basis.cuts is None:
            return half(basis.no_cuts or "no cuts are in force")
        cuts = basis.cuts
        origin = f"calibration {cuts.calibration}" if cuts.certified else "not certified"
        return Judging(cuts.accept_below, cuts.reject_above, origin, cuts.certified)

    def familiar(self) -> Familiar | None:
        """The range of pictures that is familiar here, where it is known. Raises sqlite3.Error."""
        return self.standards.basis(self.standards.choose()).familiar

    def shape(self, as_is: bool) -> Shape:
        """How pictures become what the model is shown. Raises Unusable without a model."""
        if self.bundle is None:
            raise Unusable(f"the model cannot be used: {self.no_model}", "edge-inspect check")
        origin = Origin(self.config.station.path, boot_id(), self.config.digest, __version__)
        return Shape(make_setup(self.config, origin, self.standards.view, self.bundle), as_is)

    def of_pictures(self, folder: Path, as_is: bool, progress: Progress) -> Cases:
        """Labelled pictures, scored now. Raises Unusable, OSError."""
        shape = self.shape(as_is)
        assert self.bundle is not None
        with scorer(self.bundle, self.config.model.threads) as model:
            return picture_cases(folder, shape, model, self.zone, progress)

    def of_records(self, since: str | None, measure: bool) -> Cases:
        """Recorded inspections of known truth. Raises Unusable, sqlite3.Error."""
        digest = None if self.bundle is None else self.bundle.digest
        wanted = Wanted(digest, since, measure)
        return recorded_cases(self.config.state_dir, wanted, self.zone)
