"""From the configuration to a bundle: a damaged one must not keep the line from running."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.bundles import folder, usable
from edge.config_file import ConfigError
from tests.inference import bundles


def test_a_sound_bundle_is_usable(tmp_path: Path) -> None:
    made = bundles.make(tmp_path)
    found, why = usable(str(made.root))
    assert why is None
    assert found is not None
    assert found.digest == made.digest


@pytest.mark.parametrize("name", ["/nowhere/at/all", "@no-such-bundle"])
def test_nothing_at_the_place_named_is_a_wrong_configuration(name: str) -> None:
    with pytest.raises(ConfigError, match=r"model\.bundle"):
        folder(name)
    with pytest.raises(ConfigError):
        usable(name)


def test_a_damaged_bundle_says_why_in_one_line(tmp_path: Path) -> None:
    made = bundles.make(tmp_path)
    (made.root / "bundle.yaml").write_text("name: [")
    found, why = usable(str(made.root))
    assert found is None
    assert why
    assert "\n" not in why


def test_a_damaged_familiar_range_is_a_damaged_bundle(tmp_path: Path) -> None:
    made = bundles.make(tmp_path)
    (made.root / "hashes.json").unlink()
    (made.root / "baseline.json").write_text('{"familiar": {"count": 1}}')
    found, why = usable(str(made.root))
    assert found is None
    assert why is not None
    assert "baseline" in why
