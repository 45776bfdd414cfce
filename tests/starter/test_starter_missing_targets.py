"""Targets with empty cells: such rows still train the other heads."""

from __future__ import annotations

from pathlib import Path

from mmzoo.starter.starter_config import starter_config


def table(folder: Path) -> Path:
    """Every third row has no kind, every fourth no price; rows 0, 12, ... have neither."""
    lines = ["text,kind,price"]
    for row in range(60):
        kind = "ab"[row % 2] if row % 3 else ""
        price = f"{row * 1.7:.2f}" if row % 4 else ""
        lines.append(f"word{row % 7} of some kind {row},{kind},{price}")
    path = folder / "rows.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_rows_missing_one_target_train_the_other_heads(tmp_path):
    plan, text = starter_config(table(tmp_path), "kind,price", None)
    assert [part.fields["missing"] for part in plan.heads.values()] == ["ignore", "ignore"]
    assert "missing: ignore  # 20 of 60 rows have no kind; they train the other heads" in text
    assert "on_bad_row: skip  # 5 of 60 rows have none of the targets" in text


def test_rows_missing_the_only_target_are_left_out(tmp_path):
    plan, text = starter_config(table(tmp_path), "kind", None)
    assert "missing" not in plan.heads["kind"].fields
    assert "on_bad_row: skip  # 20 of 60 rows have no kind" in text
