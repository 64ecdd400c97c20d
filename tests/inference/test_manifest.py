from __future__ import annotations

from dataclasses import replace

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.manifest import Manifest, from_yaml, to_yaml
from inference.spec import NAMED_SCALINGS, Label, ModelSpec, OutputSpec, Scaling
from tests.inference.bundles import manifest, spec
from tests.inference.test_preprocess import specs

TEXT = to_yaml(manifest(provenance={"colour": "guessed", "labels": "read"}))

THREE = [{"a": "good"}, {"b": "defect"}, {"c": "defect"}]


def changed(**values):
    """TEXT with some values replaced, by path with `__` between the steps."""
    content = yaml.safe_load(TEXT)
    for path, value in values.items():
        *steps, last = path.split("__")
        place = content
        for step in steps:
            place = place[step]
        if value is None:
            del place[last]
        else:
            place[last] = value
    return yaml.safe_dump(content)


@settings(deadline=None)
@given(specs())
def test_every_input_comes_back_from_its_text(given_spec):
    before = manifest()
    before = replace(before, spec=ModelSpec(given_spec, before.spec.output))
    after, problems = from_yaml(to_yaml(before))
    assert problems == []
    assert after == before


label_names = st.text(
    st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters="\x85\u2028\u2029"),
    min_size=1,
)


@given(st.lists(label_names, min_size=2, max_size=30, unique=True))
def test_every_label_comes_back_from_its_text(names):
    labels = (Label(names[0], "good"), *(Label(name, "defect") for name in names[1:]))
    before = Manifest(
        "x", "1.0.0", ModelSpec(spec("float32").input, OutputSpec("softmax", "float32", labels))
    )
    assert from_yaml(to_yaml(before)) == (before, [])


def test_labels_that_look_like_other_yaml_values_stay_text():
    labels = (Label("no", "good"), Label("1", "defect"), Label("null", "other"))
    before = replace(
        manifest("float32"),
        spec=ModelSpec(spec("float32").input, OutputSpec("softmax", "float32", labels)),
    )
    after, _ = from_yaml(to_yaml(before))
    assert after is not None
    assert after.spec.output.labels == labels


def test_scalings_have_their_names_in_the_text():
    assert yaml.safe_load(TEXT)["input"]["scaling"] == "raw"
    for name, scaling in NAMED_SCALINGS.items():
        given_spec = replace(spec("float32").input, scaling=scaling)
        text = to_yaml(replace(manifest(), spec=ModelSpec(given_spec, spec("float32").output)))
        assert yaml.safe_load(text)["input"]["scaling"] == name


def test_free_means_and_deviations_can_be_written():
    text = changed(input__scaling={"mean": [1.5], "std": [2, 3, 4]})
    after, problems = from_yaml(text)
    assert problems == []
    assert after is not None
    assert after.spec.input.scaling == Scaling((1.5,), (2.0, 3.0, 4.0))


def test_guessed_fields_are_listed():
    after, _ = from_yaml(TEXT)
    assert after is not None
    assert after.guessed == ("colour",)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"name": "No Spaces"}, "name: 'No Spaces'"),
        ({"version": 1.0}, "version: 1.0"),
        ({"schema": "bundle/9"}, "schema: 'bundle/9'"),
        ({"frobnicate": 1}, "frobnicate: unknown"),
        ({"deadline_ms": -1}, "deadline_ms: -1"),
        ({"deadline_ms": float("nan")}, "deadline_ms: nan"),
        ({"input": None}, "input: missing"),
        ({"input__height": 0}, "input.height: 0"),
        ({"input__height": True}, "input.height: True"),
        ({"input__colour": "cmyk"}, "input.colour: 'cmyk' is none of rgb, bgr, grey"),
        ({"input__dtype": "float16"}, "input.dtype: 'float16'"),
        ({"input__quantisation__scale": 0}, "input.quantisation.scale: must be greater"),
        ({"input__quantisation__zero_point": 200}, "input.quantisation.zero_point: 200"),
        ({"input__scaling": "sideways"}, "input.scaling: 'sideways'"),
        ({"input__scaling": {"mean": [1, 2], "std": [1]}}, "input.scaling"),
        ({"input__scaling": {"mean": [1], "std": [0]}}, "input.scaling"),
        ({"input__colour": "grey", "input__scaling": "imagenet"}, "input.scaling"),
        ({"output__labels": []}, "output.labels: missing"),
        ({"output__labels": [{"a": "good"}, {"a": "defect"}]}, "labels[1]: 'a' is there twice"),
        ({"output__labels": [{"a": "good"}, {"b": "nice"}]}, "labels[1]: 'nice'"),
        ({"output__labels": [{"a": "good"}, {"b": "good"}]}, "one not good"),
        ({"output__labels": [{"a": "defect"}, {"b": "other"}]}, "declared good"),
        ({"output__kind": "sigmoids", "output__labels": [{"a": "good"}]}, "declared defect"),
        ({"output__kind": "sigmoid", "output__labels": THREE}, "needs two labels, not 3"),
        ({"provenance__colour": "dreamt"}, "provenance.colour: 'dreamt'"),
    ],
)  # fmt: skip
def test_each_mistake_is_named_with_its_place(values, words):
    found, problems = from_yaml(changed(**values))
    assert found is None
    assert any(words in problem for problem in problems), problems


def test_all_mistakes_come_at_once():
    text = changed(name="?", input__height=0, output__kind="relu", lineage=[1])
    assert len(from_yaml(text)[1]) == 4


@pytest.mark.parametrize("text", ["", "[1, 2]", "a: [", "\t", "!!python/object:os.system {}"])
def test_what_is_no_mapping_is_a_problem_and_no_crash(text):
    found, problems = from_yaml(text)
    assert found is None
    assert problems


def test_one_quantisation_for_floats_is_a_mistake():
    text = to_yaml(manifest("float32"))
    content = yaml.safe_load(text)
    content["input"]["quantisation"] = {"scale": 1, "zero_point": 0}
    assert from_yaml(yaml.safe_dump(content))[1] == ["input.quantisation: float32 has none"]
