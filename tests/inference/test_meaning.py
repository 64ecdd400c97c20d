from __future__ import annotations

from dataclasses import replace

from inference.manifest import Manifest
from inference.meaning import beside, of_file
from inference.modelfile import ModelFile
from inference.spec import Label
from tests.inference.bundles import manifest


def with_labels(version: str = "1.2.3", name: str = "bright", **roles: str) -> Manifest:
    made = manifest(version=version, name=name)
    labels = tuple(Label(label, role) for label, role in roles.items())
    return replace(made, spec=replace(made.spec, output=replace(made.spec.output, labels=labels)))


OURS = with_labels(good="good", defect="defect")


def test_labels_in_another_order_than_in_the_model_file():
    (text,) = of_file(OURS, ModelFile(labels_text="defect\ngood\n"))
    assert "output 0 is 'defect' in the model file and 'good' in the bundle" in text


def test_the_same_order_other_names_and_no_names_contradict_nothing():
    for inside in ("good\ndefect\n", "0\n1\n", "", "defect\ngood\nother"):
        assert of_file(OURS, ModelFile(labels_text=inside)) == []


def test_a_label_that_changes_sides_is_named():
    (text, other) = beside(with_labels(good="defect", defect="good"), OURS)
    assert "'defect' means good here and defect in bright 1.2.3" in text
    assert "'good' means defect here" in other


def test_it_is_named_under_any_name_and_version():
    assert beside(with_labels("7.0.0", "another", good="defect", bad="good"), OURS)


def test_new_labels_need_a_new_major_version():
    more = {"good": "good", "defect": "defect", "stain": "defect"}
    (text,) = beside(with_labels("1.3.0", **more), OURS)
    assert "stain" in text
    assert "major" in text
    assert beside(with_labels("2.0.0", **more), OURS) == []
    assert beside(with_labels("1.3.0", "another", **more), OURS) == []


def test_the_same_labels_in_another_order_are_fine():
    assert beside(with_labels(defect="defect", good="good"), OURS) == []
