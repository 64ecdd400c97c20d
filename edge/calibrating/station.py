"""The station that a calibration is for: what its pictures are made into, and where it is kept."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from edge import __version__, cameras
from edge.calibrating import recorded
from edge.calibrating.gathered import Gathered, Unusable
from edge.calibrating.keeping import keep
from edge.calibrating.making import About, as_file
from edge.calibrating.scoring import Progress, Shape, score_folder, scorer
from edge.calibrating.training import SAY, refuse_overlap, training_hashes
from edge.calibrating.tries import note_try, tries_before
from edge.clock import Clock
from edge.config import Config
from edge.config_cameras import FolderCamera, VideoCamera
from edge.decision.evidence import Evidence, Training
from edge.inspection import Setup
from edge.records import Origin, utc
from edge.running import running
from edge.standards import Standards
from edge.store.archive import Archive
from edge.traffic import traffic
from inference.bundle import Bundle


@dataclass(frozen=True, slots=True)
class Station:
    """A station with a model that can be used."""

    config: Config
    bundle: Bundle
    standards: Standards

    @classmethod
    def of(cls, config: Config) -> Station:
        """Raises Unusable where its model cannot be used, ConfigError where there is none."""
        found = running(config)
        if found.bundle is None:
            raise Unusable(f"the model cannot be used: {found.why}", "edge-inspect check")
        return cls(config, found.bundle, found.standards)

    @property
    def folder(self) -> Path:
        """Where its calibrations are kept."""
        return self.config.state_dir / "calibrations"

    @property
    def setup(self) -> Setup:
        """As the line prepares its pictures."""
        from edge.seating import make_setup

        origin = Origin(self.config.station.path, "", self.config.digest, __version__)
        return make_setup(self.config, origin, self.standards.view, self.bundle)

    def training(self, said: bool, gathered: Gathered | None = None) -> Training:
        """How it is known that the model was not trained on these pictures.

        Without `gathered`: how it will be known of any that are pictures.
        """
        pictures = gathered is None or bool(gathered.samples.sha256)
        if pictures and training_hashes(self.bundle) is not None:
            return "compared"
        return "said" if said else "unsaid"

    def must_be_said(self, said: bool) -> None:
        """Raises Unusable where nothing vouches for the pictures."""
        if self.training(said) == "unsaid":
            raise Unusable(
                "this bundle does not say which pictures it was trained on",
                f"add {SAY} if you know that these were not among them; it stands in the report",
            )

    def pictures(
        self, folder: Path, as_is: bool, progress: Progress, memory_mb: int | None = None
    ) -> Gathered:
        """The labelled pictures below a folder, scored by a model that may take so much memory.

        Raises Unusable, OSError.
        """
        shape = Shape(self.setup, as_is, _source(self.config, self.standards))
        with scorer(self.bundle, self.config.model.threads, memory_mb) as model:
            return self._compared(score_folder(folder, shape, model, progress))

    def recorded(self, progress: Progress) -> Gathered:
        """Persons' verdicts on this station's own parts. Raises Unusable, sqlite3.Error."""
        place = recorded.Place(self.config.state_dir, self.setup, self.standards.binding)
        judged = list(recorded.verdicts(self.config.state_dir / "queue.db"))
        with scorer(self.bundle, self.config.model.threads) as model:
            return self._compared(recorded.score_recorded(judged, place, model, progress))

    def about(self, clock: Clock) -> About:
        """A new calibration's name and binding."""
        return About(
            id=clock.new_id(),
            made_at=utc(clock.wall()),
            station=self.config.station.path,
            binding=self.standards.binding,
            model_name=self.bundle.name,
            model_version=self.bundle.version,
            made_with=self.standards.made_with,
        )

    def rate_per_hour(self) -> float | None:
        """Parts/h of the last while, from the records. Raises sqlite3.Error."""
        with Archive(self.config.state_dir / "line.db") as archive:
            return traffic(archive).per_hour

    def tries(self, gathered: Gathered) -> int:
        """How many calibrations were tried before on these very pictures."""
        return tries_before(self.folder, gathered.fingerprint)

    def keep(self, evidence: Evidence, gathered: Gathered, about: About) -> None:
        """Count the try; where there are cuts, keep them with their evidence. Raises OSError."""
        note_try(self.folder, gathered.fingerprint, about.id, about.made_at)
        if evidence.result is not None:
            keep(self.folder, as_file(evidence, gathered, about), evidence.samples)

    def _compared(self, gathered: Gathered) -> Gathered:
        hashes = training_hashes(self.bundle)
        if hashes is not None:
            refuse_overlap(hashes, gathered.samples.sha256)
        return gathered


def _source(config: Config, standards: Standards) -> dict[str, object] | None:
    """What pictures must have been taken with. What files of a folder show nobody can tell."""
    if isinstance(config.camera, FolderCamera | VideoCamera):
        return None
    viewed: Mapping[str, object] = cameras.source(config.camera).view()
    plain: dict[str, object] = json.loads(json.dumps(viewed))
    return plain
