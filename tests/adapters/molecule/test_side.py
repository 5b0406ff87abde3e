from collections import Counter

import numpy as np
import pytest
from rdkit import Chem, rdBase
from rdkit.Chem import rdFingerprintGenerator, rdMolDescriptors

from cnnkit.adapters.molecule.descriptors import DESCRIPTORS
from cnnkit.adapters.molecule.side import SIDES, check_side_names, side_features, side_names

ASPIRIN = Chem.MolFromSmiles("CC(=O)Oc1ccccc1C(=O)O")


def described(mol: Chem.Mol) -> dict[str, float]:
    return dict(zip(DESCRIPTORS, side_features(mol, ["descriptors"]), strict=True))


def test_morgan_counts_are_the_unfolded_ones_folded():
    unfolded = rdFingerprintGenerator.GetMorganGenerator(radius=2).GetSparseCountFingerprint(
        ASPIRIN
    )
    folded = Counter()
    for key, count in unfolded.GetNonzeroElements().items():
        folded[key % 2048] += count
    found = side_features(ASPIRIN, ["morgan"])
    assert found.dtype == np.float32
    assert {int(slot): found[slot] for slot in np.flatnonzero(found)} == folded
    assert found.max() > 1


def test_counts_of_mirror_images_are_equal():
    left, right = (Chem.MolFromSmiles(f"C[{tag}H](N)C(=O)O") for tag in ("C@", "C@@"))
    np.testing.assert_array_equal(side_features(left, SIDES), side_features(right, SIDES))


@pytest.mark.parametrize("sides", [(), ("morgan",), ("descriptors",), SIDES, SIDES[::-1]])
def test_features_stand_in_the_order_of_their_names(sides):
    names, values = side_names(sides), side_features(ASPIRIN, sides)
    assert values.shape == (len(names),)
    assert (
        len(set(names)) == len(names) == 2048 * ("morgan" in sides) + 209 * ("descriptors" in sides)
    )
    if "descriptors" in sides:
        for name, truth in [("TPSA", 63.6), ("HeavyAtomCount", 13), ("fr_benzene", 1)]:
            assert values[names.index(name)] == np.float32(truth)
    if "morgan" in sides:
        first = names.index("morgan 0")
        only = side_features(ASPIRIN, ["morgan"])
        np.testing.assert_array_equal(values[first : first + 2048], only)


def test_what_has_no_value_is_nan():
    values = described(Chem.MolFromSmiles("[Na+]"))
    assert np.isnan(values["BCUT2D_MWHI"])
    assert values["HeavyAtomCount"] == 1


def test_what_float32_cannot_hold_is_nan(monkeypatch):
    monkeypatch.setattr(rdMolDescriptors, "PEOE_VSA_", lambda mol: [1e300] * 14)
    values = described(ASPIRIN)
    assert np.isnan(values["PEOE_VSA1"])
    assert np.isfinite(values["SMR_VSA1"])


def test_unknown_and_repeated_sides_are_refused():
    with pytest.raises(ValueError, match=r"'morgn'.*'morgan' and 'descriptors'.*mean 'morgan'"):
        side_features(ASPIRIN, ["morgn"])
    with pytest.raises(ValueError, match="once"):
        side_names(["morgan", "morgan"])


def test_a_model_with_other_features_is_refused():
    names = side_names(["descriptors"])
    check_side_names(list(names), ["descriptors"])
    with pytest.raises(ValueError, match=r"it lacks 'Eccentricity'.*Train"):
        check_side_names([*names, "Eccentricity"], ["descriptors"])
    with pytest.raises(ValueError, match=r"trained without 'fr_urea'\."):
        check_side_names([name for name in names if name != "fr_urea"], ["descriptors"])
    with pytest.raises(ValueError, match="another order"):
        check_side_names(names[::-1], ["descriptors"])


def test_rdkit_says_nothing_on_the_terminal(monkeypatch, capfd):
    def complain(mol):
        rdBase.LogErrorMsg("complaint")
        return [0.0] * 14

    complain(None)
    assert "complaint" in capfd.readouterr().err
    monkeypatch.setattr(rdMolDescriptors, "PEOE_VSA_", complain)
    side_features(ASPIRIN, SIDES)
    said = capfd.readouterr()
    assert said.out + said.err == ""
