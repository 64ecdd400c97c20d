"""500 real pictures through the whole line with each real model: order, chain, and the same scores.

    python benchmarks/real_models.py [DATA]

DATA has `tflite/`, `pictures/` and `deeppcb/`; without it this says so and does nothing. The
scores are compared with a loop that calls the interpreter on the same preprocessed input. The
pictures are the files there, and seeded crops of the photographs up to 500.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[1])  # this folder has a sync.py of its own

import cv2
import numpy as np

from edge.store.archive import Archive
from inference.bundle import load
from inference.interpreter import Interpreter
from inference.preprocess import Preprocessor

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
COUNT = 500
TEN = "airplane automobile bird cat deer dog frog horse ship truck"
CONFIG = """
station: {{site: real, line: photos, name: station}}
state_dir: {state}
camera: {{source: folder, path: {photos}}}
model: {{bundle: {bundle}}}
storage: {{images: none}}
"""


def main() -> None:
    """Every model in the folder, one after the other."""
    data = Path(sys.argv[1]) if len(sys.argv) > 1 else DATA
    if not (data / "tflite").is_dir():
        print(f"skipped: no {data / 'tflite'}")
        return
    with tempfile.TemporaryDirectory(prefix="edge-inspect-real-") as scratch:
        folder = Path(scratch)
        photos = make_photos(data, folder / "photos")
        for model in sorted((data / "tflite").glob("*.tflite")):
            try_model(model, photos, folder / model.stem)


def make_photos(data: Path, out: Path) -> Path:
    """500 JPEGs, named in order."""
    out.mkdir()
    whole = [cv2.imread(str(path)) for path in sorted((data / "pictures").glob("*.[bj][mp]*"))]
    scans = [cv2.imread(str(path)) for path in sorted((data / "deeppcb").glob("*/*.jpg"))]
    pictures = [picture for picture in (*whole, *scans) if picture is not None]
    chosen = random.Random(1)
    while len(pictures) < COUNT:
        picture = whole[len(pictures) % len(whole)]
        assert picture is not None
        height, width = picture.shape[:2]
        tall, wide = chosen.randint(height // 3, height), chosen.randint(width // 3, width)
        top, left = chosen.randint(0, height - tall), chosen.randint(0, width - wide)
        pictures.append(picture[top : top + tall, left : left + wide])
    for number, picture in enumerate(pictures[:COUNT]):
        assert cv2.imwrite(str(out / f"{number:04d}.jpg"), picture)
    return out


def try_model(model: Path, photos: Path, folder: Path) -> None:
    """Wrap, run, verify, compare; or the words of the refusal."""
    folder.mkdir()
    bundle = folder / "bundle"
    wrapped = command("model", "wrap", str(model), "--out", str(bundle), *labels(model, folder))
    if wrapped.returncode:
        print(f"refused  {model.stem}: {wrapped.stderr.strip().splitlines()[-1].strip()}")
        return
    config = folder / "edge-inspect.yaml"
    config.write_text(CONFIG.format(state=folder / "state", photos=photos, bundle=bundle))
    ran = command("run", "--config", str(config))
    verified = command("results", "--verify", "--config", str(config))
    count, ordered, worst = compare(folder, bundle, photos)
    fine = not ran.returncode and not verified.returncode and ordered and count == COUNT
    word = "ok      " if fine and worst <= 1e-6 else "FAILED  "
    print(f"{word} {model.stem}: {count} in order, chain verified, worst difference {worst:g}")


def labels(model: Path, folder: Path) -> list[str]:
    """The options that a person would give: what is good does not matter here."""
    names = folder / "labels.txt"
    if "vww" in model.stem:
        names.write_text("good\ndefect\n")
        return ["--labels", str(names)]
    if "cifar10" in model.stem:
        names.write_text(TEN.replace(" ", "\n"))
        return ["--labels", str(names), "--good", "cat", "--rest", "defect"]
    if model.stem.endswith("_meta"):
        return ["--good", "tabby", "--rest", "defect"]
    imagenet = str(model.with_name("imagenet_labels.txt"))
    return ["--labels", imagenet, "--good", "tiger cat", "--rest", "defect"]


def compare(folder: Path, bundle: Path, photos: Path) -> tuple[int, bool, float]:
    """How many were scored, whether in order, and the largest difference of a score."""
    loaded = load(bundle)
    interpreter, preprocess = Interpreter(loaded.model), Preprocessor(loaded.spec.input)
    good = np.array([label.role == "good" for label in loaded.spec.output.labels])
    output = loaded.spec.output
    worst, files = 0.0, []
    for record in inspections(folder / "state" / "line.db"):
        files.append(record["tags"]["file"])
        picture = cv2.imread(str(photos / files[-1]))
        raw = interpreter.run(preprocess(picture)).reshape(-1).astype(np.float64)
        shares = (raw - output.zero_point) * output.scale if output.scale else raw
        worst = max(worst, abs(record["score"] - (1 - shares[good].sum())))
    return len(files), files == sorted(files), worst


def inspections(path: Path) -> Iterator[dict]:  # type: ignore[type-arg]
    """Every inspection of a journal."""
    with Archive(path) as archive:
        for row in archive.inspections(0, COUNT + 1):
            yield json.loads(row.body)


def command(*words: str) -> subprocess.CompletedProcess[str]:
    """`edge-inspect` with these words."""
    whole = [sys.executable, "-m", "edge", *words]
    return subprocess.run(whole, capture_output=True, text=True, check=False)


if __name__ == "__main__":
    main()
