"""Which bundle a command means: a path, `@NAME`, or one of the station's own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from edge.cli.errors import FAILED, USAGE, fail

if TYPE_CHECKING:
    from edge.config import Config
    from inference.bundle import Bundle


def bundle_at(name: str) -> Bundle:
    """The bundle of this path or @NAME; ends the command with words where there is none."""
    import models
    from edge import __version__
    from inference.bundle import BundleError, load

    try:
        return load(models.path(name) if name.startswith("@") else Path(name), __version__)
    except models.NoSuchBundle as error:
        fail(str(error), "edge-inspect model list", USAGE)
    except BundleError as error:
        fail(str(error), error.hint, USAGE if error.code == "missing" else FAILED)


def own_word(name: str) -> bool:
    """Whether this names one of the station's own bundles: `active`, `candidate`, `b` …; something
    of that name in this folder comes first."""
    from edge.rollout.looking import WORDS

    return name in WORDS and not Path(name).exists()


def own_bundle(settings: Config, word: str) -> tuple[Bundle, str | None, str]:
    """The station's bundle of this name, the calibration it decides by, and its slot; ends the
    command where there is none."""
    from edge.rollout.looking import calibration_of, folder, slot_of, standing
    from edge.store.owner import become_owner

    become_owner(settings.state_dir)
    found = standing(settings)
    slot = slot_of(found, word)
    path = None if slot is None else folder(settings, slot)
    if slot is None or path is None or not path.exists():
        fail(f"there is no {word} model here", "edge-inspect model show", USAGE)
    return bundle_at(str(path)), calibration_of(found, slot), slot
