"""Records of SDF and MOL files."""

import io

import pytest
from rdkit import Chem, rdBase

from cnnkit.adapters.sdf import read_sdf
from cnnkit.adapters.tables import SourceError, read_table

SMILES = ["CCO", "c1ccccc1O", "CC(=O)O", "N[C@@H](C)C(=O)O", "C#N"]


def write_records(smiles=SMILES, force_v3000=False):
    """Let RDKit write molecules with a title and two properties, of which only some have one."""
    file = io.StringIO()
    with Chem.SDWriter(file) as writer:
        writer.SetForceV3000(force_v3000)
        for number, text in enumerate(smiles):
            mol = Chem.MolFromSmiles(text)
            mol.SetProp("_Name", f"mol {number}" if number % 2 else "")
            mol.SetProp("logS", f"-{number}.50")
            if number % 2:
                mol.SetProp("remark", f"first {number}\nsecond")
            writer.write(mol)
    return file.getvalue()


def block(title, smiles="CCO"):
    mol = Chem.MolFromSmiles(smiles)
    mol.SetProp("_Name", title)
    return Chem.MolToMolBlock(mol)


def parse(rows):
    with rdBase.BlockLogs():
        mols = [Chem.MolFromMolBlock(text) for text in rows.columns["molecule"]]
    return [mol and Chem.MolToSmiles(mol) for mol in mols]


@pytest.mark.parametrize("force_v3000", [False, True])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_what_rdkit_writes_is_read_back(force_v3000, end):
    text = write_records(force_v3000=force_v3000)
    rows = read_sdf(text.replace("\n", end), "a.sdf")
    assert parse(rows) == [Chem.CanonSmiles(smiles) for smiles in SMILES]
    mols = list(Chem.ForwardSDMolSupplier(io.BytesIO(text.encode())))
    for name in ("logS", "remark"):
        expected = [mol.GetProp(name) if mol.HasProp(name) else "" for mol in mols]
        assert rows.columns[name] == expected
    assert list(rows.columns) == ["molecule", "name", "logS", "remark"]
    assert rows.columns["name"] == ["", "mol 1", "", "mol 3", ""]
    assert rows.titles == ["record 1", "mol 1", "record 3", "mol 3", "record 5"]
    lines = text.split("\n")
    ends = [number for number, line in enumerate(lines, start=1) if line == "$$$$"]
    assert rows.lines == [1, *(number + 1 for number in ends[:-1])]
    assert rows.notes == []


@pytest.mark.parametrize("lost", ["its second half", "all but a line", "its end mark, too"])
def test_a_truncated_record_does_not_swallow_the_next(lost):
    records = write_records().split("$$$$\n")[:-1]
    cut = records[1].split("\n")[: 2 if lost == "all but a line" else 8]
    mark = "\n" if lost == "its end mark, too" else "\n$$$$\n"
    text = "".join([records[0], "$$$$\n", "\n".join(cut), mark, "$$$$\n".join(records[2:])])
    rows = read_sdf(text, "a.sdf")
    expected = [Chem.CanonSmiles(smiles) for smiles in SMILES]
    assert parse(rows) == [expected[0], None, *expected[2:]]
    assert rows.columns["logS"] == ["-0.50", "", "-2.50", "-3.50", "-4.50"]
    assert rows.titles[3] == "mol 3"
    for title, line in zip(rows.columns["name"], rows.lines, strict=True):
        assert text.split("\n")[line - 1] == title


def test_molecules_that_are_only_strung_together_are_records():
    text = block("one") + "> <y>\n1\n\n" + block("two") + block("three", "CN")
    rows = read_sdf(text, "a.sdf")
    assert rows.titles == ["one", "two", "three"]
    assert rows.columns["y"] == ["1", "", ""]
    assert parse(rows) == ["CCO", "CCO", "CN"]


def test_a_property_may_hold_a_molecule():
    inner = block("inside").removesuffix("\n")
    rows = read_sdf(block("a") + f"> <product>\n{inner}\n\n> <y>\n2\n\n$$$$\n", "a.sdf")
    assert rows.columns["product"] == [inner]
    assert rows.columns["y"] == ["2"]


@pytest.mark.parametrize(
    ("lines", "name", "value"),
    [
        ("> <y>\n1\n\n", "y", "1"),
        (">  25 <MELTING.POINT>\n-1\n\n", "MELTING.POINT", "-1"),
        ("> <MELTING.POINT> (MD-08974)\n-1\n\n", "MELTING.POINT", "-1"),
        (">  <IC50 (>10)>  (1) \n7\n", "IC50 (>10)", "7"),
        ("> DT12\n5\n\n", "DT12", "5"),
        ("> <a b>\none\n two \n\n", "a b", "one\n two "),
        ("> <y>\none\n\ntwo\n\n", "y", "one\n\ntwo"),
        ("> <y>\n\n", "y", ""),
        (">  <>\n1\n\n", "property without a name", "1"),
        ("> <y>\n> 5 uM\n\n", "y", "> 5 uM"),
    ],
)
def test_properties_are_read_in_all_their_forms(lines, name, value):
    rows = read_sdf(f"{block('a')}{lines}> <next>\nx\n\n$$$$\n", "a.sdf")
    assert rows.columns[name] == [value]
    assert rows.columns["next"] == ["x"]
    assert rows.properties == [name, "next"]


def test_a_property_without_a_blank_line_after_it_ends_at_the_next():
    rows = read_sdf(f"{block('a')}> <x>\n1\n> <y>\n2\n$$$$\n", "a.sdf")
    assert (rows.columns["x"], rows.columns["y"]) == (["1"], ["2"])


def test_a_property_that_is_called_like_another_column_is_renamed():
    text = f"{block('a')}> <name>\nb\n\n> <molecule>\nc\n\n> <name (property)>\nd\n\n$$$$\n"
    rows = read_sdf(text, "a.sdf")
    assert rows.columns["name"] == ["a"]
    assert rows.columns["name (property 2)"] == ["b"]
    assert rows.columns["molecule (property)"] == ["c"]
    assert rows.columns["name (property)"] == ["d"]
    assert rows.notes == [
        "a.sdf: property 'name' is column 'name (property 2)'",
        "a.sdf: property 'molecule' is column 'molecule (property)'",
    ]
    assert read_sdf(text[1:], "a.sdf").columns["name"] == ["b"]  # no record has a title


def test_a_property_that_stands_there_twice_keeps_both_values():
    text = f"{block('a')}> <x>\n1\n\n> <y>\n5\n\n> <x>\n2\n\n> <y>\n5\n\n$$$$\n"
    rows = read_sdf(text, "a.sdf")
    assert (rows.columns["x"], rows.columns["y"]) == (["1\n2"], ["5"])
    assert [note.split(" (line")[0] for note in rows.notes] == [
        "a.sdf: property 'x' stands in a record more than once",
        "a.sdf: property 'y' stands in a record more than once",
    ]


def test_an_empty_record_is_a_row_and_what_follows_the_last_is_told():
    text = f"{block('a')}$$$$\n$$$$\n\n\n$$$$\n{block('b')}$$$$\n\n\nTHE END\n"
    rows = read_sdf(text, "a.sdf")
    assert rows.titles == ["a", "record 2", "record 3", "b"]
    assert rows.empty == [1, 2]
    at = text.split("\n").index("THE END") + 1
    assert rows.notes == [f"a.sdf: text after the last record is left out (line {at})"]
    assert len(read_sdf(text.replace("THE END\n", ""), "a.sdf").notes) == 0


def test_text_that_is_no_property_is_told():
    rows = read_sdf(f"{block('a')}odd\n> <x>\n1\n\n$$$$\n" * 7, "a.sdf")
    (note,) = rows.notes
    assert note.startswith("a.sdf: text between MOL block and properties is left out (lines 11, ")
    assert note.endswith(", … and 2 more)")


@pytest.mark.parametrize("suffix", [".sdf", ".SDF", ".sd", ".mol"])
def test_records_are_a_table(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    path.write_text(block("one") + ("> <y>\n1\n\n$$$$\n$$$$\n" if suffix != ".mol" else ""))
    table = read_table(path)
    assert table.item_column == "molecule"
    assert table.titles[0] == "one"
    if suffix != ".mol":
        assert table.beside == ("y",)
        assert table.faults == {(1, "molecule"): "the record is empty"}
        assert table.lines.tolist() == [1, 15]


@pytest.mark.parametrize("text", ["smiles,y\nCCO,1\n", "\n\n\n", ""])
def test_a_file_without_a_molecule_is_refused(tmp_path, text):
    path = tmp_path / "a.sdf"
    path.write_text(text)
    with pytest.raises(SourceError, match=r"holds no molecule; expected MOL blocks|is empty"):
        read_table(path)
