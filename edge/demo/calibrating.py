"""The demo calibrates before it decides: simulated parts of another seed, on this very machine."""

from __future__ import annotations

import platform
from collections.abc import Callable

from camera.familiar import learn
from camera.quality import Measures, measure
from camera.simulated.options import SyntheticOptions
from camera.synthetic import SyntheticSource
from edge import bundles, calibrations, cameras
from edge.asking import ask_line
from edge.clock import Clock
from edge.config import Config, SyntheticCamera
from edge.decision.calibration import Targets, calibrate
from edge.demo.station import CALIBRATION_SEED
from edge.standards import Standards
from inference.bundle import load
from inference.interpreter import runtime_name
from inference.worker import Worker

PARTS = 1600
"""Half of them defects, of every type and severity alike."""


def calibration_for(config: Config) -> calibrations.Choice:
    """The calibration that a line with this configuration would find."""
    return Standards(config, load(bundles.folder(config.model.bundle))).choose()


def make_calibration(config: Config, progress: Callable[[int, int], None]) -> None:
    """Score the parts with the line's transform and child, apply the rule, keep the result.

    `progress` hears how many of how many parts are done. Raises CannotCertify, NoPrediction.
    """
    camera = config.camera
    assert isinstance(camera, SyntheticCamera)
    bundle = load(bundles.folder(config.model.bundle))
    options = SyntheticOptions(
        seed=CALIBRATION_SEED,
        width=camera.width,
        height=camera.height,
        defect_rate=0.5,
        limit=PARTS,
    )
    scores: dict[str, list[float]] = {"good": [], "defect": []}
    measures: list[Measures] = []
    worker = Worker(bundle, config.model.threads)
    worker.start()
    try:
        if not worker.wait_ready(20):
            raise RuntimeError(f"the model does not start: {worker.last_fault}")
        source = SyntheticSource(options)
        source.open()
        while (frame := source.read()) is not None:
            assert frame.image is not None
            kind = "good" if frame.truth == "good" else "defect"
            scores[kind].append(worker.predict(frame.image).score)
            measures.append(measure(frame.image))
            progress(len(measures), PARTS)
    finally:
        worker.close()
    _keep(config, bundle.digest, scores, learn(measures).as_json())


def _keep(
    config: Config, digest: str, scores: dict[str, list[float]], familiar: dict[str, object]
) -> None:
    decision = config.decision
    targets = Targets(decision.max_escape, decision.max_overkill, decision.confidence)
    found = calibrate(scores["good"], scores["defect"], targets)
    content = {
        "schema": calibrations.SCHEMA,
        "id": Clock().new_id(),
        "bundle": digest,
        "runtime": runtime_name(),
        "machine": platform.machine(),
        "view": cameras.view(config, cameras.source(config.camera)),
        "accept_below": found.accept_below,
        "reject_above": found.reject_above,
        "confidence": decision.confidence,
        "certified": True,
        "n_good": len(scores["good"]),
        "n_defect": len(scores["defect"]),
        "escape": found.escape.as_json(),
        "overkill": found.overkill.as_json(),
        "by": "demo",
        "reason": f"simulated parts of seed {CALIBRATION_SEED}",
        "familiar": familiar,
    }
    calibrations.write(config.state_dir / "calibrations", content)
    arguments = {"calibration": content["id"], "reason": content["reason"]}
    answer = ask_line(config, "apply_calibration", arguments, "demo")
    if answer is None or not answer["ok"]:
        raise RuntimeError(f"the calibration cannot be applied: {answer}")
