from __future__ import annotations

import os
import random
from concurrent.futures import ThreadPoolExecutor

import pytest

from inference import probe as probe_module
from inference.probe import probe
from inference.suitability import Refused
from tests.simulators.tflite import bright_is_good, nonsense, passing


@pytest.mark.parametrize("dtype", ["float32", "int8", "uint8"])
def test_a_classifier_is_described_and_answers(dtype):
    found = probe(bright_is_good(dtype))
    assert found.input.shape == (1, 8, 8, 3)
    assert found.output.shape == (1, 2)
    assert len(found.answers) == (7 if dtype == "float32" else 5)
    assert all(abs(answer.sum() - 1) < 0.02 for answer in found.answers)
    assert found.answers[0][0, 0] < 0.01 < 0.99 < found.answers[2][0, 0]


@pytest.mark.parametrize(
    ("model", "code"),
    [
        (bright_is_good(activation="none"), "logits"),
        (bright_is_good("int8", activation="none"), "logits"),
        (nonsense(), "nonsense"),
        (passing((1, 8, 8, 3), (1, 2), operator="edgetpu-custom-op"), "custom_operator"),
        (passing((1, 8, 8, 3), (1, 2), operator=0), "cannot_load"),
        (b"hello, this is text", "not_tflite"),
        (b"", "not_tflite"),
    ],
    ids=["logits", "logits8", "nan", "custom", "broken", "text", "empty"],
)
def test_what_cannot_be_used_is_refused_by_name(model, code):
    with pytest.raises(Refused) as caught:
        probe(model)
    assert [reason.code for reason in caught.value.reasons] == [code]


def damaged(seed: int) -> bytes:
    chance = random.Random(seed)
    content = bytearray(bright_is_good(chance.choice(["int8", "float32"])))
    for _ in range(chance.randint(1, 6)):
        content[chance.randrange(8, len(content))] = chance.randrange(256)
    return bytes(content)


@pytest.mark.slow
def test_damaged_files_never_end_this_process(monkeypatch):
    monkeypatch.setattr(probe_module, "PATIENCE_S", 5.0)
    before = len(os.listdir("/proc/self/fd"))

    def outcome(seed: int) -> str:
        try:
            probe(damaged(seed))
        except Refused as refused:
            return refused.reasons[0].code
        return "fine"

    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(outcome, range(60)))
    assert len(found) == 60
    assert {"fine"} < set(found)
    assert len(os.listdir("/proc/self/fd")) <= before
