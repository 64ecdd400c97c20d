"""Labelled pictures of the simulated line as files, for a demo in which models come and go.

They are stored without loss: a compressed picture gives another score, and a new model's cuts must
be worked out from what the line shows it.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import cv2

from camera.simulated.options import SyntheticOptions
from camera.synthetic import SyntheticSource
from edge.config_cameras import SyntheticCamera
from edge.demo.station import CALIBRATION_SEED
from edge.files import write_atomically

PARTS = 640
DEFECTS = 0.6
"""Their share: defects decide how much can be accepted."""


def write_labelled(
    folder: Path, camera: SyntheticCamera, progress: Callable[[int, int], None]
) -> None:
    """Write good/ and defect/TYPE/ below a folder, which is there whole or not at all.

    About 400 MB and half a minute. Raises OSError.
    """
    if folder.exists():
        return
    draft = folder.with_name(f".{folder.name}")
    shutil.rmtree(draft, ignore_errors=True)
    options = SyntheticOptions(
        seed=CALIBRATION_SEED,
        width=camera.width,
        height=camera.height,
        defect_rate=DEFECTS,
        limit=PARTS,
    )
    source = SyntheticSource(options)
    source.open()
    done = 0
    while (frame := source.read()) is not None:
        assert frame.image is not None
        assert frame.part_id is not None
        place = draft / (frame.truth or "good")
        place.mkdir(parents=True, exist_ok=True)
        written, data = cv2.imencode(".png", frame.image, [cv2.IMWRITE_PNG_COMPRESSION, 1])
        assert written
        write_atomically(place / f"{frame.part_id}.png", data.tobytes(), durable=False)
        note = {"schema": "captured/1", "part_id": f"calibration {frame.part_id}"}
        (place / f"{frame.part_id}.json").write_text(json.dumps(note))
        done += 1
        progress(done, PARTS)
    draft.rename(folder)
