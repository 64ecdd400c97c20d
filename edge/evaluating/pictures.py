"""Labelled pictures as cases: scored as on the line, with what their files say to slice by."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime, tzinfo
from pathlib import Path

from camera.decode import decode
from camera.frame import Frame
from camera.quality import measure
from edge.calibrating.scoring import Progress, Shape, fitting, score_folder
from edge.evaluating.cases import UNKNOWN, Cases, Gathering, family, quarters
from edge.evaluating.slices import TYPE
from edge.inspection import Model, shown

TAGS = (TYPE, "brightness", "view", "family", "hour")
"""What pictures are sliced by when nothing else is asked for."""


def picture_cases(
    folder: Path, shape: Shape, model: Model, zone: tzinfo, progress: Progress
) -> Cases:
    """Every labelled picture below `folder`, each part once; `progress` hears of two passes.

    What is left out is named, as in a calibration. Raises Unusable, OSError.
    """
    gathered = score_folder(folder, shape, model, progress)
    samples, found = gathered.samples, Gathering()
    levels: list[float | None] = []
    for row, path in enumerate(samples.pictures):
        assert path is not None
        kind = int(samples.type_of[row])
        defect = bool(samples.defect[row])
        tags = noted(path, zone)
        if defect:
            tags[TYPE] = samples.types[kind] if kind >= 0 else UNKNOWN
        if samples.parts[row] is not None:
            tags["family"] = family(samples.parts[row])
        found.add(float(samples.scores[row]), defect, tags, picture=path)
        levels.append(brightness(path, shape))
        progress(row + 1, len(samples.pictures))
    for row_tags, name in zip(found.tags, quarters(levels), strict=True):
        row_tags["brightness"] = name
    return found.cases(gathered.left_out, gathered.doubtful)


def brightness(path: Path, shape: Shape | None = None) -> float | None:
    """The mean grey level of what the model is shown; None where the picture is gone."""
    try:
        image, _ = decode(path.read_bytes())
    except OSError:
        return None
    if image is None:
        return None
    setup = None if shape is None else fitting(image, shape.setup)
    if setup is not None:
        picture, _ = shown(Frame(image, 0, 0.0, 0), setup)
        image = image if picture is None else picture
    return measure(image).brightness


def noted(path: Path, zone: tzinfo) -> dict[str, str]:
    """View, hour and tags from the file that `camera capture` writes beside a picture."""
    try:
        note = json.loads(path.with_suffix(".json").read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    if not isinstance(note, dict):
        return {}
    tags = note.get("tags")
    found = (
        {str(name): str(value) for name, value in tags.items()} if isinstance(tags, dict) else {}
    )
    if isinstance(note.get("view"), str):
        found["view"] = note["view"][:12]
    elif "source" in note:
        text = json.dumps(note["source"], sort_keys=True)
        found["view"] = hashlib.sha256(text.encode()).hexdigest()[:12]
    if (taken := hour(note.get("captured_at"), zone)) is not None:
        found["hour"] = taken
    return found


def hour(utc: object, zone: tzinfo) -> str | None:
    """The hour of day at the station, `06 h`; None where this is no time."""
    try:
        moment = datetime.fromisoformat(str(utc).replace("Z", "+00:00"))
    except ValueError:
        return None
    return f"{moment.astimezone(zone):%H} h"
