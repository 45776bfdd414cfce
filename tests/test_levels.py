"""Imports point down only, and the source has neither the names nor the calls that we do without.

All of it is read off the tree with `ast`; nothing is imported.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "mmzoo"

LEVELS = (
    {"cli"},
    {"doctor", "inspection", "starter"},
    {"generation", "retrieval", "training", "visualization"},
    {"evaluation", "prediction"},
    {
        "catalogue",
        "decoded_files",
        "fitted_probes",
        "model_summary",
        "single_input_rows",
        "trained_model",
    },
    {"reused_encoders"},
    {"find_runs"},
    {"batches", "model", "preprocessing", "runs"},
    {"config"},
    {"devices", "early_stopping", "rules"},
    {"fusion", "missing_values", "model_graph", "objectives", "train_config"},
    {"heads", "mixing", "optimizers", "probes", "shared_encoders"},
    {"modalities"},
    {"data"},
    {"column_spec", "schedules"},
    {"board", "checkpoint", "feature_cache", "tables", "weights"},
    {"environment", "files", "layers", "metrics", "randomness", "spec", "weighted_loss_model"},
    {"directories", "download", "errors", "lazy", "order", "run_log", "version"},
)
"""The parts of mmzoo. One may import those of the lines below its own, and no others.

Imports that only type checkers see count too. `version` is `mmzoo.__version__`; what else
`mmzoo/__init__.py` and `mmzoo/__main__.py` have stands above everything, and nothing imports it.
"""

FORBIDDEN_NAMES = {"utils", "util", "common", "manager", "helper", "helpers"}
FORBIDDEN_CALLS = {
    # Loading a model from its own description runs what the file says.
    *("load_model", "model_from_json", "from_config", "deserialize_keras_object", "Lambda"),
    *("enable_unsafe_deserialization", "TFSMLayer"),
    *("pickle", "dill", "marshal", "shelve", "joblib"),
    *("eval", "exec", "compile", "__import__", "unsafe_load", "full_load"),
}


@cache
def modules() -> dict[str, ast.Module]:
    """Every module of mmzoo by its dotted name."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        name = ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
        found[name.removesuffix(".__init__")] = ast.parse(path.read_text(encoding="utf-8"))
    return found


def imports(module: str) -> Iterator[str]:
    """The modules of mmzoo that a module imports, at any place."""
    for node in ast.walk(modules()[module]):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: write imports out from mmzoo on"
            # `from mmzoo.spec import load` may name a module or something inside one.
            below = [f"{node.module}.{alias.name}" for alias in node.names]
            names = [name if name in modules() else str(node.module) for name in below]
            if node.module == "mmzoo" and names == ["mmzoo"]:
                names = ["mmzoo.version"]
        else:
            continue
        yield from (name for name in names if name.split(".")[0] == "mmzoo")


def part(module: str) -> str:
    return module.split(".")[1]


def level(name: str) -> int:
    """Counted from the bottom."""
    return next(i for i, parts in enumerate(reversed(LEVELS)) if name in parts)


def parts_of_mmzoo() -> set[str]:
    return {part(module) for module in modules() if module not in ("mmzoo", "mmzoo.__main__")}


def test_every_part_has_one_level():
    listed = [name for parts in LEVELS for name in parts]
    assert len(listed) == len(set(listed))
    assert len(modules()) > 100
    assert parts_of_mmzoo() == set(listed) - {"version"}


@pytest.mark.parametrize("name", sorted(parts_of_mmzoo()))
def test_imports_point_down(name):
    found = {
        (module, imported)
        for module in modules()
        if module.startswith(f"mmzoo.{name}.") or module == f"mmzoo.{name}"
        for imported in imports(module)
        if part(imported) != name and level(part(imported)) >= level(name)
    }
    assert not found


def test_only_packages_and_the_version_are_imported_from_mmzoo_itself():
    """The rest of `mmzoo/__init__.py` is above everything."""
    for module, tree in modules().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module == "mmzoo":
                names = {alias.name for alias in node.names}
                assert all(f"mmzoo.{name}" in modules() for name in names - {"__version__"}), module


def test_no_two_modules_have_the_same_name():
    """A name in a traceback is enough to find the module."""
    names = [path.stem for path in PACKAGE.rglob("*.py") if path.stem != "__init__"]
    assert not [name for name in sorted(set(names)) if names.count(name) > 1]


def test_no_circular_imports():
    graph = {module: set(imports(module)) - {module, "mmzoo.version"} for module in modules()}
    cycle = None
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        cycle = " -> ".join(error.args[1])
    assert cycle is None


def test_only_the_family_imports_a_modality():
    """All other code asks the family or an ability."""
    packages = {
        f"mmzoo.modalities.{path.parent.name}" for path in PACKAGE.glob("modalities/*/__init__.py")
    }
    assert len(packages) >= 4
    for package in packages:
        others = {
            module
            for module in modules()
            if module != "mmzoo.modalities" and not f"{module}.".startswith(f"{package}.")
            for imported in imports(module)
            if f"{imported}.".startswith(f"{package}.")
        }
        assert not others, package


FAMILIES = (
    *("data", "fusion", "heads", "modalities.audio.encoders", "modalities.image.encoders"),
    "modalities.text.encoders",
)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_members_of_a_family_do_not_import_one_another(family):
    """Each can be read and removed on its own."""
    members = {
        module
        for module in imports(f"mmzoo.{family}")
        if module.startswith(f"mmzoo.{family}.") and has_type(module)
    }
    assert members
    for member in members:
        assert not members & set(imports(member)), member


def has_type(module: str) -> bool:
    """Whether a spec of the module can be named in a config by a `type`."""
    return any(
        isinstance(node, ast.AnnAssign)
        and ast.unparse(node.target) == "type"
        and ast.unparse(node.annotation) != "str"  # As in what the members of a family share.
        for node in ast.walk(modules()[module])
    )


def test_keras_and_tensorflow_are_imported_through_lazy_only():
    for module, tree in modules().items():
        if module == "mmzoo.lazy":
            continue
        hidden = {node for top in ast.walk(tree) if is_for_types(top) for node in ast.walk(top)}
        inside = {
            node
            for top in ast.walk(tree)
            if isinstance(top, ast.FunctionDef)
            for node in ast.walk(top)
        }
        for node in ast.walk(tree):
            if node in hidden or not isinstance(node, ast.Import | ast.ImportFrom):
                continue
            roots = {name.split(".")[0] for name in imported_names(node)}
            assert "keras" not in roots, module
            # One function needs what `tf` does not offer.
            assert "tensorflow" not in roots or node in inside, module


def is_for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"


def imported_names(node: ast.Import | ast.ImportFrom) -> list[str]:
    return [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module]


def test_no_meaningless_module_names():
    """No module or class is named `utils`, `common`, `manager` or `helper`."""
    for module, tree in modules().items():
        assert not FORBIDDEN_NAMES & set(module.lower().split(".")), module
        classes = {node.name.lower() for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}
        assert not [name for name in classes if name.endswith(tuple(FORBIDDEN_NAMES))], module


def test_nothing_reads_code_from_files():
    """No pickle, no deserialized model, no evaluated text."""
    for module, tree in modules().items():
        named = {name for node in ast.walk(tree) for name in called_or_imported(node)}
        assert not FORBIDDEN_CALLS & named, module


def called_or_imported(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Call(func=ast.Name(id=name)):
            yield name
        case ast.Call(func=ast.Attribute(attr=name)) if not hasattr(builtins, name):
            yield name  # `model.compile` and `re.compile` are no `compile`.
        case ast.Import(names=aliases):
            yield from (alias.name.split(".")[0] for alias in aliases)
        case ast.ImportFrom(module=module, names=aliases):
            if str(module).startswith("mmzoo."):
                return  # `mmzoo.load_model` builds the model of a config.
            yield str(module).split(".")[0]
            yield from (alias.name for alias in aliases)


@pytest.mark.parametrize(
    "code",
    [
        *("eval('1')", "import pickle", "from pickle import loads", "keras.models.load_model(p)"),
        *("Model.from_config(c)", "from keras.layers import Lambda", "keras.layers.Lambda(f)"),
    ],
)
def test_forbidden_calls_are_found(code):
    named = {name for node in ast.walk(ast.parse(code)) for name in called_or_imported(node)}
    assert FORBIDDEN_CALLS & named


def test_numpy_never_loads_pickles():
    for module, tree in modules().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("np.load", "numpy.load"):
                keywords = {word.arg: ast.unparse(word.value) for word in node.keywords}
                assert keywords.get("allow_pickle") == "False", module
