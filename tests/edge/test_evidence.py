"""What records name by digest is kept for good."""

import hashlib
import json
from pathlib import Path

import yaml

from edge import bundles, evidence
from edge.config import Config
from tests.appliance.station import config_of, station

CAMERA = {"source": "synthetic", "parts_per_second": 0}


def _config(tmp_path: Path) -> Config:
    return config_of(station(tmp_path, CAMERA))


def test_the_configuration_in_force_and_the_manifest_are_there(
    tmp_path,
) -> None:
    config = _config(tmp_path)
    bundle = bundles.usable(config.model.bundle)[0]
    assert bundle is not None
    evidence.keep(config, bundle)
    kept = tmp_path / "state" / "kept"
    values = yaml.safe_load((kept / "configurations" / f"{config.digest}.yaml").read_bytes())
    again = Config.model_validate(values)
    assert again.digest == config.digest, "the very values that the digest speaks of"
    assert json.loads(config.model_dump_json()) == values
    manifest = (kept / "manifests" / f"{bundle.digest}.yaml").read_bytes()
    assert manifest == (tmp_path / "bright" / "bundle.yaml").read_bytes()
    assert hashlib.sha256(config.model_dump_json().encode()).hexdigest() == config.digest


def test_what_is_there_is_not_written_again(tmp_path) -> None:
    config = _config(tmp_path)
    evidence.keep(config, None)
    (path,) = (tmp_path / "state" / "kept").rglob("*.yaml")
    path.write_text("as it was")
    evidence.keep(config, None)
    assert path.read_text() == "as it was"


def test_a_disk_that_refuses_stops_nothing(tmp_path) -> None:
    config = _config(tmp_path)
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "kept").write_text("in the way")
    evidence.keep(config, bundles.usable(config.model.bundle)[0])
