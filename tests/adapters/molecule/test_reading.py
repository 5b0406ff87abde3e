"""Many molecules: n rows in, n rows out, whoever reads them."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from rdkit import Chem

from cnnkit.adapters.cache import ItemCache
from cnnkit.adapters.molecule import reading as reading_module
from cnnkit.adapters.molecule.grid import Grid
from cnnkit.adapters.molecule.parsing import Parsing
from cnnkit.adapters.molecule.reading import TASK_MOLECULES, Reading, read_molecules
from cnnkit.adapters.molecule.side import side_features, side_names

PLAIN = Reading(Parsing(), Grid(layouts=2))
DESCRIBED = Reading(Parsing(), Grid(layouts=1), ("descriptors",))
BAD = ["", None, float("nan"), "nan", "hello", "CC>>CO", "C1CC", "[AlH3](O)O", 5]


def read(texts, reading=PLAIN, **settings):
    return read_molecules(texts, reading, progress=False, **{"n_jobs": 1, **settings})


def assert_equal(samples, expected):
    for name in ("values", "offsets", "items", "summary", "side"):
        one, other = getattr(samples, name), getattr(expected, name)
        assert (one is None) == (other is None)
        if one is not None:
            assert one.dtype == other.dtype
            np.testing.assert_array_equal(one, other, err_msg=name)
    assert samples.problems == expected.problems


def encoded_texts(monkeypatch):
    """Return a list that gets each canonical SMILES that is encoded."""
    seen = []
    encode = Grid.encode

    def seeing(self, smiles):
        seen.extend(smiles)
        return encode(self, smiles)

    monkeypatch.setattr(Grid, "encode", seeing)
    return seen


def test_every_row_is_a_sample_or_a_problem_in_order(varied):
    texts = [text for pair in zip(varied, BAD * 2, strict=False) for text in pair]
    samples = read(texts)
    rejected = [problem.item for problem in samples.problems if problem.rejected]
    assert sorted([*samples.items.tolist(), *rejected]) == list(range(len(texts)))
    assert samples.items.tolist() == list(range(0, len(texts), 2))
    assert rejected == list(range(1, len(texts), 2))
    kinds = ("empty: ", "invalid: ", "unsupported: ")
    assert all(problem.reason.startswith(kinds) for problem in samples.problems if problem.rejected)
    assert {problem.value for problem in samples.problems} >= {"", "None", "nan", "hello", "5"}
    for row, item in enumerate(samples.items.tolist()):
        alone = read([texts[item]])
        part = samples[np.array([row])]
        np.testing.assert_array_equal(alone.values, part.values)
        np.testing.assert_array_equal(alone.summary, part.summary)


def test_remarks_stand_beside_the_samples_they_are_about():
    texts = ["CCO", "C–C", "[13CH4]", "C" * 60, "C1CC", "[2H]C" + "C" * 60]
    problems = read(texts).problems
    assert [problem.item for problem in problems] == [1, 2, 3, 4, 5, 5]
    assert [problem.rejected for problem in problems] == [False] * 3 + [True] + [False] * 2
    for problem, words in zip(
        problems, ["dashes", "13C", "of its size", "ring", "2H", "of its size"], strict=True
    ):
        assert words in problem.reason


def test_a_list_of_bad_rows_has_no_samples():
    for reading in (PLAIN, DESCRIBED):
        samples = read(BAD, reading)
        assert len(samples) == 0
        assert len(samples.problems) == len(BAD)
        assert samples.offsets.tolist() == [0]
        good = read(["CCO"], reading)
        assert samples.values.shape == (0, good.values.shape[1])
        assert samples.summary.shape == (0, good.summary.shape[1])
        assert samples.values.dtype == good.values.dtype
    assert len(read([])) == 0


def test_a_record_is_listed_by_its_title():
    block = "ethanol\n\n\n  0  0  0     0  0            999 V2000\nM  END\n"
    (problem,) = read([block]).problems
    assert problem.value == "ethanol"
    assert problem.reason.startswith("empty: ")


@pytest.mark.parametrize("reading", [PLAIN, DESCRIBED])
def test_two_processes_read_what_one_reads(varied, reading):
    texts = (varied + BAD) * 14
    assert len(texts) > TASK_MOLECULES
    assert_equal(read(texts, reading, n_jobs=2), read(texts, reading))


def test_equal_molecules_are_encoded_once_in_a_task(monkeypatch):
    seen = encoded_texts(monkeypatch)
    samples = read(["CCO", "OCC", "C(O)C ethanol", "InChI=1S/C2H6O/c1-2-3/h3H,2H2,1H3", "O"])
    assert seen == ["CCO", "O"]
    assert len(samples) == 5


def test_side_features_are_rdkits_with_nan_where_it_has_none():
    texts = ["CC(=O)Oc1ccccc1C(=O)O", "C1CC", "[Na+]"]
    samples = read(texts, DESCRIBED)
    assert samples.side.dtype == np.float16
    assert samples.side.shape == (2, len(side_names(["descriptors"])))
    for row, text in zip(samples.side, (texts[0], texts[2]), strict=True):
        exact = side_features(Chem.MolFromSmiles(Chem.CanonSmiles(text)), ["descriptors"])
        np.testing.assert_allclose(row, exact.clip(-60_000, 60_000), rtol=1e-3, atol=1e-6)
    assert np.isnan(samples.side[1]).any()
    assert not np.isinf(samples.side).any()
    assert read(["CCO"], PLAIN).side is None


def test_side_features_do_not_hang_on_how_a_molecule_is_written(varied):
    mols = [Chem.MolFromSmiles(text) for text in varied]
    others = [Chem.MolToRandomSmilesVect(mol, 1, randomSeed=3)[0] for mol in mols]
    reading = Reading(Parsing(), Grid(layouts=1), ("morgan", "descriptors"))
    assert_equal(read(others, reading), read(varied, reading))


def test_values_that_half_precision_cannot_hold_are_its_largest(monkeypatch):
    huge = np.array([1e30, -1e30, np.nan, 1.5], dtype=np.float32)
    monkeypatch.setattr(reading_module, "side_features", lambda mol, sides: huge)
    monkeypatch.setattr(reading_module, "side_names", lambda sides: ("a", "b", "c", "d"))
    np.testing.assert_array_equal(read(["C"], DESCRIBED).side, [[6e4, -6e4, np.nan, 1.5]])


@pytest.mark.parametrize("reading", [PLAIN, DESCRIBED])
def test_what_the_cache_gives_is_what_was_read(varied, reading, monkeypatch):
    texts = [*varied, "C" * 60, "C1CC", "CCO", "OCC"]
    fresh = read(texts, reading)
    first = read(texts, reading, cached=True)
    seen = encoded_texts(monkeypatch)
    again = read(texts[::-1], reading, cached=True)
    assert seen == ["C" * 60]  # what is remarkable is remarked upon every time
    assert_equal(first, fresh)
    assert_equal(read(texts, reading, cached=True, n_jobs=1), fresh)
    assert_equal(again, read(texts[::-1], reading))


def test_the_cache_is_keyed_by_what_is_kept(monkeypatch):
    seen = encoded_texts(monkeypatch)

    def is_new(reading):
        seen.clear()
        read(["CCO"], reading, cached=True)
        return bool(seen)

    grid = Grid(layouts=2)
    assert is_new(PLAIN)
    assert not is_new(PLAIN)
    for same in (replace(grid, augment=False), replace(grid, views=3)):
        assert not is_new(replace(PLAIN, encoding=same))
    assert not is_new(replace(PLAIN, parsing=Parsing(salts="largest", max_atoms=9)))
    for other in (replace(grid, layouts=3), replace(grid, pixel=0.5), replace(grid, pixels=64)):
        assert is_new(replace(PLAIN, encoding=other))
    assert is_new(replace(PLAIN, sides=("morgan",)))
    assert is_new(replace(PLAIN, sides=("descriptors",)))
    monkeypatch.setattr(Grid, "version", Grid.version + 1)
    assert is_new(PLAIN)
    monkeypatch.setattr(reading_module.rdkit, "__version__", "2099.01.1")
    assert is_new(PLAIN)
    monkeypatch.setattr(reading_module, "side_names", lambda sides: ("another",) * len(sides))
    assert is_new(PLAIN) is False
    before = Reading(Parsing(), grid, ("morgan",)).cache().folder
    monkeypatch.setattr(reading_module, "side_names", side_names)
    assert Reading(Parsing(), grid, ("morgan",)).cache().folder != before
    folders = [Reading(Parsing(), grid, sides).cache().folder for sides in ((), ("morgan",))]
    monkeypatch.setattr(reading_module, "SIDE_VERSION", reading_module.SIDE_VERSION + 1)
    assert Reading(Parsing(), grid).cache().folder == folders[0]
    assert Reading(Parsing(), grid, ("morgan",)).cache().folder != folders[1]


def test_a_cache_that_grew_too_large_loses_its_oldest_molecules(monkeypatch):
    small = partial(ItemCache, most_bytes=0)
    monkeypatch.setattr(reading_module, "ItemCache", small)
    read(["CCO", "CCN"], cached=True)
    assert not list(PLAIN.cache().folder.rglob("*.npy"))


def test_a_canonical_smiles_that_rdkit_cannot_read_again_is_one_problem(monkeypatch):
    parse = reading_module.parse_molecule

    def miswriting(text, how):
        molecule = parse(text, how)
        return replace(molecule, smiles="C1CC") if text == "CCC" else molecule

    monkeypatch.setattr(reading_module, "parse_molecule", miswriting)
    for reading in (PLAIN, DESCRIBED):
        samples = read(["O", "CCC", "N"], reading)
        assert samples.items.tolist() == [0, 2]
        (problem,) = samples.problems
        assert (problem.item, problem.rejected) == (1, True)
        assert problem.reason == "unsupported: RDKit writes it as 'C1CC', but can't read that again"


def test_a_failing_encoding_is_not_taken_for_bad_molecules(monkeypatch):
    def fail(self, smiles):
        raise RuntimeError("out of paper")

    monkeypatch.setattr(Grid, "encode", fail)
    with pytest.raises(RuntimeError, match="out of paper"):
        read(["CCO"])


def test_rdkit_says_nothing_on_the_terminal(capfd):
    read([*BAD, "[H][H]", "N[Pt](N)(Cl)Cl", "C[N+](C)(C)C", "InChI=1S/xyz"], DESCRIBED)
    said = capfd.readouterr()
    assert said.out + said.err == ""
