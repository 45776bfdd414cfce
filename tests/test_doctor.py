"""`mmzoo doctor`: checks of the machine, and how to fix each problem."""

from __future__ import annotations

import json
import os
import shutil
from collections import namedtuple
from pathlib import Path

import pytest

from mmzoo import doctor
from mmzoo.cli import main
from mmzoo.lazy import tf

NAMES = ["versions", "machine", "devices", "run directory", "data sets", "training"]
Usage = namedtuple("Usage", "total used free")


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """Output and exit code, as text and as JSON."""
    findings = list(doctor.examine())
    assert [finding.name for finding in findings] == NAMES
    return findings


@pytest.fixture
def examined(report, monkeypatch):
    """Makes the command report these findings instead of examining the machine again."""

    def give(findings):
        monkeypatch.setattr(doctor, "examine", lambda: iter(findings))

    give(report)
    return give


def run(capsys, *words):
    with pytest.raises(SystemExit) as ended:
        main(["doctor", *words])
    return ended.value.code, *capsys.readouterr()


def test_a_working_machine_has_no_findings(report):
    assert [finding for finding in report if not finding.ok or finding.fix] == []
    training = report[-1].text
    assert training.startswith("a tiny network reaches ")
    assert "tensorflow 2." in report[0].text


def test_a_line_for_each_finding(capsys, examined, report):
    code, out, err = run(capsys)
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert [line[:18].strip() for line in lines] == [f"ok  {name}" for name in NAMES]
    assert [line[19:] for line in lines] == [finding.text for finding in report]


def test_json(capsys, examined, report):
    code, out, err = run(capsys, "--json")
    assert (code, err) == (0, "")
    assert json.loads(out) == [finding._asdict() for finding in report]


@pytest.mark.parametrize("words", [(), ("--json",)])
def test_a_bad_finding_comes_with_a_fix_and_exit_code_1(capsys, examined, report, words):
    bad = doctor.Finding("disk", False, "full", "free some space")
    examined([report[0], bad])
    code, out, _ = run(capsys, *words)
    assert code == 1
    if words:
        assert json.loads(out)[1] == bad._asdict()
    else:
        assert out.splitlines()[-2:] == [
            "bad disk           full",
            "    To fix it: free some space",
        ]


def findings(monkeypatch, tmp_path):
    """All findings except those of the training, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(doctor, "_training", lambda: doctor.Finding("training", True, ""))
    return {finding.name: finding for finding in doctor.examine()}


def test_a_missing_package(monkeypatch, tmp_path):
    monkeypatch.setattr(
        doctor, "versions", lambda: {"keras": "3.1", "tensorboard": "not installed"}
    )
    found = findings(monkeypatch, tmp_path)["versions"]
    assert (found.ok, found.fix) == (False, "pip install tensorboard")


def test_a_tensorflow_that_cannot_be_imported(monkeypatch, tmp_path):
    class Broken:
        def __getattr__(self, name):
            raise ImportError("libcudart.so.12: cannot open shared object file")

    monkeypatch.setattr(doctor, "tf", Broken())
    found = findings(monkeypatch, tmp_path)["devices"]
    assert not found.ok
    assert found.text == (
        "TensorFlow cannot be imported: libcudart.so.12: cannot open shared object file"
    )
    assert found.fix == "pip install --force-reinstall tensorflow"


def test_a_gpu_invisible_to_tensorflow(monkeypatch, tmp_path):
    if tf.config.list_physical_devices("GPU"):
        pytest.skip("TensorFlow sees a GPU")
    monkeypatch.setattr(doctor, "_NVIDIA_DEVICE", tmp_path)
    found = findings(monkeypatch, tmp_path)["devices"]
    assert (found.ok, found.text) == (False, "there is an NVIDIA GPU, but TensorFlow finds none")
    assert "mmzoo[gpu]" in found.fix


def test_a_nearly_full_disk(monkeypatch, tmp_path):
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: Usage(1e12, 1e12 - 5e8, 5e8))
    found = findings(monkeypatch, tmp_path)
    assert found["run directory"] == doctor.Finding(
        *("run directory", False, f"{tmp_path}: 0.5 GB free"),
        "free some space, or train from another folder",
    )
    assert found["data sets"].fix == "free some space, or set MMZOO_DATA_DIR to another folder"


def test_unwritable_folders(monkeypatch, tmp_path):
    # To root every folder can be written, so the question is answered for it.
    monkeypatch.setattr(os, "access", lambda folder, mode: False)
    found = findings(monkeypatch, tmp_path)
    assert not found["run directory"].ok
    assert found["run directory"].text.endswith("GB free, not writable")
    assert found["run directory"].fix == (f"make {tmp_path} writable, or train from another folder")
    assert "or set MMZOO_DATA_DIR to another folder" in found["data sets"].fix


def test_a_training_that_fails_is_a_finding(monkeypatch):
    def fail():
        raise RuntimeError("CUDA_ERROR_UNKNOWN\nand forty lines more")

    monkeypatch.setattr(doctor, "_tiny_training", fail)
    found = list(doctor.examine())[-1]
    assert (found.name, found.ok) == ("training", False)
    assert found.text == "RuntimeError: CUDA_ERROR_UNKNOWN"
    assert found.fix


def test_a_machine_that_computes_wrongly_is_a_finding(monkeypatch):
    monkeypatch.setattr(doctor, "_tiny_training", lambda: 0.1)
    found = list(doctor.examine())[-1]
    assert not found.ok
    assert found.text.startswith("a tiny network reaches 10 % accuracy on digits in ")


@pytest.mark.slow
def test_doctor_leaves_no_files(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    assert doctor._training().ok
    assert [path for path in Path(tmp_path).rglob("*") if path != temporary] == []
