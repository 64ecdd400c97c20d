"""Trains the network of the shipped bundle and makes it int8:

    python -m models.training.train WORK_FOLDER
    python -m models.training.train NEXT_FOLDER --from WORK_FOLDER/rings.keras

writes rings.tflite and training.json to the folder. The second form goes on from a trained network
with more parts, more gently: that is how a next version is made. The same seeds give the same
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

from camera.simulated.options import DEFECT_TYPES
from models.training.evaluate import auroc
from models.training.pictures import CELLS, LABELS, MORE, SIDE, TRAIN, VALIDATION, pictures

SEED = 20261120
EPOCHS = 12
BATCH = 32
PEAK_RATE = 2e-3
NEXT_EPOCHS, NEXT_RATE = 8, 7e-4
SMOOTHING = 0.06
"""Keeps the scores of sure parts apart: an int8 softmax has 256 steps, and without it most good
parts would share the lowest."""
PLACES_WEIGHT = 20.0
TOUCHED_WEIGHT = 6.0
"""Few cells have a flaw: each of those counts as much as this many others."""


def network() -> Any:
    """96×96 RGB, 0..255, to the flaws' places (12, 12, 4) as logits and to five probabilities.

    The places are only there to learn from: told where a flaw is, the network finds in three
    epochs what it does not find in ten from the label alone. Maxima over the picture find a small
    flaw anywhere, the mean sees the whole.
    """
    layers = tf.keras.layers
    inputs = layers.Input((SIDE, SIDE, 3))
    x = layers.Rescaling(1 / 64.0, offset=-2.0)(inputs)
    for width, stride in ((16, 2), (32, 2), (32, 1), (48, 2), (48, 1)):
        x = layers.Conv2D(width, 3, stride, "same", use_bias=False)(x)
        x = layers.BatchNormalization(momentum=0.9)(x)
        x = layers.ReLU()(x)
    rare = tf.keras.initializers.Constant(-4.0)
    places = layers.Conv2D(len(DEFECT_TYPES), 1, bias_initializer=rare, name="places")(x)
    seen = [
        layers.Flatten()(layers.MaxPooling2D(CELLS)(places)),
        layers.Flatten()(layers.MaxPooling2D(CELLS)(x)),
        layers.Flatten()(layers.AveragePooling2D(CELLS)(x)),
    ]
    label = layers.Dense(len(LABELS), "softmax", name="label")(layers.Concatenate()(seen))
    return tf.keras.Model(inputs, [places, label])


def _places_loss(true: Any, logits: Any) -> Any:
    true = tf.cast(true, tf.float32)
    each = tf.nn.weighted_cross_entropy_with_logits(true, logits, TOUCHED_WEIGHT)
    return PLACES_WEIGHT * tf.reduce_mean(each)


def trained(folder: Path, epochs: int, parent: Path | None) -> tuple[Any, dict[str, Any]]:
    """The trained float network, picture to probabilities, and the facts of the run."""
    tf.keras.utils.set_random_seed(SEED)
    share, peak = (TRAIN, PEAK_RATE) if parent is None else (MORE, NEXT_RATE)
    train, seen = pictures(share, folder), pictures(VALIDATION, folder)
    model = network()
    if parent is not None:
        model.set_weights(tf.keras.models.load_model(parent).get_weights())
    steps = epochs * (len(train.x) // BATCH)
    rate = tf.keras.optimizers.schedules.CosineDecay(
        1e-4, steps, 0.01, warmup_target=peak, warmup_steps=steps // 10
    )
    model.compile(
        tf.keras.optimizers.AdamW(rate, weight_decay=1e-3),
        {
            "places": _places_loss,
            "label": tf.keras.losses.CategoricalCrossentropy(label_smoothing=SMOOTHING),
        },
    )
    answers = {"places": train.where, "label": np.eye(len(LABELS), dtype=np.float32)[train.y]}
    began = time.monotonic()
    for epoch in range(epochs):
        model.fit(train.x, answers, batch_size=BATCH, verbose=0)
        score = 1 - model.predict(seen.x, verbose=0, batch_size=256)[1][:, 0]
        value = auroc(score[seen.y == 0], score[seen.y > 0])
        seconds = round(time.monotonic() - began)
        print(f"epoch {epoch + 1}: validation AUROC {value:.4f}, {seconds} s", flush=True)
    return tf.keras.Model(model.input, model.get_layer("label").output), {
        "tensorflow": tf.__version__,
        "epochs": epochs,
        "seed": SEED,
        "seconds": seconds,
        "validation_auroc_float": round(value, 4),
        "weights": int(model.count_params()),
    }


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
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--from", dest="parent", type=Path, help="rings.keras of an earlier run")
    given = parser.parse_args()
    given.work.mkdir(parents=True, exist_ok=True)
    epochs = given.epochs or (EPOCHS if given.parent is None else NEXT_EPOCHS)
    model, run = trained(given.work, epochs, given.parent)
    model.save(given.work / "rings.keras")
    share = TRAIN if given.parent is None else MORE
    (given.work / "rings.tflite").write_bytes(quantised(model, pictures(share, given.work).x[:400]))
    (given.work / "training.json").write_text(json.dumps(run, indent=1) + "\n")


if __name__ == "__main__":
    main()
