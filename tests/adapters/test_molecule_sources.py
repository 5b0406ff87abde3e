"""Data sets of molecules: their column in a table, their targets, and files of records."""

import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from rdkit import Chem

from cnnkit.adapters.molecule.detection import looks_like_smiles
from cnnkit.adapters.sources import SourceError, load_dataset

NAMES = ("smiles", "canonical_smiles", "mol", "molecule", "structure", "inchi")
SMILES = ["CCO", "c1ccccc1", "CC(=O)O", "C#N", "O", "CCN", "CCCl", "CCBr", "OCCO", "C1CC1"]
OTHERS = ["CCC", "C1CCCCC1", "CC(=O)N", "CC#N", "O=C=O", "CNC", "CCF", "CCI", "NCCN", "C1CCC1"]
LOG_S = ["0.5", "-1", "-1.25", "2", "0", "-3", "-1", "-4", "1", "-2"]


def load(data, **options):
    options = {"item_names": NAMES, "looks_like_item": looks_like_smiles} | options
    return load_dataset(data, items_are_files=False, **options)


def write(folder, content, name="data.csv"):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def table(folder, **columns):
    frame = pd.DataFrame(columns)
    return write(folder, frame.to_csv(index=False))


# Columns of molecules


def test_a_column_is_known_by_its_cells(tmp_path):
    path = table(
        tmp_path, id=[f"BACE_{n}" for n in range(10)], Kind=["CN", "NO"] * 5, SMI=SMILES,
        formula=["C2H6O", "CO"] * 5, y=LOG_S,
    )  # fmt: skip
    dataset = load(path)
    assert dataset.items == SMILES
    assert "items: column 'SMI' (its cells look like items)" in dataset.decided


@pytest.mark.parametrize("good", [179, 180])
def test_nine_of_ten_sampled_cells_must_be_molecules(tmp_path, good):
    cells = ["CCO"] * good + ["what"] * (200 - good) + [""] * 50
    path = table(tmp_path, SMI=cells, y=[str(n % 2) for n in range(250)])
    if good == 180:
        assert load(path).item_column == "SMI"
    else:
        with pytest.raises(SourceError, match=r"none of its columns is called smiles.*'SMI', 'y'"):
            load(path)


def test_few_cells_of_a_long_column_are_looked_at(tmp_path):
    path = table(tmp_path, a=SMILES * 100, y=LOG_S * 100)
    seen = []
    load(path, looks_like_item=lambda cell: seen.append(cell) or cell in SMILES)
    assert len(set(seen) & set(SMILES)) == 10
    assert len(seen) <= 2 * 200 + 1


def test_a_usual_name_comes_before_others_and_these_are_told(tmp_path):
    path = table(tmp_path, mol=OTHERS, Canonical_SMILES=SMILES, other=OTHERS, y=LOG_S)
    dataset = load(path)
    assert dataset.items == SMILES
    assert dataset.decided[0] == (
        "items: column 'Canonical_SMILES'; also called as items usually are: 'mol' (--item)"
    )
    assert load(path, item="mol").items == OTHERS


def test_a_column_with_a_usual_name_but_without_molecules_is_passed_over(tmp_path):
    names = [f"compound {number}" for number in range(10)]
    dataset = load(table(tmp_path, molecule=names, drawn=SMILES, y=LOG_S))
    assert dataset.items == SMILES
    assert "no items: column 'molecule'" in dataset.decided
    assert load(table(tmp_path, molecule=names, y=LOG_S)).items == names  # all will be rejected
    half = [*SMILES[:4], "O=", "x", "CCO", *SMILES[:3]]
    assert load(table(tmp_path, molecule=half, drawn=SMILES, y=LOG_S)).items == half


def test_a_tie_is_refused_and_both_columns_are_named(tmp_path):
    path = table(tmp_path, ligand=SMILES, scaffold=OTHERS, y=LOG_S)
    with pytest.raises(SourceError, match=r"'ligand', 'scaffold' all look like items\."):
        load(path)
    assert load(path, item="scaffold").items == OTHERS
    assert load(path, target="scaffold", min_classes=1).items == SMILES


def test_an_adapter_that_cannot_tell_goes_by_names_alone(tmp_path):
    path = table(tmp_path, a=SMILES, y=LOG_S)
    for hook in (None, lambda cell: None):
        with pytest.raises(SourceError, match="none of its columns is called smiles"):
            load(path, looks_like_item=hook)
    path = table(tmp_path, smiles=LOG_S, y=LOG_S)
    assert load(path, looks_like_item=lambda cell: None).item_column == "smiles"


@pytest.mark.parametrize(
    "text",
    [
        "c1ccccc1,1\nCCO,0\nCCN,1\n",
        "CN,1\nCCO,0\nCCN,1\n",
        "CCO\nCCN\nCCC\n",
        "x;CCO;0.5\ny;CCN;1\n",
    ],
)
def test_a_table_without_a_header_is_refused(tmp_path, text):
    with pytest.raises(SourceError, match=r"data.csv:1: the first line is no header but a row: "):
        load(write(tmp_path, text), need_target=False)


def test_columns_that_are_numbered_are_a_header(tmp_path):
    bits = {str(number): ["0", "1"] * 5 for number in range(3)}
    assert load(table(tmp_path, SMI=SMILES, y=LOG_S, **bits)).items == SMILES


def test_semicolons_and_a_byte_order_mark_are_no_obstacle(tmp_path):
    rows = "".join(f"{a};{b}\r\n" for a, b in zip(SMILES, LOG_S, strict=True))
    path = write(tmp_path, b"\xef\xbb\xbf" + f"SMILES;logS\r\n\r\n{rows}".encode())
    dataset = load(path)
    assert dataset.items == SMILES
    assert dataset.targets.tolist() == [float(cell) for cell in LOG_S]
    assert dataset.places[0] == "data.csv:3"


def test_a_column_without_a_name_is_refused_with_advice(tmp_path):
    path = write(tmp_path, ",smiles,y\n0,CCO,1\n")
    with pytest.raises(SourceError, match=r"without a name: number 1 .*to_csv\(index=False\)"):
        load(path)


# Targets


def test_the_only_other_column_is_the_target(tmp_path):
    dataset = load(table(tmp_path, BBBP=["1", "0"] * 5, smiles=SMILES))
    assert dataset.task == "classification"
    assert "target: column 'BBBP' (the only other one)" in dataset.decided
    words = load(table(tmp_path, smiles=SMILES, effect=["toxic", "harmless"] * 5))
    assert words.target_column == "effect"


def test_the_only_column_of_numbers_is_the_target(tmp_path):
    counts = [str(number) for number in range(10)]
    path = table(
        tmp_path, smiles=SMILES, activity=["CI", "CM"] * 5, ID=LOG_S, number=counts,
        fold=["1", "2"] * 5, constant=["7"] * 10,
        **{"Compound ID": LOG_S, "HIV_active": ["0", "1"] * 5},
    )  # fmt: skip
    dataset = load(path)
    assert dataset.targets.tolist() == ["0", "1"] * 5
    reason = "target: column 'HIV_active' (the only other one that holds numbers)"
    assert reason in dataset.decided


def test_several_columns_of_numbers_are_listed_and_none_is_taken(tmp_path):
    columns = {"logS predicted": LOG_S, "rings": ["0", "1"] * 5, "logS": LOG_S, "name": OTHERS}
    path = table(tmp_path, **columns, smiles=SMILES)
    expected = "3 columns hold numbers, .*: 'logS predicted', 'rings', 'logS'. .* --target COLUMN.$"
    with pytest.raises(SourceError, match=expected):
        load(path)
    assert load(path, target="logS").task == "regression"


def test_several_columns_of_labels_are_named_together(tmp_path):
    flags = {f"NR {number}": ["0", "1", "", "1", "0"] * 2 for number in range(4)}
    flags["SR"] = ["", "NA", "0", "1", "1"] * 2
    path = table(tmp_path, **flags, mol_id=OTHERS, smiles=SMILES)
    with pytest.raises(SourceError, match=r"5 columns .*--target 'NR 0,NR 1,NR 2'…"):
        load(path)
    dataset = load(path, target=",".join(flags))
    assert (dataset.task, dataset.labels) == ("multilabel", list(flags))
    unknown = np.isnan(dataset.targets)
    np.testing.assert_array_equal(unknown.sum(axis=0), [2, 2, 2, 2, 4])
    assert dataset.targets[3].tolist() == [1, 1, 1, 1, 1]


def test_a_usual_name_is_a_target_and_other_numbers_are_told(tmp_path):
    path = table(tmp_path, mol=SMILES, Class=["1", "0"] * 5, pIC50=LOG_S, CID=LOG_S)
    decided = load(path).decided
    assert "target: column 'Class' (by its name; others that hold numbers: 'pIC50')" in decided


@pytest.mark.parametrize("columns", [{"name": OTHERS}, {"number": list(range(10))}, {}])
def test_names_and_numbers_of_rows_are_no_targets(tmp_path, columns):
    path = table(tmp_path, smiles=SMILES, **columns)
    with pytest.raises(SourceError, match="Say which column holds the targets"):
        load(path)
    if columns:
        assert len(load(path, target=next(iter(columns)))) == 10


def test_texts_and_files_keep_to_usual_names_of_targets(tmp_path):
    path = table(tmp_path, text=SMILES, stars=["1", "0"] * 5)
    with pytest.raises(SourceError, match="none of its columns is called label"):
        load(path, item_names=("text",), items_are_texts=True)


# Files of records


def write_sdf(folder):
    file = io.StringIO()
    with Chem.SDWriter(file) as writer:
        for number, smiles in enumerate(SMILES):
            mol = Chem.MolFromSmiles(smiles)
            mol.SetProp("_Name", f"mol {number}" if number else "")
            mol.SetProp("logS", LOG_S[number])
            mol.SetProp("SMILES", "wrong")
            writer.write(mol)
    return write(folder, file.getvalue() + "$$$$\n", "a.sdf")


def test_records_are_items_with_titles_and_properties(tmp_path):
    dataset = load(write_sdf(tmp_path))
    mols = [Chem.MolFromMolBlock(item) for item in dataset.items]
    assert [Chem.MolToSmiles(mol) for mol in mols] == [Chem.CanonSmiles(text) for text in SMILES]
    assert dataset.targets.tolist() == [float(cell) for cell in LOG_S]
    assert dataset.item_column == "molecule"
    values = ["record 1", *(f"mol {number}" for number in range(1, 10)), "record 11"]
    assert [value for _, value in dataset.source_rows] == values
    assert dataset.has_titles
    assert list(dataset.beside) == ["logS", "SMILES"]
    assert dataset.beside["logS"].tolist() == [*LOG_S, ""]
    assert [(found.item, found.value, found.reason) for found in dataset.problems] == [
        (10, "record 11", "the record is empty")
    ]


def test_a_property_can_be_the_item(tmp_path):
    dataset = load(write_sdf(tmp_path), item="SMILES", need_target=False)
    assert set(dataset.items) == {"wrong"}
    assert not dataset.has_titles
    assert list(dataset.beside) == ["logS"]


def test_a_list_of_smiles_has_items_but_no_targets(tmp_path):
    path = write(tmp_path, "CCO ethanol\nO\n", "a.smi")
    dataset = load(path, need_target=False)
    assert dataset.items == ["CCO", "O"]
    assert dataset.beside.to_dict("list") == {"name": ["ethanol", ""]}
    with pytest.raises(SourceError, match="Say which column holds the targets"):
        load(path)


def test_measurements_with_odd_cells_are_no_classes(tmp_path: Path) -> None:
    rows = [f"{'C' * (n + 1)}O,{'>' if n % 9 == 8 else ''}{n / 7:.3f}" for n in range(45)]
    table = tmp_path / "ic50.csv"
    table.write_text("smiles,ic50\n" + "\n".join(rows) + "\n")
    known = {"item_names": ("smiles",), "items_are_files": False, "target": "ic50"}
    message = r"5 of 45 cells of column 'ic50' are no finite numbers \(ic50.csv:10 '>1.143', .*task"
    with pytest.raises(SourceError, match=message):
        load_dataset(table, **known)
    dataset = load_dataset(table, **known, task="regression")
    assert len(dataset) == 40
    assert [problem.item for problem in dataset.problems] == [8, 17, 26, 35, 44]
    assert len(set(load_dataset(table, **known, task="classification").targets)) == 45


def test_names_of_classes_may_look_like_numbers(tmp_path: Path) -> None:
    table = tmp_path / "genes.csv"
    rows = [f"{'C' * (n + 1)}O,{['7', '12', 'BRCA1', '3'][n % 4]}" for n in range(40)]
    table.write_text("smiles,gene\n" + "\n".join(rows) + "\n")
    known = {"item_names": ("smiles",), "items_are_files": False, "target": "gene"}
    assert load_dataset(table, **known).task == "classification"
