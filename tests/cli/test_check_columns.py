"""`mmzoo check` of a table: missing columns are reported without reading rows."""

from __future__ import annotations

import pytest

CONFIG = """\
name: products
source:
  type: table
  path: products.csv
  split: {column: part}
inputs:
  description:
    type: text
    encoder: {type: embedding}
  facts:
    type: tabular
    columns: {price: number, 颜色: category}
heads:
  category: {type: classification}
"""
TABLE = "description,price,颜色,category,part\na cup,1,red,x,train\n"


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "products.csv").write_text(TABLE)
    (tmp_path / "products.yaml").write_text(CONFIG)
    return tmp_path


def test_existing_columns_pass(mmzoo, here):
    done = mmzoo("check", "products.yaml")
    assert (done.code, done.err) == (0, "products.yaml is a valid config.\n")


@pytest.mark.parametrize("command", ["check", "train"])
def test_all_missing_columns_are_located(mmzoo, here, command):
    wrong = CONFIG.replace("  description:", "  descripton:").replace("category: {", "kind: {")
    wrong = wrong.replace("price: n", "prise: n").replace("column: part", "column: prt")
    (here / "products.yaml").write_text(wrong)
    done = mmzoo(command, "products.yaml")
    has = "It has: description, price, 颜色, category, part"
    assert (done.code, done.out) == (1, "")
    assert done.err.splitlines() == [
        "Error: products.yaml:5:19: source.split.column: the data has no column 'prt'; did you "
        f"mean 'part'? {has}",
        "products.yaml:8:5: inputs.descripton.column: the data has no column 'descripton'; did you "
        f"mean 'description'? {has}",
        "products.yaml:12:14: inputs.facts.columns: the data has no column 'prise'; did you mean "
        f"'price'? {has}",
        "products.yaml:14:9: heads.kind.column: the data has no column 'kind'; it has: "
        "description, price, 颜色, category, part",
    ]
    assert not (here / "runs").exists()


def test_a_table_in_another_format_is_reported(mmzoo, here):
    (here / "products.csv").write_text(TABLE.replace(",", ";"))
    done = mmzoo("check", "products.yaml")
    assert done.code == 1
    assert "products.csv: its cells seem to be separated by ';'" in done.err
    assert mmzoo("check", "products.yaml", "--set", "source.separator=';'").code == 0


def test_a_missing_table_does_not_invalidate_the_config(mmzoo, here):
    (here / "products.csv").rename(here / "product.csv")
    done = mmzoo("check", "products.yaml")
    assert done.code == 0
    assert done.err.splitlines() == [
        "products.yaml is a valid config.",
        "Warning: source.path: there is no file products.csv, relative to the working directory. "
        "Did you mean product.csv? Its columns were not checked.",
    ]
