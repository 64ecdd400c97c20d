"""`edge-inspect model prove` with bundles that are not what they should be."""

from __future__ import annotations

import io
import json
import shutil
import stat
import zipfile
from pathlib import Path
from typing import Any

import cv2
import pytest
from typer.testing import CliRunner

import models
from edge.cli.model import app
from inference import bundle as bundles
from inference import files
from inference.bundle import Bundle
from tests.conftest import SOAK
from tests.inference.bundles import BRIGHT_PICTURE, make, manifest
from tests.simulators.damaged_models import damage
from tests.simulators.tflite import bright_is_good

STORM = 500
RUN = STORM if SOAK else 24
"""So many of them are run."""


def prove(path: object, code: int = 4, *options: str) -> Any:
    done = CliRunner().invoke(app, ["prove", str(path), *options])
    assert done.exit_code == code, (done.output, done.exception)
    return done


def refused(path: object) -> tuple[str, str]:
    """Code and words of the first failure, as JSON says them; people hear the same."""
    told = json.loads(prove(path, 4, "--json").stdout)
    assert told["ok"] is False
    first = told["failures"][0]
    spoken = prove(path, 4)
    assert first["code"] in spoken.output
    return first["code"], first["text"]


@pytest.fixture
def made(tmp_path: Path) -> Bundle:
    pictures = {"a.png": (cv2.imencode(".png", BRIGHT_PICTURE)[1].tobytes(), 0.0)}
    return bundles.write(tmp_path / "bright", manifest(), bright_is_good("int8"), pictures)


def packed(folder: Path, **more: bytes) -> Path:
    path = folder.with_suffix(".zip")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                archive.write(file, file.relative_to(folder))
        for name, content in more.items():
            archive.writestr(name, content)
    return path


def test_a_sound_one_is_proved_from_a_folder_and_a_zip(made: Bundle) -> None:
    for path in (made.root, packed(made.root)):
        told = json.loads(prove(path, 0, "--json").stdout)
        assert told["ok"] is True
        assert told["digest"] == made.digest
        assert told["notes"] == []
    spoken = prove(made.root, 0).stdout
    assert "1 golden pictures, largest difference" in spoken
    assert spoken.endswith("  ok\n")


def test_an_empty_golden_set_is_said(tmp_path: Path) -> None:
    assert "note no_golden: no golden pictures" in prove(make(tmp_path).root, 0).stdout


def test_a_model_alone_is_no_bundle(tmp_path: Path) -> None:
    path = tmp_path / "x.tflite"
    path.write_bytes(bright_is_good())
    assert "model wrap" in prove(path).output
    assert refused(path)[0] == "unreadable"


@pytest.mark.parametrize("keep", [0.0, 0.3, 0.9, 0.999])
def test_a_zip_that_was_cut_off(made: Bundle, keep: float) -> None:
    path = packed(made.root)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * keep)])
    code, text = refused(path)
    assert code == "unreadable"
    assert "not a sound zip" in text


def test_a_zip_with_damage_anywhere_is_refused_or_the_same_bundle(made: Bundle) -> None:
    path = packed(made.root)
    data = path.read_bytes()
    refusals = 0
    for number in range(60):
        path.write_bytes(damage(data, number))
        done = CliRunner().invoke(app, ["prove", str(path), "--json"])
        assert done.exit_code in (0, 4), (number, done.output, done.exception)
        told = json.loads(done.stdout)
        refusals += not told["ok"]
        # what was damaged may be a date in the list of files, which nobody needs
        assert told["ok"] is (told["digest"] == made.digest)
        assert told["ok"] or told["failures"][0]["text"]
    assert refusals > 30


@pytest.mark.parametrize(
    "name",
    ["../outside", "golden/../../outside", "/etc/outside", "golden/..\\outside", "golden/../a.png"],
)
def test_names_that_lead_out_of_it(made: Bundle, name: str) -> None:
    code, text = refused(packed(made.root, **{name: b"x"}))
    assert code == "unsafe"
    assert "leads out of it" in text


def test_a_link_in_a_zip(made: Bundle) -> None:
    path = packed(made.root)
    link = zipfile.ZipInfo("golden/b.png")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(link, "/etc/passwd")
    code, text = refused(path)
    assert code == "unsafe"
    assert "a link or a device" in text


def test_a_link_in_a_folder_that_leads_out_of_it(made: Bundle) -> None:
    (made.root / "golden" / "b.png").symlink_to("/etc/passwd")
    code, text = refused(made.root)
    assert code == "unsafe"
    assert "lies outside" in text


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_the_same_name_twice(made: Bundle) -> None:
    code, text = refused(packed(made.root, **{"model.tflite": b"another"}))
    assert code == "unsafe"
    assert "is twice" in text


def test_a_bomb_is_not_unpacked(made: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    path = packed(made.root, **{"golden/bomb": bytes(3 * 2**20)})
    assert path.stat().st_size < 2**16
    monkeypatch.setattr(files, "LARGEST_BUNDLE", 2**20)
    monkeypatch.setattr(zipfile.ZipFile, "open", lambda *_: pytest.fail("was unpacked"))
    code, text = refused(path)
    assert code == "oversized"
    assert "unpacks to more than" in text


def test_a_bomb_that_lies_about_its_size(made: Bundle) -> None:
    path = packed(made.root, **{"golden/bomb": bytes(3 * 2**20)})
    data = path.read_bytes()
    lied = data.replace((3 * 2**20).to_bytes(4, "little"), (100).to_bytes(4, "little"))
    assert lied != data
    path.write_bytes(lied)
    assert refused(path)[0] == "unreadable"


def test_a_list_of_files_without_end(made: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    many = {f"golden/{number:040}": b"" for number in range(100)}
    path = packed(made.root, **many)
    monkeypatch.setattr(files, "LARGEST_INDEX", 4096)
    monkeypatch.setattr(zipfile, "ZipFile", lambda *_: pytest.fail("was read"))
    assert refused(path)[0] == "oversized"


def test_a_locked_zip_and_one_of_another_kind(made: Bundle) -> None:
    path = packed(made.root)
    data = bytearray(path.read_bytes())
    for at in (i for i in range(len(data) - 4) if data[i : i + 4] == b"PK\1\2"):
        data[at + 8] |= 1  # encrypted
    path.write_bytes(data)
    assert refused(path)[0] == "unreadable"
    path.write_bytes(b"Rar!\x1a\x07\x00" + bytes(100))
    assert refused(path)[0] == "unreadable"


def test_too_much_to_read_in_a_folder(made: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    with (made.root / "golden" / "huge.png").open("wb") as sparse:
        sparse.truncate(2**31)
    code, text = refused(made.root)
    assert code == "oversized"
    assert "bytes in" in text


@pytest.mark.slow
def test_five_hundred_damaged_models_are_refused_before_they_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the hashes that the bundle carries: half of them would load and answer all but right."""
    shutil.copytree(models.path("@rings"), tmp_path / "rings")
    content = (tmp_path / "rings" / "model.tflite").read_bytes()
    monkeypatch.setattr("inference.proof.prove", lambda *_, **__: pytest.fail("it ran"))
    for number in range(STORM):
        (tmp_path / "rings" / "model.tflite").write_bytes(damage(content, number))
        told = json.loads(prove(tmp_path / "rings", 4, "--json").stdout)
        assert told["failures"][0]["code"] == "changed"
        assert "model.tflite: not the bytes that were packed" in told["failures"][0]["text"]


def storm(folder: Path, numbers: range) -> tuple[int, int]:
    """Bundles made of damaged models, as if nothing were wrong: how many are refused, and pass."""
    shutil.copytree(models.path("@rings"), folder / "rings")
    (folder / "rings" / "hashes.json").unlink()
    content = (folder / "rings" / "model.tflite").read_bytes()
    tolerance = bundles.load(folder / "rings").golden.tolerance
    passed = 0
    for number in numbers:
        (folder / "rings" / "model.tflite").write_bytes(damage(content, number))
        done = CliRunner().invoke(app, ["prove", str(folder / "rings"), "--json"])
        assert done.exit_code in (0, 4), (number, done.output, done.exception)
        told = json.loads(done.stdout)
        assert told["ok"] is (done.exit_code == 0)
        if told["ok"]:  # only with every golden picture scored, and scored as expected
            passed += 1
            assert told["golden"] == 8
            assert told["golden_worst"] <= tolerance
        else:
            assert told["failures"][0]["code"]
            assert told["failures"][0]["text"], number
    return len(numbers) - passed, passed


@pytest.mark.slow
def test_damaged_models_without_hashes_are_for_runtime_and_golden_set(tmp_path: Path) -> None:
    refusals, passed = storm(tmp_path, range(RUN))
    assert refusals > RUN // 4
    assert passed > RUN // 4  # which is why bundles carry hashes


def test_progress_goes_to_standard_error(made: Bundle) -> None:
    assert json.loads(prove(made.root, 0, "--json").stdout)["ok"] is True
    assert io.StringIO(prove(made.root, 0).stdout).readline().startswith("bright 1.2.3 with")
