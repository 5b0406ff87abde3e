"""SMILES files."""

import pytest

from cnnkit.adapters.smi_lines import read_smi
from cnnkit.adapters.tables import SourceError, read_table


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_each_line_is_a_smiles_and_a_name(end):
    text = end.join(["CCO ethanol", "", "# from a shelf", "C#N\thydrogen  cyanide\tb", "  O  "])
    rows = read_smi(text, "a.smi")
    assert rows.columns == {
        "smiles": ["CCO", "C#N", "O"],
        "name": ["ethanol", "hydrogen  cyanide\tb", ""],
    }
    assert rows.lines == [1, 4, 5]
    assert rows.notes == [
        "a.smi: lines that begin with #, left out: 1",
        "a.smi: blank lines left out: 1",
    ]


def test_without_names_there_is_no_column_of_them():
    assert read_smi("CCO\nO\n", "a.smi").columns == {"smiles": ["CCO", "O"]}


@pytest.mark.parametrize("header", ["smiles name", "SMILES\tName", "Canonical_SMILES id", "smiles"])
def test_a_header_is_noticed(header):
    rows = read_smi(f"\n#\n{header}\nCCO a\nsmiles b\n", "a.smi")
    assert rows.columns["smiles"] == ["CCO", "smiles"]  # a second one is a bad row
    assert rows.lines == [4, 5]
    assert rows.notes[0] == f"a.smi: the first line is a header: {' '.join(header.split())}"


def test_an_extension_belongs_to_the_smiles():
    rows = read_smi("CC* |$;;R1$| my name\nCCO\t|c:1|\nCCO |left open\n", "a.smi")
    assert rows.columns["smiles"] == ["CC* |$;;R1$|", "CCO\t|c:1|", "CCO"]
    assert rows.columns["name"] == ["my name", "", "|left open"]


@pytest.mark.parametrize("suffix", [".smi", ".smiles", ".SMI"])
def test_lines_are_a_table(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    path.write_text("\ufeffCCO ethanol\nO\n", encoding="utf-8")
    table = read_table(path)
    assert table.frame.to_dict("list") == {"smiles": ["CCO", "O"], "name": ["ethanol", ""]}
    assert (table.item_column, table.beside, table.titles) == ("smiles", ("name",), None)
    assert table.lines.tolist() == [1, 2]


def test_a_file_of_a_header_alone_is_refused(tmp_path):
    (tmp_path / "a.smi").write_text("SMILES Name\n")
    with pytest.raises(SourceError, match="has a header but no rows"):
        read_table(tmp_path / "a.smi")
