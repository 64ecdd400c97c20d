"""Trains the network of the shipped bundle and makes it int8:

    python -m models.training.train WORK_FOLDER

writes WORK_FOLDER/rings.tflite and WORK_FOLDER/training.json. The same seeds give the same
pictures; the weights differ a little between machines, since sums run in another order.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from models.training.evaluate import auroc
from models.training.pictures import LABELS, SIDE, TRAIN, VALIDATION, pictures

SEED = 20261120
EPOCHS = 14
BATCH = 64
PEAK_RATE = 2e-3
SMOOTHING = 0.06
"""Keeps the scores of sure parts apart: an int8 softmax has 256 steps, and without it most good
parts would share the lowest."""


def network() -> Any:
    """96×96 RGB, 0..255, to five probabilities; about 80,000 weights.

    The last maximum over the picture finds a small defect anywhere, the mean sees the whole.
    """
    layers = tf.keras.layers
    inputs = layers.Input((SIDE, SIDE, 3))
    x = layers.Rescaling(1 / 255.0)(inputs)
    for width, stride in ((16, 2), (32, 2), (32, 1), (48, 2), (48, 1), (64, 2)):
        x = layers.Conv2D(width, 3, stride, "same", use_bias=False)(x)
        x = layers.BatchNormalization(momentum=0.95)(x)
        x = layers.ReLU()(x)
    largest = layers.Flatten()(layers.MaxPooling2D(SIDE // 16)(x))
    mean = layers.Flatten()(layers.AveragePooling2D(SIDE // 16)(x))
    x = layers.Dropout(0.2)(layers.Concatenate()([largest, mean]))
    return tf.keras.Model(inputs, layers.Dense(len(LABELS), "softmax")(x))


def trained(folder: Path, epochs: int) -> tuple[Any, dict[str, Any]]:
    """The trained float network and what is worth knowing about the run."""
    tf.keras.utils.set_random_seed(SEED)
    x, y = pictures(TRAIN, folder)
    seen_x, seen_y = pictures(VALIDATION, folder)
    model = network()
    steps = epochs * (len(x) // BATCH)
    rate = tf.keras.optimizers.schedules.CosineDecay(
        1e-4, steps, 0.01, warmup_target=PEAK_RATE, warmup_steps=steps // 10
    )
    model.compile(
        tf.keras.optimizers.AdamW(rate, weight_decay=1e-3),
        tf.keras.losses.CategoricalCrossentropy(label_smoothing=SMOOTHING),
    )
    began = time.monotonic()
    for epoch in range(epochs):
        model.fit(_batches(x, y), verbose=0)
        good = model.predict(seen_x, verbose=0, batch_size=256)[:, 0]
        value = auroc(1 - good[seen_y == 0], 1 - good[seen_y > 0])
        print(
            f"epoch {epoch + 1}: validation AUROC {value:.4f}, {time.monotonic() - began:.0f} s",
            flush=True,
        )
    return model, {
        "tensorflow": tf.__version__,
        "epochs": epochs,
        "seed": SEED,
        "seconds": round(time.monotonic() - began),
        "validation_auroc_float": round(value, 4),
        "weights": int(model.count_params()),
    }


def _batches(x: np.ndarray, y: np.ndarray) -> Any:
    data = tf.data.Dataset.from_tensor_slices((x, tf.one_hot(y, len(LABELS))))
    return data.shuffle(len(x), seed=SEED).batch(BATCH, drop_remainder=True).prefetch(2)


def quantised(model: Any, samples: np.ndarray) -> bytes:
    """The network as a fully int8 TFLite file with uint8 input and output."""

    def representative() -> Iterator[list[np.ndarray]]:
        for sample in samples:
            yield [sample[None].astype(np.float32)]

    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = representative
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = tf.uint8
    converter.inference_output_type = tf.uint8
    return bytes(converter.convert())


def main() -> None:
    """Train, quantise, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("work", type=Path, help="folder for pictures and results")
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    given = parser.parse_args()
    given.work.mkdir(parents=True, exist_ok=True)
    model, run = trained(given.work, given.epochs)
    model.save(given.work / "rings.keras")
    (given.work / "rings.tflite").write_bytes(
        quantised(model, pictures(TRAIN, given.work)[0][:400])
    )
    (given.work / "training.json").write_text(json.dumps(run, indent=1) + "\n")


if __name__ == "__main__":
    main()
