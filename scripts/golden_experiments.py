"""The experiments of scripts/golden: of each a config, and what is done with it, step by step.

A step is a command line of mmzoo, in a folder that holds config.yaml. Before it may stand `!` for
one that is to be refused, and KILL for one that is killed in the midst of it; `SAMPLE FILE N`
writes every Nth row of a table in MMZOO_DATA_DIR.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

Config = dict[str, Any]
REAL = os.environ.get("MMZOO_DATA_DIR", "")

TRAIN = "train config.yaml --run run"
EVAL = "eval run"

# What the experiments are put together from.
PHOTO = {"type": "image", "shape": [16, 16, 3], "encoder": {"type": "cnn", "filters": [4]}}
TITLE = {"type": "text", "length": 8, "encoder": {"type": "embedding", "dim": 6}}
SOUND = {
    "type": "audio",
    "rate": 4_000,
    "seconds": 0.1,
    "spectrogram": {"type": "log_mel", "bins": 12},
    "encoder": {"type": "cnn", "filters": [4], "units": [6]},
}
FACTS = {
    "type": "tabular",
    "columns": {"size": "number", "grams": "auto", "brand": "category", "made": "date"},
    "encoder": {"type": "mlp", "units": [6]},
}
ALL = {"photo": PHOTO, "title": TITLE, "facts": FACTS}
KIND = {"kind": {"type": "classification"}}
TASKS = {
    **KIND,
    "sold": {"type": "binary", "missing": "ignore"},
    "tags": {"type": "multilabel", "missing": "ignore"},
    "price": {"type": "regression", "missing": "ignore"},
}


def table(name: str, **fields: Any) -> Config:
    return {"type": "table", "path": f"../data/{name}", **fields}


def real(name: str, **fields: Any) -> Config:
    """Some rows of a table in MMZOO_DATA_DIR, as SAMPLE writes them."""
    return {"type": "table", "path": "sample.csv", "media_root": f"{REAL}/{name}", **fields}


def config(source: Config, inputs: Config, heads: Config, /, **others: Any) -> Config:
    train = {"epochs": 1, "batch_size": 16, **others.pop("train", {})}
    parts = {"source": source, "inputs": inputs, "heads": heads, "train": train}
    return {"name": "golden", **parts, **others}


def optimizer(name: str, schedule: str = "constant", **fields: Any) -> Config:
    return {"optimizer": {"type": name, "schedule": {"type": schedule, **fields}}}


def with_(input: Config, **fields: Any) -> Config:
    return {**input, **fields}


def trainings(field: str, values: Sequence[str]) -> list[str]:
    return [f"train config.yaml --run {value} --set {field}={value}" for value in values]


NESTEROV = {"optimizer": {"type": "sgd", "nesterov": True, "clip_norm": 1.0}}
DIGITS = {"type": "image", "shape": [8, 8, 1], "encoder": {"type": "cnn", "padding": "same"}}
AUGMENT = ["shift", "rotation", "zoom", "erasing", "contrast", "brightness", "shear"]
COLOURS = ["flip", "crop", "randaugment", "hue", "saturation", "sharpness", "trivialaugment"]
LEARNED = {"missing": "learned", "modality_dropout": 0.3}

EXPERIMENTS: dict[str, tuple[Config, list[str]]] = {
    # The longest ones come first, so that no worker is left with one of them at the end.
    "fusions": (
        config(table("shop.csv", split={"column": "part"}), ALL, KIND, fusion={"units": [6]}),
        trainings(
            "fusion.type",
            ["average", "conv", "film", "cross_attention"],
        ),
    ),
    "decision": (
        config(
            table("shop.parquet"),
            {"title": TITLE, "facts": FACTS},
            {**KIND, "tags": {"type": "multilabel"}},
            fusion={"type": "decision"},
            train=optimizer("adam", "constant", warmup=0.3),
        ),
        [
            *trainings("fusion.combine", ["average", "weighted", "product", "max", "vote"]),
            "eval weighted --modalities",
        ],
    ),
    "baselines": (
        config(
            table("shop.csv", on_duplicate="drop"),
            {"photo": PHOTO, "sound": with_(SOUND, encoder={"type": "gru", "units": [4]})},
            KIND,
            fusion={"type": "concat", "units": [6], "dropout": 0.2, "auxiliary_loss": 0.3},
        ),
        [f"{TRAIN} --baselines", f"{EVAL} --modalities --robustness"],
    ),
    "ensemble": (
        config(table("shop.csv.gz"), {"title": TITLE}, {**KIND, "price": {"type": "regression"}}),
        [
            *trainings("train.split_seed=0 --set train.seed", ["1", "2", "3"]),
            "eval 1 2 --ensemble average --output average",
            "eval 1 2 3 --ensemble weighted --output weighted",
            "eval 1 2 3 --ensemble stacking --output stacking",
            "eval 1 2 --ensemble average --output newer --data ../data/newer.csv",
        ],
    ),
    "missing": (
        config(
            table("holes.csv", on_bad_row="skip"),
            {
                "photo": with_(PHOTO, **LEARNED, missing_files="absent"),
                "title": with_(TITLE, **LEARNED),
                "facts": with_(FACTS, modality_dropout=0.2),
            },
            KIND,
            fusion={"type": "gated", "dim": 6},
            train=optimizer("sgd"),
        ),
        [
            TRAIN,
            f"{EVAL} --modalities --robustness",
            "predict run --data ../data/new.csv --output said.csv",
            f"{EVAL} --data ../data/newer.csv",
        ],
    ),
    "tasks": (
        config(
            table("holes.csv", on_bad_row="skip"),
            {
                "title": with_(TITLE, missing="empty", encoder={"type": "gru", "units": [6]}),
                "facts": with_(FACTS, encoder={"type": "mlp", "missing_indicator": True}),
            },
            TASKS,
            fusion={"type": "attention", "dim": 8, "num_heads": 2, "attention_dropout": 0.1},
            objective={"type": "supervised", "weights": "uncertainty"},
            train={"monitor": "validation_loss", "epochs": 2, **optimizer("adamw")},
        ),
        [TRAIN, EVAL, f"{EVAL} --data ../data/newer.csv", "predict run --data ../data/new.csv"],
    ),
    "not_shared": (
        config(
            table("shop.csv"),
            {"title": TITLE, "facts": FACTS},
            {**KIND, "price": {"type": "regression", "loss": "mean_absolute_error"}},
            share=False,
            fusion={"type": "weighted", "dim": 6},
        ),
        [TRAIN, f"{EVAL} --modalities"],
    ),
    "shared_encoder": (
        config(
            table("shop.csv"),
            {
                "photo": PHOTO,
                "again": {
                    "type": "image",
                    "column": "photo",
                    "augment": [{"type": "flip"}],
                    "encoder": {"type": "shared", "input": "photo"},
                },
            },
            {"sold": {"type": "binary", "loss": "focal", "threshold": 0.4}},
            fusion={"type": "tensor", "dim": 4},
        ),
        [TRAIN, EVAL],
    ),
    "fine_tune": (
        config(
            table("shop.csv", split={"validation": 0.2, "test": 0.2}),
            {
                "photo": with_(
                    PHOTO, shape=[32, 32, 3], encoder={"type": "squeezenet", "weights": "none"}
                ),
                "title": TITLE,
            },
            KIND,
            fusion={"type": "bilinear", "dim": 6, "rank": 2},
            train={"fine_tune": {"epochs": 1, "layers": 2, "learning_rate": 1e-4}},
        ),
        [TRAIN, "predict run --data ../data/new.csv --output said.parquet"],
    ),
    "frozen_copies": (
        config(
            {"type": "folder", "path": "../data/photos"},
            {
                "file": with_(
                    PHOTO,
                    shape=[32, 32, 3],
                    resize="pad",
                    augment=[{"type": name} for name in COLOURS],
                    encoder={"type": "mobilenet", "weights": "none", "alpha": 0.25},
                )
            },
            {"label": {"type": "classification"}},
            train={"frozen_features": {"copies": 2, "dtype": "float16"}},
        ),
        [TRAIN, "predict run ../data/photos/cup/*.png --top 2", f"{EVAL} --data ../data/photos"],
    ),
    "image": (
        config(
            {"type": "dataset", "name": "digits"},
            {"image": with_(DIGITS, augment=[{"type": name} for name in AUGMENT])},
            {"digit": {"type": "classification", "label_smoothing": 0.1}},
            probes=["svm", {"type": "knn", "neighbours": 3}, "logistic"],
            train={
                "epochs": 2,
                "batch_size": 64,
                "mixing": {"type": "mixup"},
                "ema": 0.9,
                **optimizer("adamw", "cosine", warmup=0.1),
            },
        ),
        [TRAIN, f"{EVAL} --robustness --split validation", "predict run ../data/photos/hat/*.png"],
    ),
    "words": (
        config(
            table("shop_semicolon.csv", separator=";", encoding="windows-1252"),
            {"title": with_(TITLE, encoder={"type": "attention", "dim": 6, "units": [4]})},
            {"kind": {"type": "classification", "loss": "focal", "class_weights": "auto"}},
            train=optimizer("adagrad", "exponential"),
        ),
        [
            TRAIN,
            f"{EVAL} --robustness",
            f"{EVAL} --data ../data/newer.parquet",
            "predict run --data ../data/new.jsonl --output said.jsonl --checkpoint last",
        ],
    ),
    "characters": (
        config(
            table("shop.jsonl"),
            {
                "title": with_(
                    TITLE,
                    length="auto",
                    tokens="characters",
                    punctuation="keep",
                    encoder={
                        "type": "transformer",
                        "dim": 8,
                        "num_heads": 2,
                        "hidden": 8,
                        "blocks": 1,
                    },
                )
            },
            {"tags": {"type": "multilabel", "label_smoothing": 0.1}},
            train={"epochs": 2, **optimizer("lion", "one_cycle")},
        ),
        [TRAIN, EVAL],
    ),
    "sounds": (
        config(
            {"type": "folder", "path": "../data/sounds", "suffixes": [".wav"]},
            {
                "file": with_(
                    SOUND,
                    spectrogram={"type": "mfcc", "bins": 12, "coefficients": 6},
                    augment=[{"type": "noise"}, {"type": "time_shift"}],
                    masking={},
                )
            },
            {"label": {"type": "classification", "one_hot": True, "class_weights": {"cup": 2.0}}},
            train={"epochs": 3, **optimizer("rmsprop", "step", epochs=[1, 2])},
        ),
        [TRAIN, f"{EVAL} --robustness", "predict run ../data/sounds/cup/*.wav --output said.csv"],
    ),
    "facts": (
        config(
            table("shop.parquet", fold={"index": 2, "of": 4}),
            {
                "facts": with_(
                    FACTS,
                    columns={
                        "size": "number",
                        "grams": "number",
                        "brand": "auto",
                        "seen": "datetime",
                    },
                    normalize="quantile",
                    encoder={"type": "mlp", "batch_norm": True, "dropout": 0.2},
                )
            },
            {"price": {"type": "regression", "loss": "huber"}},
            probes=["ridge", "knn"],
            train={"epochs": 4, **optimizer("adam", "plateau", patience=1, min_delta=0.9)},
        ),
        [TRAIN, f"{EVAL} --robustness"],
    ),
    "folds": (
        config(
            {"type": "dataset", "name": "breast_cancer"},
            {"cells": {"type": "tabular", "normalize": "minmax"}},
            {"diagnosis": {"type": "binary", "loss": "hinge"}},
            probes=["logistic"],
            train=optimizer("sgd", "cosine", floor=0.1),
        ),
        ["train config.yaml --fold all/3 --json", f"{TRAIN} --fold 2/4"],
    ),
    "diabetes": (
        config(
            {"type": "dataset", "name": "diabetes"},
            {"patient": {"type": "tabular"}},
            {"progression": {"type": "regression"}},
            train={"epochs": 6, "early_stopping": {"patience": 1, "min_delta": 0.5}},
        ),
        [TRAIN, EVAL],
    ),
    "bad_rows": (
        config(
            table("bad.csv", on_bad_row="skip", on_duplicate="drop", split={"column": "part"}),
            {"photo": PHOTO, "facts": FACTS},
            {**KIND, "price": {"type": "regression", "normalize": False}},
        ),
        [
            "check config.yaml --data",
            TRAIN,
            f"{EVAL} --data ../data/bad.csv --on-bad-row skip",
            "predict run --data ../data/bad.csv --on-bad-row skip --output said.csv",
            "!train config.yaml --run none --set source.on_duplicate=error",
            "!train config.yaml --run none --set source.on_bad_row=error",
        ],
    ),
    "init": (
        {},
        [
            "init ../data/shop.csv --target kind,price --output shop.yaml",
            "init ../data/holes.csv --target tags --output holes.yaml",
            "init ../data/sounds --output sounds.yaml",
            "check shop.yaml --data",
            "train shop.yaml --run run --set train.epochs=1 --set inputs.photo.shape=[16,16,3]",
        ],
    ),
    "synthetic": (
        config(
            {"type": "synthetic"},
            {"image": with_(DIGITS, shape=[12, 12, 3])},
            {"thing": {"type": "classification", "classes": 4, "loss": "mean_squared_error"}},
            train={"mixing": {"type": "cutmix"}, "accumulate": 2, **NESTEROV},
        ),
        [TRAIN, "train config.yaml --smoke", "eval run --split train"],
    ),
    "resume": (
        config(
            {"type": "dataset", "name": "digits"},
            {"image": with_(DIGITS, augment=[{"type": "shift"}, {"type": "rotation"}])},
            {"digit": {"type": "classification"}},
            train={"epochs": 4, "batch_size": 8, "checkpoint_seconds": 0, **optimizer("adam")},
        ),
        [TRAIN, "KILL train config.yaml --run killed", "train config.yaml --run killed --resume"],
    ),
    "real_pairs": (
        config(
            {"type": "av_digits", "pairs": {"train": 64, "validation": 20, "test": 40}},
            {
                "image": with_(PHOTO, shape=[28, 28, 1]),
                "audio": with_(SOUND, rate=8_000, seconds=1, normalize="example"),
            },
            {"digit": {"type": "classification", "column": "label"}},
            fusion={"type": "film", "dim": 6, "modulated": "image", "blocks": 1},
        ),
        [TRAIN, f"{EVAL} --modalities"],
    ),
    "real_questions": (
        config(
            real("easy_vqa"),
            {
                "image": with_(PHOTO, shape=[32, 32, 3]),
                "question": with_(TITLE, encoder={"type": "lstm", "dim": 6, "units": [6]}),
            },
            {"label_name": {"type": "classification"}},
            fusion={"type": "cross_attention", "dim": 8, "num_heads": 2},
        ),
        ["SAMPLE easy_vqa/train.csv 40", TRAIN, EVAL],
    ),
    "real_reviews": (
        config(
            real("text", split={"folds": "fold"}, fold={"index": 3, "of": 10}),
            {"text": with_(TITLE, encoder={"type": "cnn", "dim": 6, "filters": 4})},
            {"label_name": {"type": "binary", "class_names": ["negative", "positive"]}},
        ),
        ["SAMPLE text/mr.csv 40", TRAIN, f"{EVAL} --robustness"],
    ),
}
