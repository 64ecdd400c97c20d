"""The bundles that ship with the appliance."""

from __future__ import annotations

from pathlib import Path

_FOLDER = Path(__file__).parent
MANIFEST = "bundle.yaml"


class NoSuchBundle(LookupError):
    """No bundle of this name ships with the appliance. The message lists those that do."""


def names() -> list[str]:
    """The shipped bundles' names, sorted. In a configuration each is written as "@NAME"."""
    return sorted(manifest.parent.name for manifest in _FOLDER.glob(f"*/{MANIFEST}"))


def path(name: str) -> Path:
    """The folder of a shipped bundle, named with or without the "@". Raises NoSuchBundle."""
    plain = name.removeprefix("@")
    if plain not in names():
        known = ", ".join(f"@{known}" for known in names()) or "none"
        raise NoSuchBundle(f"no shipped bundle is called {plain!r}; there are: {known}")
    return _FOLDER / plain
