"""mmzoo: a Keras model zoo and a training command. One YAML file describes one experiment.

The public API is eleven functions:

    config = mmzoo.load_config("configs/mnist_cnn.yaml", ["train.epochs=1"])
    run = mmzoo.train(config)
    metrics = mmzoo.evaluate(run)
    rows = mmzoo.predict(run, ["digit.png"])
    index = mmzoo.embed(run, split="test")
    found = mmzoo.search(run, index, "digit.png")
    named = mmzoo.zero_shot(run, "cat.png", classes=["a cat", "a dog"])
    model = mmzoo.load_model(run)
    untrained = mmzoo.build_model(config)
    ensemble = mmzoo.ensemble([run, "runs/mnist_lenet"], "average")
    baselines = mmzoo.train_baselines(run, config)

`train`, `evaluate`, `predict` and `build_model` also take a table in memory as `data`: a pandas or
polars DataFrame, or arrays by column name. All are imported on first use: `import mmzoo` is fast.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from mmzoo.run_log import configure_logging

if TYPE_CHECKING:
    from mmzoo.config import load_config as load_config
    from mmzoo.evaluation.ensemble import ensemble as ensemble
    from mmzoo.evaluation.evaluate_run import evaluate as evaluate
    from mmzoo.prediction import predict as predict
    from mmzoo.retrieval.embedding import embed as embed
    from mmzoo.retrieval.vector_search import search as search
    from mmzoo.retrieval.vector_search import zero_shot as zero_shot
    from mmzoo.trained_model import build_model as build_model
    from mmzoo.trained_model import load_model as load_model
    from mmzoo.training.baselines import train_baselines as train_baselines
    from mmzoo.training.train import train as train

__version__ = "0.1.0"

configure_logging()

_PUBLIC = {
    "build_model": "mmzoo.trained_model",
    "embed": "mmzoo.retrieval.embedding",
    "ensemble": "mmzoo.evaluation.ensemble",
    "evaluate": "mmzoo.evaluation.evaluate_run",
    "load_config": "mmzoo.config",
    "load_model": "mmzoo.trained_model",
    "predict": "mmzoo.prediction",
    "search": "mmzoo.retrieval.vector_search",
    "train": "mmzoo.training.train",
    "train_baselines": "mmzoo.training.baselines",
    "zero_shot": "mmzoo.retrieval.vector_search",
}


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'mmzoo' has no attribute {name!r}")
    return getattr(import_module(_PUBLIC[name]), name)


def __dir__() -> list[str]:
    return [*globals(), *_PUBLIC]
