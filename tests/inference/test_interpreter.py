from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from inference.interpreter import CannotRun, Interpreter, runtime_name
from tests.simulators.tflite import bright_is_good, passing


@pytest.mark.parametrize(("dtype", "bright"), [("float32", 1.0), ("int8", 127), ("uint8", 255)])
def test_runs_a_model_of_each_type(dtype, bright):
    interpreter = Interpreter(bright_is_good(dtype))
    detail = interpreter.inputs[0]
    assert (detail.shape, detail.dtype) == ((1, 8, 8, 3), dtype)
    output = interpreter.run(np.full(detail.shape, bright, dtype))
    real = output.astype(float)
    if dtype != "float32":
        assert interpreter.outputs[0].scale == 1 / 256
        real = (real - interpreter.outputs[0].zero_point) / 256
    assert real[0].tolist() == pytest.approx([1.0, 0.0], abs=0.005)


def test_an_unknown_operator_cannot_run_and_is_named():
    with pytest.raises(CannotRun, match="fake-op-double"):
        Interpreter(passing((1, 3), (1, 3), operator="fake-op-double"))


def test_a_wrong_tensor_cannot_run():
    interpreter = Interpreter(bright_is_good())
    with pytest.raises(CannotRun):
        interpreter.run(np.zeros((1, 9, 8, 3), np.float32))


def test_the_name_is_known_without_loading_the_runtime():
    code = (
        "import sys; from inference.interpreter import runtime_name; print(runtime_name());"
        "assert not {'ai_edge_litert', 'tflite_runtime'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == runtime_name()
    name, version = runtime_name().split()
    assert name in ("litert", "tflite-runtime")
    assert version[0].isdigit()
