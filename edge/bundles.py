"""From the model section of the configuration to a bundle."""

from __future__ import annotations

from pathlib import Path

import models
from edge import __version__
from edge.config_file import ConfigError
from inference.bundle import Bundle, BundleError, load


def folder(name: str) -> Path:
    """Where a bundle is: a path, or `@name` for one that ships with the appliance.

    Raises ConfigError where there is none.
    """
    if not name.startswith("@"):
        path = Path(name)
        if not path.exists():
            raise ConfigError((), f"model.bundle: {path} is not there")
        return path
    try:
        return models.path(name)
    except models.NoSuchBundle as error:
        raise ConfigError((), f"model.bundle: {error}") from error


def usable(name: str) -> tuple[Bundle | None, str | None]:
    """The bundle, or why it cannot be used: a damaged model must not keep the line from running.

    Raises ConfigError where nothing is at the place named.
    """
    return readable(folder(name))


def readable(path: Path) -> tuple[Bundle | None, str | None]:
    """The bundle in a folder or zip, or why it cannot be used."""
    from camera.familiar import Familiar

    try:
        bundle = load(path, __version__)
        if (familiar := bundle.baseline.get("familiar")) is not None:
            Familiar.from_json(familiar)
    except BundleError as error:
        return None, " ".join(str(error).split())
    except ValueError as error:
        return None, f"the bundle's baseline is damaged: {error}"
    return bundle, None
