import numpy as np
import pytest
from rdkit import Chem
from rdkit.Chem import Crippen
from sklearn.base import clone
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.model_selection import cross_val_score

from cnnkit.adapters.base import BadItemsError
from cnnkit.adapters.molecule.baseline import MoleculeFeatures, forest, make_baseline
from cnnkit.adapters.molecule.parsing import Parsing
from cnnkit.adapters.molecule.side import side_features

RNG = np.random.default_rng(0)
PIECES = ["C", "CC", "O", "N", "C(=O)", "c1ccc(cc1)", "C(Cl)", "S", "C(F)(F)"]
ITEMS = ["C" + "".join(RNG.choice(PIECES, RNG.integers(1, 6))) + "C" for _ in range(60)]
MOLS = [Chem.MolFromSmiles(item) for item in ITEMS]
LOGP = np.array([Crippen.MolLogP(mol) for mol in MOLS])
COUNTS = np.array([side_features(mol, ["morgan"]) for mol in MOLS])
WATER = np.where(LOGP > 1.5, "shuns", "likes")


def test_it_says_what_a_forest_on_the_counts_says():
    model = make_baseline().fit(ITEMS, WATER)
    by_hand = RandomForestClassifier(100, random_state=0).fit(COUNTS, WATER)
    assert model.classes_.tolist() == ["likes", "shuns"]
    np.testing.assert_array_equal(model.predict_proba(ITEMS), by_hand.predict_proba(COUNTS))
    numbers = make_baseline("regression").fit(ITEMS, LOGP)
    by_hand = RandomForestRegressor(100, max_features=1 / 3, random_state=0).fit(COUNTS, LOGP)
    np.testing.assert_allclose(numbers.predict(ITEMS), by_hand.predict(COUNTS))


def test_a_label_is_learnt_from_the_rows_where_it_is_known():
    y = np.stack([LOGP > 1.5, LOGP < 0.5, np.ones(60)], axis=1).astype(float)
    y[:20, 0] = y[30:, 1] = y[:, 2][5:] = np.nan
    found = make_baseline("multilabel").fit(ITEMS, y).predict_proba(ITEMS)
    for column, rows in enumerate([slice(20, None), slice(30)]):
        alone = RandomForestClassifier(100, random_state=0).fit(COUNTS[rows], y[rows, column])
        np.testing.assert_array_equal(found[:, column], alone.predict_proba(COUNTS)[:, 1])
    assert (found[:, 2] == 1).all()


def test_two_fits_say_the_same():
    first, second = (make_baseline().fit(ITEMS[:30], WATER[:30]) for _ in range(2))
    np.testing.assert_array_equal(first.predict_proba(ITEMS), second.predict_proba(ITEMS))


@pytest.mark.parametrize("sides", [("morgan",), ("descriptors",), ("morgan", "descriptors")])
def test_any_side_features_can_be_asked_for(sides):
    model = forest("regression", sides).fit(ITEMS, LOGP)
    expected = [side_features(mol, sides) for mol in MOLS]
    np.testing.assert_array_equal(model["features"].transform(ITEMS), expected)
    error = np.abs(model.predict(ITEMS) - LOGP).mean()
    assert error < 0.5 * np.abs(LOGP - LOGP.mean()).mean()


@pytest.mark.parametrize("task", ["classification", "regression", "multilabel"])
def test_values_that_are_not_known_are_no_obstacle(task):
    items = [*ITEMS[:20], "[Na+]", "CC(=O)[O-].[Na+]"]
    y = {
        "classification": WATER[:22],
        "regression": LOGP[:22],
        "multilabel": np.stack([LOGP[:22] > 1.5, LOGP[:22] > 1], axis=1).astype(float),
    }[task]
    model = forest(task, ["descriptors"])
    assert np.isnan(model["features"].transform(items)).any()
    assert len(model.fit(items, y).predict(["[Na+]", "CCO"])) == 2
    assert len(model.fit(ITEMS[:22], y).predict(["[Na+]", "CCO"])) == 2


def test_every_unreadable_item_is_named():
    model = make_baseline().fit(ITEMS, WATER)
    with pytest.raises(BadItemsError) as caught:
        model.predict(["CCO", "c1ccc", "", "CC"])
    assert isinstance(caught.value, ValueError)
    assert [problem.item for problem in caught.value.problems] == [1, 2]
    assert "item 1 'c1ccc': invalid" in str(caught.value)
    assert "item 2 '': empty" in str(caught.value)


def test_molecules_are_read_as_they_are_told_to_be():
    salt = ["CC(=O)[O-].[Na+]", "CC(=O)[O-]"]
    kept, acid = MoleculeFeatures().transform(salt)
    assert (kept != acid).any()
    largest = MoleculeFeatures(parsing=Parsing(salts="largest")).transform(salt)
    np.testing.assert_array_equal(largest[0], largest[1])
    with pytest.raises(BadItemsError):
        forest(parsing=Parsing(max_atoms=5)).fit(["CCCCCC", "C"], ["a", "b"])


def test_no_items_give_no_rows():
    assert MoleculeFeatures(["descriptors"]).transform([]).shape == (0, 209)


def test_it_can_be_cloned_and_cross_validated():
    model = clone(forest(parsing=Parsing(salts="largest")))
    assert model["features"].parsing == Parsing(salts="largest")
    assert cross_val_score(model, ITEMS, WATER, cv=3).mean() > 0.7
