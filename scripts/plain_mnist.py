"""The network of configs/mnist_cnn.yaml as a tutorial writes it: what scripts/benchmark compares.

Usage: python scripts/plain_mnist.py [EXAMPLES]. Reads MNIST where mmzoo keeps it.
"""

import gzip
import sys
from pathlib import Path

import keras
import numpy as np
from keras import layers

from mmzoo.data import data_directories

FILES = {
    "train": ("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"),
    "test": ("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"),
}


def load(split: str) -> tuple[np.ndarray, np.ndarray]:
    folder = next(d / "mnist" for d in data_directories() if (d / "mnist").is_dir())
    images, labels = (gzip.decompress(Path(folder / name).read_bytes()) for name in FILES[split])
    x = np.frombuffer(images, np.uint8, offset=16).reshape(-1, 28, 28, 1)
    y = np.frombuffer(labels, np.uint8, offset=8)
    return x.astype("float32") / 255, keras.utils.to_categorical(y, 10)


def build() -> keras.Model:
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(32, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(64, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(64, 3, activation="relu"),
            layers.Flatten(),
            layers.Dense(10, activation="softmax"),
        ]
    )


def main() -> None:
    examples = int(sys.argv[1]) if len(sys.argv) > 1 else 60_000
    x_train, y_train = load("train")
    x_test, y_test = load("test")
    model = build()
    model.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"])
    model.fit(x_train[:examples], y_train[:examples], epochs=5, batch_size=64)
    loss, accuracy = model.evaluate(x_test, y_test)
    print(f"test accuracy {accuracy:.4f}, loss {loss:.4f}")


if __name__ == "__main__":
    main()
