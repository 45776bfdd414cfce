"""The documentation is correct: commands, output, configs, Python, files and links.

Commands run as written, in the folder that a reader has after the first of them, with these
exceptions: the first trainings take one epoch, and all others are smoke tests; cross-validation
has two folds of one epoch, and of the sample table it reads the prices only; nothing is downloaded,
so the bundled digits replace MNIST; and TensorBoard gets a free port.
Commands that need other data take them from MMZOO_DATA_DIR or are skipped.
"""

from __future__ import annotations

import io
import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from glob import glob
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import click
import pytest
import yaml

from mmzoo.cli import main
from mmzoo.cli.main_command import cli
from mmzoo.config import load_config
from mmzoo.data import catalogue

ROOT = Path(__file__).parents[1]
SAMPLE = "docs/sample/products.csv"
README = ROOT / "README.md"
PAGES = [
    README,
    ROOT / "CONTRIBUTING.md",
    ROOT / "CHANGELOG.md",
    *sorted(ROOT.glob("docs/**/*.md")),
]

FIRST = (
    "mmzoo train configs/mnist_cnn.yaml --set train.epochs=10 --set train.seed=1",
    "mmzoo train configs/mnist_cnn.yaml",
    "mmzoo eval runs/mnist_cnn",
    f"mmzoo init {SAMPLE} --target category --output products.yaml",
    "mmzoo train products.yaml",
    "mmzoo eval runs/products",
    "mmzoo train products_search.yaml",
    f"mmzoo embed runs/products_search --data {SAMPLE} --output products.npz",
)
"""Commands that run once for all tests: others need their runs."""

NOT_RUN = {
    "pip": "changes the environment; .ci/run does it",
    "bash": "the CI script sets up an environment and runs all tests",
    "scripts/install": "changes the environment",
    "scripts/check": "a step of CI by itself",
    "scripts/test": "runs this very test",
    "scripts/docs": "has a test below",
    "scripts/golden": "trains for minutes; it is the check of a refactoring",
    "scripts/reproduce": "trains for hours; its parts have tests",
    "mkdocs": "has a test below; `mkdocs serve` does not end",
    "eval": "changes the shell; has a test below",
    "docker": "needs Docker",
}


class Block(NamedTuple):
    """A fenced block of a page."""

    page: str
    language: str
    text: str


def blocks(language: str) -> list[Block]:
    fence = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
    found = [Block(page.name, *pair) for page in PAGES for pair in fence.findall(page.read_text())]
    return [block for block in found if block.language == language]


def commands() -> dict[str, click.Command]:
    """Command line -> command: "mmzoo data list"."""

    def walk(command: click.Command, words: str) -> Iterator[tuple[str, click.Command]]:
        yield words, command
        if isinstance(command, click.Group):
            for name, child in command.commands.items():
                yield from walk(child, f"{words} {name}")

    return dict(walk(cli, "mmzoo"))


def examples(command: click.Command) -> list[str]:
    """The example lines of a command's help."""
    _, _, text = (command.help or "").partition("Example:")
    return [line.strip() for line in text.splitlines() if line.strip().startswith("mmzoo")]


def shown_commands() -> list[str]:
    """Every documented command, once."""
    lines = [line for block in blocks("sh") for line in block.text.splitlines()]
    lines += [line for command in commands().values() for line in examples(command)]
    parts = [part.partition(" #")[0].strip() for line in lines for part in line.split("&&")]
    return list(dict.fromkeys(parts))


def runnable() -> list[str]:
    """Without `data build`, which needs the authors' repositories: test_build_datasets.py."""
    return [
        line
        for line in shown_commands()
        if line.split()[0] not in NOT_RUN and not line.startswith("mmzoo data build")
    ]


@pytest.fixture(scope="module")
def offline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Only bundled data, wherever the tests run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MMZOO_OFFLINE", "1")
        patch.setenv("MMZOO_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        patch.delenv("MMZOO_DATA_DIR", raising=False)
        yield


class Workspace(NamedTuple):
    """A reader's folder after the first commands, and what each printed."""

    folder: Path
    screens: dict[str, str]


@pytest.fixture(scope="module")
def finished(offline: None, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    from PIL import Image

    folder = tmp_path_factory.mktemp("reader")
    shutil.copytree(ROOT / "configs", folder / "configs")
    for block in blocks("yaml"):
        name = re.search(r"^name: (\w+)", block.text, re.MULTILINE)
        assert name, f"{block.page}: a config without a name"
        (folder / f"{name[1]}.yaml").write_text(block.text)
    shutil.copytree(ROOT / "docs" / "sample", folder / "docs" / "sample")
    shutil.copytree(ROOT / "docs" / "sample", folder, dirs_exist_ok=True)
    digit = Image.linear_gradient("L").resize((28, 28))
    digit.save(folder / "digit.png")
    (folder / "classes.txt").write_text("blue stool\nred mug\nyellow lamp\n")
    for number in range(20):
        photo = folder / "photos" / ("ant", "bee")[number % 2] / f"{number:03d}.png"
        photo.parent.mkdir(parents=True, exist_ok=True)
        digit.rotate(18 * number).save(photo)
    screens = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        Path("products.yaml").unlink(missing_ok=True)  # Of a page; `init` writes its own.
        for line in FIRST:
            screen = io.StringIO()
            with redirect_stdout(screen), redirect_stderr(screen):
                code = run(line)
            screens[line] = screen.getvalue()
            assert code == 0, screens[line]
    for name in ("new.csv", "newer.csv"):
        shutil.copy(folder / "products.csv", folder / name)
    return Workspace(folder, screens)


@pytest.fixture
def workspace(finished: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the finished workspace, and the current folder."""
    folder = Path(shutil.copytree(finished.folder, tmp_path / "reader"))
    monkeypatch.chdir(folder)
    return folder


def run(line: str) -> int:
    """Runs one `mmzoo` command of the documentation in this process; returns its exit code."""
    words = shlex.split(line)
    *words, target = [*words[:-2], words[-1]] if words[-2] == ">" else [*words, ""]
    program, *arguments = [file for word in words for file in (sorted(glob(word)) or [word])]
    assert program == "mmzoo"
    if arguments[0] == "train" and (line in FIRST or {"--fold", "--resume"} & {*arguments}):
        arguments += ["--set", "train.epochs=1"]
    elif arguments[0] == "train":
        arguments += ["--smoke"]
    arguments = ["all/2" if argument == "all/5" else argument for argument in arguments]
    screen = io.StringIO()
    with redirect_stdout(screen if target else sys.stdout), pytest.raises(SystemExit) as end:
        main(arguments)
    if target:
        Path(target).write_text(screen.getvalue())
    return int(end.value.code or 0)


def test_the_readme_shows_the_first_commands(finished: Workspace) -> None:
    """Instead of running them again in the test below."""
    assert set(FIRST) <= set(runnable())
    assert all(finished.screens.values())


def use_prices_only(config: Path) -> None:
    """Removes the photos and descriptions of the sample table from its config."""
    values = yaml.safe_load(config.read_text())
    del values["inputs"]["photo"], values["inputs"]["description"]
    config.write_text(yaml.safe_dump(values))


def documented() -> list[Any]:
    """The other commands. Slow are transfer of a large network, folds, and what other tests cover:

    trainings that differ from another one by `--set` only (their configs have a test below),
    TensorBoard, the comparisons of a small run, embeddings, checks of files, images generated from
    examples, and fine-tuning after another run.
    """
    slow = re.compile(
        r"mobilenet_v2_transfer| --fold |^mmzoo train .*(--set|--smoke)|^mmzoo board|"
        r" --modalities | --embeddings|^mmzoo check .*--data|data view configs/fsdd|"
        r"^mmzoo generate .*--split|fashion_cae_finetune"
    )
    return [
        pytest.param(line, marks=pytest.mark.slow if slow.search(line) else ())
        for line in runnable()
        if line not in FIRST
    ]


@pytest.mark.parametrize("line", [line for line in runnable() if " --set " in line])
def test_documented_overrides_fit_their_configs(line: str, workspace: Path) -> None:
    words = shlex.split(line)
    [path] = [word for word in words if word.endswith(".yaml")]
    overrides = [value for word, value in pairwise(words) if word == "--set"]
    assert overrides
    load_config(path, overrides)


@pytest.mark.parametrize("line", documented())
def test_documented_commands_work(
    line: str,
    workspace: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> None:
    if line.startswith("mmzoo board"):
        assert_serves(line)
        return
    if re.search(r"^mmzoo data (fetch|where)|configs/(mobilenet_v2_transfer|fsdd_cnn)", line):
        monkeypatch.setenv("MMZOO_DATA_DIR", str(request.getfixturevalue("real_data")))
    if "--output products.yaml" in line:
        (workspace / "products.yaml").unlink()  # Which it would not replace.
    if line.startswith("mmzoo train products.yaml --fold"):
        use_prices_only(workspace / "products.yaml")
    if made := re.match(r"mmzoo generate runs/(\w+)", line):
        assert run(f"mmzoo train configs/{made[1]}.yaml --run runs/{made[1]}") == 0
    if "configs/fashion_cae_" in line:  # They start from this run.
        assert run("mmzoo train configs/fashion_cae.yaml --run runs/fashion_cae") == 0
    code = run(line)
    screen = capsys.readouterr()
    assert code == 0, screen.err
    assert screen.out or screen.err or ">" in line


def assert_serves(line: str) -> None:
    """Starts TensorBoard by the command, asks it for the runs it sees, and ends it."""
    with socket.create_server(("localhost", 0)) as free:
        port = free.getsockname()[1]
    program = [sys.executable, "-m", *shlex.split(line), "--port", str(port)]
    with subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as server:
        answer = ""
        while "train" not in answer and server.poll() is None:
            time.sleep(0.2)
            try:
                url = f"http://localhost:{port}/data/runs"
                with urllib.request.urlopen(url) as response:
                    answer = response.read().decode()
            except urllib.error.URLError:
                continue
        server.terminate()
        output = server.communicate()[0].decode()
    assert "001/logs/train" in answer, output
    assert f"http://localhost:{port}/" in output


@pytest.mark.parametrize("block", blocks("console"), ids=lambda block: block.page)
def test_documented_output_is_correct(
    block: Block, workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    prompt, *expected = block.text.splitlines()
    run(prompt.removeprefix("$ "))
    screen = capsys.readouterr()
    printed = (screen.out + screen.err).splitlines()
    assert len(printed) == len(expected)
    for line, pattern in zip(printed, expected, strict=True):
        assert re.fullmatch(re.escape(pattern).replace(r"\.\.\.", ".*"), line), line


def test_the_documented_training_log_is_correct(finished: Workspace) -> None:
    def pattern(line: str) -> str:
        """The line without numbers, and without "best", which other epochs may be."""
        return re.sub(r"\d[\d.,:]*", "#", line.removesuffix("  best"))

    transcript = finished.screens["mmzoo train configs/mnist_cnn.yaml"]
    printed = {pattern(line) for line in transcript.splitlines()}
    transcripts = [block for block in blocks("text") if block.text.startswith("epoch ")]
    assert transcripts
    for line in "".join(block.text for block in transcripts).splitlines():
        assert line == "..." or pattern(line) in printed


@pytest.mark.parametrize(
    "block",
    [
        pytest.param(
            block,
            # The page's first block is nearly that of the README.
            marks=pytest.mark.slow
            if block.page == "how_do_i.md" and "digit.png" in block.text
            else (),
        )
        for block in blocks("python")
    ],
    ids=lambda block: block.page,
)
def test_documented_python_runs(block: Block, workspace: Path) -> None:
    names: dict[str, Any] = {}
    exec(compile(block.text, block.page, "exec"), names)
    if "digit.png" in block.text:
        assert names["metrics"]["examples"] > 0
        assert names["rows"]["file"] == ["digit.png"]
    elif "mmzoo.search" in block.text:
        assert len(names["found"]) == 3
        assert names["rows"]["class"][0] in ("blue stool", "red mug")
    elif "texts=" in block.text:
        assert len(names["rows"]["label"]) == 1
    else:
        assert names["probabilities"].shape == (2, 10)


@pytest.mark.parametrize(
    "block",
    # `wrong` shows mistakes, and the block after it what is said of them.
    [block for block in blocks("yaml") if not block.text.startswith("name: wrong")],
    ids=lambda block: block.page,
)
def test_documented_configs_are_valid(block: Block, tmp_path: Path) -> None:
    path = tmp_path / "shown.yaml"
    path.write_text(block.text)
    assert f"name: {load_config(path).name}\n" in block.text


def test_readme_shows_the_config_verbatim() -> None:
    [shown] = [block.text for block in blocks("yaml") if block.page == "README.md"]
    config = (ROOT / "configs" / "mnist_cnn.yaml").read_text()
    assert re.sub(r"^#.*\n", "", config, flags=re.MULTILINE).lstrip("\n") == shown


@pytest.mark.parametrize(("name", "command"), commands().items(), ids=commands())
def test_commands_have_an_example(name: str, command: click.Command) -> None:
    assert command.help
    assert command.get_short_help_str()
    if name != "mmzoo data":  # A group; its commands have their own.
        assert examples(command)
        assert all(line.startswith(name) for line in examples(command))


@pytest.mark.parametrize("name", commands())
def test_readme_names_every_command(name: str) -> None:
    text = README.read_text()
    if name.startswith("mmzoo data "):
        [row] = [line for line in text.splitlines() if line.startswith("| `mmzoo data")]
        assert name.removeprefix("mmzoo data ") in row
    else:
        assert name in text


def test_readme_is_short() -> None:
    assert len(README.read_text().splitlines()) <= 150


def test_the_zoo_lists_every_config() -> None:
    listed = first_cells(ROOT / "docs" / "zoo.md")
    assert sorted(listed) == sorted(path.stem for path in ROOT.glob("configs/**/*.yaml"))


def test_every_named_data_set_is_listed() -> None:
    listed = first_cells(ROOT / "docs" / "datasets.md")
    assert sorted(listed) == sorted(listing.name for listing in catalogue())


def first_cells(page: Path) -> list[str]:
    """The names in the first column of the tables of a page."""
    return re.findall(r"^\| `(\w+)` \|", page.read_text(), re.MULTILINE)


def test_every_file_of_a_run_is_explained(finished: Workspace) -> None:
    page = (ROOT / "docs" / "runs.md").read_text()
    files = [path for path in (finished.folder / "runs").rglob("*") if path.is_file()]
    assert len(files) > 10
    for path in files:
        name = re.sub(r"\d{12}", "N" * 12, path.name)
        assert ("event files" if "tfevents" in name else name) in page, name


def test_every_tag_of_tensorboard_is_explained(finished: Workspace) -> None:
    from mmzoo.training.tensorboard_log import last_steps

    page = (ROOT / "docs" / "runs.md").read_text()
    rows = [line.split("|") for line in page.splitlines() if line.startswith("| `")]
    tags = {tag for row in rows for tag in re.findall(r"`(.+?)`", row[1])}
    explained = [re.sub("<.+?>", "[^/]+", tag) for tag in tags]
    logs = finished.folder / "runs" / "mnist_cnn" / "001" / "logs"
    for folder in (logs, logs / "train", logs / "validation"):
        written = [tag for tag in last_steps(folder) if not tag.startswith("_hparams_")]
        assert written
        for tag in written:
            assert any(re.fullmatch(pattern, tag) for pattern in explained), tag


def test_every_environment_variable_is_explained() -> None:
    page = (ROOT / "docs" / "configuration.md").read_text()
    sources = [path.read_text() for path in (ROOT / "mmzoo").rglob("*.py")]
    variables = {name for text in sources for name in re.findall(r"\bMMZOO_[A-Z_]+", text)}
    assert variables
    assert [name for name in sorted(variables) if f"| `{name}` |" not in page] == []


def test_the_map_of_the_package_is_complete() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text()
    parts = {path.stem for path in (ROOT / "mmzoo").iterdir() if not path.name.startswith("_")}
    assert [name for name in sorted(parts) if f"`{name}`" not in page] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_are_valid(page: Path) -> None:
    for target, anchor in re.findall(r"\]\(([^)#\s]*)(#[^)]*)?\)", page.read_text()):
        if target.startswith("https://"):
            continue
        path = page.parent / target if target else page
        assert path.exists(), target
        if anchor:
            titles = re.findall(r"^#+ (.+)$", path.read_text(), re.MULTILINE)
            slugs = {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}
            assert anchor[1:] in slugs, f"{target}{anchor}"


def test_generated_pages_are_up_to_date() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "docs", "--check"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_commands_excluded_from_the_tests_are_documented() -> None:
    assert NOT_RUN.keys() == {line.split()[0] for line in shown_commands()} - {"mmzoo"}


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shells_can_complete_commands(shell: str) -> None:
    assert f"{shell}_source" in (ROOT / "docs" / "how_do_i.md").read_text()
    done = subprocess.run(
        [sys.executable, "-m", "mmzoo"],
        env=os.environ | {"_MMZOO_COMPLETE": f"{shell}_source"},
        capture_output=True,
        text=True,
    )
    assert "_mmzoo_completion" in done.stdout, done.stderr


def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    """With links and anchors checked, and every page in the navigation."""
    pytest.importorskip("mkdocs", reason="needs mkdocs: pip install -e '.[dev]'")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "reference" / "index.html").is_file()


def test_the_sample_is_what_the_script_draws(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    import sample_table

    monkeypatch.setattr(sample_table, "FOLDER", tmp_path)
    sample_table.main()
    sample = ROOT / "docs" / "sample"
    drawn = sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*.*"))
    assert drawn == sorted(path.relative_to(sample) for path in sample.rglob("*.*"))
    assert (tmp_path / "products.csv").read_text() == (ROOT / SAMPLE).read_text()
    assert sum(path.stat().st_size for path in sample.rglob("*.*")) < 200_000


@pytest.mark.slow
def test_the_own_data_commands_of_readme_run_as_written(
    offline: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All epochs, with a model that learns something."""
    shutil.copytree(ROOT / "docs" / "sample", tmp_path / "docs" / "sample")
    monkeypatch.chdir(tmp_path)
    [block] = [
        block for block in blocks("sh") if block.page == "README.md" and "mmzoo init" in block.text
    ]
    lines = block.text.splitlines()
    assert len(lines) == 5
    for line in lines:
        words = shlex.split(line)
        with pytest.raises(SystemExit) as end:
            main(words[1:])
        assert not end.value.code, line
    [metrics] = tmp_path.glob("runs/products/001/metrics.json")
    category = json.loads(metrics.read_text())["test"]["category"]
    assert category["accuracy"] > category["majority"] + 0.3
    assert len((tmp_path / "predictions.csv").read_text().splitlines()) == 201
