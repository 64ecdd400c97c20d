"""Whether a new bundle means by its labels what the model file and the bundle in force mean. Pure.

Nothing else would notice: with good and defect exchanged a model is as sure as before.
"""

from __future__ import annotations

from inference.manifest import Manifest
from inference.modelfile import ModelFile


def of_file(manifest: Manifest, file: ModelFile) -> list[str]:
    """How the bundle's labels contradict those inside the model file; empty where there are none,
    or other names altogether, which somebody gave on purpose."""
    inside = [line.strip() for line in file.labels_text.splitlines() if line.strip()]
    ours = [label.name for label in manifest.spec.output.labels]
    if inside == ours or set(inside) != set(ours):
        return []
    at = next(i for i, pair in enumerate(zip(inside, ours, strict=False)) if pair[0] != pair[1])
    return [
        f"output {at} is {inside[at]!r} in the model file and {ours[at]!r} in the bundle: the same"
        " labels in another order"
    ]


def beside(manifest: Manifest, active: Manifest) -> list[str]:
    """How its labels contradict those of the bundle that it would replace.

    A label of the same name has the same role. Two versions with the same name and `major` have
    the same labels.
    """
    ours = {label.name: label.role for label in manifest.spec.output.labels}
    theirs = {label.name: label.role for label in active.spec.output.labels}
    found = [
        f"the label {name!r} means {ours[name]} here and {theirs[name]} in {active.name}"
        f" {active.version}, which is in force"
        for name in sorted(ours.keys() & theirs.keys())
        if ours[name] != theirs[name]
    ]
    same = manifest.name == active.name and _major(manifest) == _major(active)
    if not found and same and ours.keys() != theirs.keys():
        changed = ", ".join(sorted(ours.keys() ^ theirs.keys())[:5])
        found.append(
            f"version {manifest.version} says that its labels are those of {active.version}, and"
            f" they differ ({changed}): that needs a new major version"
        )
    return found


def _major(manifest: Manifest) -> str:
    return manifest.version.partition(".")[0]
