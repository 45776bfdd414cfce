"""A new head on a frozen VGG16, as a tutorial trains it: what scripts/benchmark compares.

Usage: python scripts/plain_frozen.py FOLDER. The folder has train/, validation/ and test/, each
with a folder for each class. The weights are random, as only the time counts.
"""

import sys
from pathlib import Path

import keras
from keras import layers

SIZE = (96, 96)
EPOCHS = 10
BATCH_SIZE = 32


def pictures(folder: Path, shuffle: bool) -> object:
    return keras.utils.image_dataset_from_directory(
        folder, image_size=SIZE, batch_size=BATCH_SIZE, shuffle=shuffle, seed=0
    ).prefetch(2)


def build(classes: int) -> keras.Model:
    base = keras.applications.VGG16(include_top=False, weights=None, input_shape=(*SIZE, 3))
    base.trainable = False
    image = keras.Input((*SIZE, 3))
    x = keras.applications.vgg16.preprocess_input(image)
    x = layers.GlobalAveragePooling2D()(base(x, training=False))
    x = layers.Dense(128, activation="relu")(x)
    return keras.Model(image, layers.Dense(classes, activation="softmax")(x))


def main() -> None:
    root = Path(sys.argv[1])
    model = build(classes=sum(1 for _ in (root / "train").iterdir()))
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(
        pictures(root / "train", shuffle=True),
        validation_data=pictures(root / "validation", shuffle=False),
        epochs=EPOCHS,
    )
    loss, accuracy = model.evaluate(pictures(root / "test", shuffle=False))
    print(f"test accuracy {accuracy:.4f}, loss {loss:.4f}")


if __name__ == "__main__":
    main()
