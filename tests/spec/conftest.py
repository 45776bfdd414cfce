from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from spec_tree import Experiment

from mmzoo.errors import ConfigError
from mmzoo.spec import load_spec


@pytest.fixture
def error_messages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Writes a text to `x.yaml`, loads it as an Experiment and returns the lines of the error."""
    monkeypatch.chdir(tmp_path)

    def load(text: str, *overrides: str) -> list[str]:
        Path("x.yaml").write_text(text, encoding="utf-8")
        with pytest.raises(ConfigError) as caught:
            load_spec(Experiment, Path("x.yaml"), overrides)
        return str(caught.value).split("\n")

    return load
