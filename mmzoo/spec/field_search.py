"""Where an unknown field belongs: a search over all paths of a config for its name or a synonym."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from itertools import takewhile
from operator import eq

from mmzoo.spec.config_node import ConfigNode
from mmzoo.spec.expected_types import ExpectedType
from mmzoo.spec.spec_model import Spec
from mmzoo.spec.wording import KeyPath, dotted, fold, join_or

_FIELDS_WITH_SYNONYMS = {
    "learning_rate": "lr eta base_lr init_lr initial_lr max_lr learningrate learn_rate step_size",
    "batch_size": "batch batchsize bs minibatch mini_batch mini_batch_size train_batch_size",
    "evaluation_batch_size": "eval_batch_size val_batch_size validation_batch_size",
    "epochs": "epoch n_epochs num_epochs nb_epoch nb_epochs max_epochs nepochs num_train_epochs "
    "steps n_steps num_steps max_steps iterations num_iterations max_iter",
    "seed": "random_seed random_state rng manual_seed",
    "optimizer": "optim optimiser opt solver",
    "schedule": "scheduler lr_schedule lr_scheduler learning_rate_schedule lr_policy decay",
    "warmup": "warmup_steps warmup_epochs warmup_ratio",
    "weight_decay": "wd l2 decoupled_weight_decay",
    "momentum": "beta mu",
    "beta_1": "beta1 betas",
    "beta_2": "beta2",
    "epsilon": "eps",
    "clip_norm": "clipnorm grad_clip gradient_clip gradient_clipping max_grad_norm grad_norm "
    "clip_grad_norm gradient_clip_val",
    "clip_value": "clipvalue clip_grad_value",
    "accumulate": "accumulation_steps gradient_accumulation gradient_accumulation_steps grad_accum",
    "early_stopping": "earlystopping early_stop",
    "min_delta": "delta",
    "monitor": "metric early_stopping_metric best_metric",
    "fine_tune": "finetune fine_tuning finetuning unfreeze",
    "precision": "mixed_precision amp fp16 bf16 half dtype",
    "ema": "moving_average ema_decay",
    "checkpoint_seconds": "save_every save_freq checkpoint_every",
    "keep_decoded": "cache cache_images",
    "classes": "num_classes n_classes nb_classes class_count num_labels n_labels",
    "class_weights": "class_weight classweights pos_weight",
    "class_names": "classnames label_names",
    "column": "label labels target targets label_column target_column y",
    "columns": "features feature_columns",
    "label_smoothing": "smoothing",
    "focal_gamma": "focal",
    "normalize": "standardize normalise normalization scale rescale",
    "shape": "image_size img_size size input_size input_shape resolution target_size",
    "augment": "augmentation augmentations data_augmentation transforms transform",
    "encoder": "backbone architecture arch model network net base_model",
    "trainable": "freeze frozen requires_grad",
    "weights": "pretrained pre_trained pretrained_weights",
    "length": "max_len maxlen max_length sequence_length seq_len seq_length max_tokens",
    "vocabulary_size": "vocab_size vocab num_words max_features vocabulary max_words",
    "dim": "embedding_dim embed_dim embedding_size embedding hidden_size d_model",
    "units": "hidden_units hidden_layers layers hidden_layer_sizes dense neurons",
    "dropout": "dropout_rate drop drop_rate",
    "num_heads": "n_heads nhead attention_heads",
    "kernel_size": "kernel ksize kernelsize",
    "filters": "channels out_channels",
    "rate": "sample_rate sampling_rate sr samplerate",
    "seconds": "duration clip_length",
    "bins": "n_mels num_mels mels n_mel",
    "hop": "hop_length hop_size",
    "window": "n_fft win_length",
    "path": "data_path csv file filename data_file data_folder folder directory root dataset_path "
    "train_path",
    "source": "data dataset dataset_name",
    "separator": "sep delimiter",
    "split": "splits data_split train_test_split",
    "validation": "val validation_split val_split valid val_size validation_size val_fraction "
    "validation_fraction",
    "test": "test_size test_split test_fraction",
    "inputs": "input input_features",
    "heads": "head output outputs output_features",
    "fusion": "combiner fuse",
    "train": "trainer training",
    "mixing": "mixup_alpha",
    "threshold": "cutoff",
}
_SYNONYMS = {
    fold(word): field for field, words in _FIELDS_WITH_SYNONYMS.items() for word in words.split()
}
"""A word of other tools -> our field."""
_OPTIONS = {
    **dict.fromkeys(
        ("device", "devices", "gpu", "gpus", "cuda", "accelerator", "use_gpu"), "--device gpu"
    ),
    **dict.fromkeys(
        ("run", "run_dir", "output_dir", "save_dir", "log_dir", "checkpoint_dir", "logdir"),
        "--run DIR",
    ),
    **dict.fromkeys(("resume", "resume_from", "resume_from_checkpoint"), "--resume"),
    **dict.fromkeys(("folds", "n_folds", "k_folds", "cv", "kfold", "n_splits"), "--fold all/K"),
}
"""Words that name an option of `mmzoo train`, not a field."""
_MAX_SUGGESTED = 3
_MAX_DEPTH = 8
_SIMILAR = 0.85


@dataclass(frozen=True)
class _Place:
    """A field that the config has or may have."""

    path: KeyPath
    node: ConfigNode
    in_type: str = ""
    """The `type` that would have to be chosen first; empty if the field can be set as it is."""
    is_off: bool = False
    """Whether it is in an optional section, such as early stopping, that the config leaves out."""


def suggest_field(
    top: ConfigNode, path: KeyPath, value: object = None, *, similar: bool = False
) -> str:
    """Where an unknown field belongs, as the end of a message; "" if there is no such field.

    `; did you mean 'train.epochs'?`, for `epochs`, `n_epochs` and `train.optimizer.n_epochs`.

    Args:
        top: the whole config.
        path: the unknown field.
        value: its value: `{lr: 0.1}` at `optimizer` means `optimizer.lr`.
        similar: look for similar names, not for the same and synonyms.
    """
    words = [str(step) for step in path]
    while isinstance(value, dict) and len(value) == 1:
        [(word, value)] = value.items()
        words.append(word)
    places = [*_places(top)]
    for word in dict.fromkeys((words[-1], str(path[-1]))):
        if found := _find(places, word, words[:-1], path, similar):
            return f"; did you mean {join_or([*map(_quoted, found.items())])}?"
        if option := _OPTIONS.get(fold(word)):
            return f"; it is an option of the command: {option}"
        if written := _as_type(places, word):
            return f"; write {written}"
    return ""


def find_fields(cls: type[Spec], values: object, word: str) -> list[str]:
    """The dotted paths of the fields that a word means: `train.epochs`, for `n_epochs`.

    Args:
        cls: the spec of a whole config.
        values: of the config, or an empty mapping.
        word: a name or a synonym.
    """
    places = [*_places(ConfigNode(ExpectedType(cls), (), values))]
    return [dotted(path) for path in _find(places, word, [], (), similar=False)]


def find_below(top: ConfigNode, path: KeyPath, name: str) -> str:
    """The dotted path of a field in a section of its own: `source.split.test`, for `source.test`.

    Args:
        top: the whole config.
        path: where the field does not exist.
        name: the name of the field.
    """
    inner = (
        place.path
        for place in _places(top)
        if place.path[:-2] == path and place.path[-1] == name and not place.in_type
    )
    return dotted(found) if (found := next(inner, ())) else ""


def _quoted(found: tuple[KeyPath, list[str]]) -> str:
    path, types = found
    return f"'{dotted(path)}'{f' (of type {join_or(types)})' if any(types) else ''}"


def _find(
    places: list[_Place], word: str, before: list[str], path: KeyPath, similar: bool
) -> dict[KeyPath, list[str]]:
    """The closest places that a word means, in each section -> the types that would have it."""
    meant = {fold(word), _meaning(word)}
    found = [
        place
        for place in places
        if (_is_similar(word, place) if similar else fold(str(place.path[-1])) in meant)
    ]
    context = {fold(one) for one in before} | {_meaning(one) for one in before}

    def distance(place: _Place) -> tuple[int, bool, bool, int]:
        steps = {fold(str(step)) for step in place.path}
        shared = sum(1 for _ in takewhile(bool, map(eq, place.path, path)))
        return -len(context & steps), bool(place.in_type), place.is_off, -shared

    if not found:
        return {}
    nearest = min(map(distance, found))
    best = [place for place in found if distance(place) == nearest]
    shortest = {
        section: min(len(place.path) for place in best if place.path[0] == section)
        for section in {place.path[0] for place in best}
    }
    types: dict[KeyPath, list[str]] = {}
    for place in best:
        if len(place.path) == shortest[place.path[0]]:
            types.setdefault(place.path, []).append(place.in_type)
    return dict([*types.items()][:_MAX_SUGGESTED])


def _meaning(word: str) -> str:
    return _SYNONYMS.get(fold(word), fold(word))


def _is_similar(word: str, place: _Place) -> bool:
    field = fold(str(place.path[-1]))
    return SequenceMatcher(None, fold(word), field).ratio() >= _SIMILAR


def _as_type(places: list[_Place], word: str) -> str:
    """`train.optimizer: {type: sgd}`, for `sgd`; empty if no field has such a type."""
    found = [
        f"`{dotted(place.path)}: {{type: {kind}}}`"
        for place in places
        if not place.in_type
        for kind in _family(place.node)
        if fold(kind) == fold(word)
    ]
    return join_or(found[:_MAX_SUGGESTED]) if found else ""


def _family(node: ConfigNode) -> dict[str, type[Spec]]:
    return {name: spec for member in node.expected.members for name, spec in member.family.items()}


def _places(
    node: ConfigNode, in_type: str = "", is_off: bool = False, depth: int = 0
) -> Iterator[_Place]:
    """All fields below a node: of the config as it is, of defaults, and of types to choose."""
    for inner, kind in _specs(node):
        if in_type and kind:
            continue
        spec, needed = inner.expected.spec, in_type or kind
        for name in spec.model_fields if spec else _steps(inner.value):
            child = inner.child(name)
            if child is None or name == "type":
                continue
            if spec:
                yield _Place(child.path, child, needed, is_off)
            if depth < _MAX_DEPTH:
                off = is_off or (child.has_default and child.default is child.value is None)
                yield from _places(child, needed, off, depth + 1)


def _steps(value: object) -> Iterable[str | int]:
    """The keys of a mapping, or the indices of a list."""
    return (
        value if isinstance(value, dict) else range(len(value) if isinstance(value, tuple) else 0)
    )


def _specs(node: ConfigNode) -> Iterator[tuple[ConfigNode, str]]:
    """The node as each spec, mapping or list that it may be, and the `type` that this requires."""
    family = _family(node)
    if not family:
        for member in node.expected.members:
            if member.is_mapping() or member.is_list():
                yield replace(node, expected=member), ""
        return
    given = node.value.get("type") if isinstance(node.value, dict) else None
    chosen = given if given in family else getattr(node.default, "type", None)
    for name, spec in family.items():
        inner = replace(node, expected=ExpectedType(spec))
        if name == chosen or len(family) == 1:
            yield inner, ""
        else:
            yield replace(inner, value=None), name
