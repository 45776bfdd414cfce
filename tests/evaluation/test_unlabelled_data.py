"""Tables with some or no labels, evaluated and predicted with a run."""

from __future__ import annotations

import pytest
from frames import splits_of
from test_missing_labels import config, notes

from mmzoo.errors import DataError
from mmzoo.preprocessing import fit_config, load_frame, load_rows


def test_other_data_need_no_column_of_a_head_that_ignores_missing_labels(tmp_path):
    path = tmp_path / "other.csv"
    path.write_text("text,kind,size_2\nword1,a,3\nword2,b,\n")
    complete = config(tmp_path)
    fitted, _ = fit_config(complete, load_frame(complete))
    data = load_rows(fitted, str(path), "data", labelled=True)
    columns = splits_of(data)["data"]
    assert columns["kind"].tolist() == [0, 1]
    assert fitted.heads["size_2"].labelled(columns["size_2"]).tolist() == [True, False]
    assert not fitted.heads["size"].labelled(columns["size"]).any()
    assert "other.csv: there is no column `size`: missing in all rows" in data.notes
    assert notes(data) == [
        "heads.size: none of the 2 data examples has a label, so it has no metrics"
    ]
    assert notes(load_rows(fitted, str(path), "data", labelled=False)) == []


@pytest.mark.parametrize(
    ("header", "is_missing"), [("text,size", "kind"), ("kind,size", "text"), ("text", "kind")]
)
def test_other_columns_are_required(tmp_path, header, is_missing):
    path = tmp_path / "other.csv"
    path.write_text(f"{header}\n{'1,' * header.count(',')}1\n")
    with pytest.raises(DataError, match=f"has no column `{is_missing}`"):
        load_rows(config(tmp_path), str(path), "data", labelled=True)


def test_a_table_without_any_label_is_refused(tmp_path):
    path = tmp_path / "other.csv"
    path.write_text("text\nword1\n")
    complete = config(tmp_path)
    heads = {name: complete.heads[name] for name in ("size", "size_2")}
    with pytest.raises(DataError, match="has no column `size`"):
        load_rows(complete.replace(heads=heads), str(path), "data", labelled=True)
