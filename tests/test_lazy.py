"""Light imports, and the lazily imported public functions."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

import mmzoo
from mmzoo.lazy import keras, quiet_stderr

HEAVY = ("tensorflow", "keras", "numpy", "matplotlib", "sklearn", "scipy", "polars", "PIL", "h5py")
PACKAGE = Path(mmzoo.__file__).parent
COMMANDS = sorted(
    f"mmzoo.cli.{path.stem}" for path in (PACKAGE / "cli").glob("*.py") if path.stem != "__init__"
)
LIGHT = [
    *("mmzoo", "mmzoo.cli", *COMMANDS),
    *("mmzoo.config", "mmzoo.catalogue", "mmzoo.spec", "mmzoo.runs", "mmzoo.board"),
]
"""Modules imported by `mmzoo --help`, `check`, `list`, `schema`, `data` and config errors."""


def run(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error", *arguments, "-c", code]
    return subprocess.run(command, capture_output=True, text=True)


def test_quick_commands_have_light_imports():
    assert len(COMMANDS) > 8
    code = f"""
import importlib, json, sys
found = {{}}
for module in {LIGHT}:
    importlib.import_module(module)
    found[module] = [name for name in {HEAVY} if name in sys.modules]
print(json.dumps(found))
"""
    done = run(code)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {module: [] for module in LIGHT}


@pytest.mark.parametrize("package", ["mmzoo", "mmzoo.cli"])
def test_help_imports_no_pydantic_either(package):
    """`mmzoo --help` needs Click alone; the config's tree is imported by the commands."""
    done = run(f"import sys, {package}; print('pydantic' in sys.modules, 'rich' in sys.modules)")
    assert done.stdout == "False False\n"


def test_reading_a_config_imports_neither_tensorflow_nor_numpy(tmp_path):
    path = tmp_path / "x.yaml"
    path.write_text("name: x\nsource: {type: dataset, name: digits}\n")
    code = f"""
import sys
from mmzoo.config import load_config
from mmzoo.errors import ConfigError
try:
    load_config({str(path)!r})
except ConfigError as error:
    print(len(str(error).splitlines()), [name for name in {HEAVY} if name in sys.modules])
"""
    assert run(code).stdout == "2 []\n"


def test_modules_do_not_import_tensorflow():
    """Except modules that derive from its classes: our layers, replaced here."""
    code = f"""
import importlib, pathlib, sys, types
sys.modules["mmzoo.weighted_loss_model"] = types.SimpleNamespace(WeightedLossModel=None)
sys.modules["mmzoo.objectives.gan_model"] = types.SimpleNamespace(GanModel=None)
sys.modules["mmzoo.objectives.network_optimizers"] = types.SimpleNamespace(NetworkOptimizers=None)
sys.modules["mmzoo.training.loop"] = types.SimpleNamespace(Loop=None, named_by_head=None)
sys.modules["mmzoo.training.learning_rate"] = types.SimpleNamespace(LearningRate=None)
package = pathlib.Path({str(PACKAGE)!r})
paths = [path for path in sorted(package.rglob("*.py")) if path.stem != "__main__"]
paths = [path for path in paths if path.parent.name != "layers"]
for path in paths:
    name = ".".join(path.relative_to(package.parent).with_suffix("").parts)
    if name not in sys.modules:
        importlib.import_module(name.removesuffix(".__init__"))
print(len(paths) > 100, "tensorflow" in sys.modules, "keras" in sys.modules)
"""
    done = run(code)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "True False False\n"


def test_the_public_functions_are_listed():
    public = {"build_model", "ensemble", "evaluate", "load_config", "load_model", "predict"}
    public |= {"train", "train_baselines"}
    assert public <= set(dir(mmzoo))


@pytest.mark.parametrize(
    ("name", "module"),
    [
        ("build_model", "mmzoo.trained_model"),
        ("ensemble", "mmzoo.evaluation.ensemble"),
        ("evaluate", "mmzoo.evaluation.evaluate_run"),
        ("load_config", "mmzoo.config"),
        ("load_model", "mmzoo.trained_model"),
        ("predict", "mmzoo.prediction"),
        ("train", "mmzoo.training.train"),
        ("train_baselines", "mmzoo.training.baselines"),
    ],
)
def test_public_functions_come_from_their_modules(name, module):
    function = getattr(mmzoo, name)
    assert callable(function)
    assert function is getattr(sys.modules[module], name)
    assert function.__module__ == module


def test_unknown_attribute():
    with pytest.raises(AttributeError) as caught:
        mmzoo.nothing  # noqa: B018
    assert str(caught.value) == "module 'mmzoo' has no attribute 'nothing'"


def test_failed_import_prints_captured_stderr(tmp_path):
    """TensorFlow's log may contain the reason."""
    (tmp_path / "tensorflow.py").write_text(
        "import os\nos.write(2, b'libcudart is missing\\n')\nraise ImportError('no tensorflow')\n"
    )
    code = f"""
import sys
sys.path.insert(0, {str(tmp_path)!r})
from mmzoo.lazy import tf
tf.constant
"""
    done = run(code)
    assert done.returncode == 1
    assert "libcudart is missing\n" in done.stderr
    assert "ImportError: no tensorflow" in done.stderr


def test_successful_import_prints_nothing(tmp_path):
    (tmp_path / "tensorflow.py").write_text("""
import os
os.write(2, b'oneDNN custom operations are on\\n')
class config:
    list_physical_devices = staticmethod(lambda: os.write(2, b'could not find cuda drivers\\n'))
answer = 42
""")
    code = f"""
import sys
sys.path.insert(0, {str(tmp_path)!r})
from mmzoo.lazy import tf
print(tf.answer, "answer" in vars(tf))
"""
    done = run(code)
    assert (done.stdout, done.stderr) == ("42 True\n", "")


def test_keras_always_uses_the_tensorflow_backend(tmp_path):
    (tmp_path / "tensorflow.py").write_text("class config:\n    list_physical_devices = print\n")
    (tmp_path / "keras.py").write_text("import os\nbackend = os.environ['KERAS_BACKEND']\n")
    code = f"""
import os, sys
sys.path.insert(0, {str(tmp_path)!r})
os.environ["KERAS_BACKEND"] = "torch"
from mmzoo.lazy import keras
print(keras.backend)
"""
    done = run(code)
    assert done.stdout.split() == ["tensorflow"]


def test_lazy_module_raises_attribute_error():
    with pytest.raises(AttributeError, match="nothing_of_this_name"):
        keras.nothing_of_this_name  # noqa: B018


def test_stderr_is_captured_and_restored(capfd):
    with quiet_stderr():
        os.write(2, b"held\n")
    os.write(2, b"said\n")
    assert capfd.readouterr().err == "said\n"

    with suppress(ValueError), quiet_stderr():
        os.write(2, b"why\n")
        raise ValueError
    assert capfd.readouterr().err == "why\n"


def test_interrupted_import_prints_nothing(capfd):
    with suppress(KeyboardInterrupt), quiet_stderr():
        os.write(2, b"oneDNN custom operations are on\n")
        raise KeyboardInterrupt
    assert capfd.readouterr().err == ""


@pytest.mark.slow
def test_concurrent_first_use():
    code = """
from concurrent.futures import ThreadPoolExecutor
from mmzoo.lazy import tf
with ThreadPoolExecutor(4) as pool:
    print({version for version in pool.map(lambda _: tf.constant(1).dtype.name, range(8))})
"""
    done = run(code, "-W", "ignore")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "{'int32'}\n"
