"""The demo calibrates before it decides: simulated parts of another seed, on this very machine."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path

from camera.familiar import learn
from camera.quality import Measures, measure
from camera.simulated.options import SyntheticOptions
from camera.synthetic import SyntheticSource
from edge import calibrations
from edge.asking import ask_line
from edge.calibrating.gathered import Gathered, fingerprint
from edge.calibrating.making import Wishes, make
from edge.calibrating.scoring import scorer
from edge.calibrating.station import Station
from edge.clock import Clock
from edge.config import Config
from edge.config_cameras import SyntheticCamera
from edge.decision.calibration import CannotCertify, Targets
from edge.decision.evidence import Row, Samples
from edge.demo.labelled import write_labelled
from edge.demo.station import CALIBRATION_SEED
from edge.rollout.pinning import pin
from edge.running import running
from inference.worker import Worker

PARTS = 1600
"""Half of them defects, of every type and severity alike."""
REASON = f"simulated parts of seed {CALIBRATION_SEED}, which the model has never seen"


def calibration_for(config: Config) -> calibrations.Choice:
    """The calibration that a line with this configuration would find, for the bundle that it would
    run: after a roll-out that is another one than the configured."""
    return running(config).standards.choose()


def make_calibration(
    config: Config, progress: Callable[[int, int], None], labelled: Path | None = None
) -> None:
    """Score the parts with the line's transform and child, apply the rule, put it in force.

    With `labelled` the parts are picture files, written there, and are kept for new models.
    `progress` hears how many of how many parts are done. Raises CannotCertify, NoPrediction,
    Unusable, RuntimeError, OSError.
    """
    station = Station.of(config)
    if labelled is None:
        with scorer(station.bundle, config.model.threads) as model:
            gathered = _gather(config, model, progress)
    else:
        gathered = _from_files(station, labelled, progress)
    about = station.about(Clock())
    decision = config.decision
    targets = Targets(decision.max_escape, decision.max_overkill, decision.confidence)
    wishes = Wishes(targets, by="demo", reason=REASON, training="said")
    evidence = make(gathered, about, wishes, station.tries(gathered))
    if evidence.result is None:
        raise CannotCertify(evidence.tightest, evidence.needed)
    station.keep(evidence, gathered, about)
    arguments = {"calibration": evidence.id, "reason": REASON}
    answer = ask_line(config, "apply_calibration", arguments, "demo")
    if answer is None or not answer["ok"]:
        raise RuntimeError(f"the calibration cannot be applied: {answer}")
    if labelled is not None:
        pin(station, evidence, gathered, labelled)
        shutil.rmtree(labelled)  # those that are kept suffice


def _from_files(station: Station, folder: Path, progress: Callable[[int, int], None]) -> Gathered:
    camera = station.config.camera
    assert isinstance(camera, SyntheticCamera)
    write_labelled(folder, camera, lambda done, of: progress(done, 2 * of))
    return station.pictures(folder, False, lambda done, of: progress(of + done, 2 * of))


def _gather(config: Config, model: Worker, progress: Callable[[int, int], None]) -> Gathered:
    camera = config.camera
    assert isinstance(camera, SyntheticCamera)
    options = SyntheticOptions(
        seed=CALIBRATION_SEED,
        width=camera.width,
        height=camera.height,
        defect_rate=0.5,
        limit=PARTS,
    )
    rows: list[Row] = []
    measures: list[Measures] = []
    source = SyntheticSource(options)
    source.open()
    while (frame := source.read()) is not None:
        assert frame.image is not None
        kind, _, type_ = (frame.truth or "").partition("/")
        digest = hashlib.sha256(frame.image.tobytes()).hexdigest()
        score = model.predict(frame.image).score
        rows.append((score, kind == "defect", type_ or None, digest, frame.part_id))
        measures.append(measure(frame.image))
        progress(len(rows), PARTS)
    samples = Samples.of(rows, [None] * len(rows))
    return Gathered(
        source="pictures",
        name="the simulated line",
        samples=samples,
        fingerprint=fingerprint(samples),
        familiar=learn(measures).as_json(),
    )
