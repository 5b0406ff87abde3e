import numpy as np
import pytest
from rdkit import Chem, rdBase
from rdkit.Chem import Crippen, Descriptors, rdMolDescriptors

from cnnkit.adapters.molecule import points as points_module
from cnnkit.adapters.molecule.atoms import DESCRIPTION, HYBRIDS, describe_atoms, hybrids_of
from cnnkit.adapters.molecule.memory import Memory
from cnnkit.adapters.molecule.parsing import Parsing, parse_molecule
from cnnkit.adapters.molecule.points import ATOM_UNITS, ELEMENTS, PLACE_UNIT, points_of

WIDEST = 31.0
MOLECULES = {
    "aspirin": "CC(=O)Oc1ccccc1C(=O)O",
    "caffeine": "Cn1c(=O)c2c(ncn2C)n(C)c1=O",
    "penicillin": "CC1(C)S[C@@H]2[C@H](NC(=O)Cc3ccccc3)C(=O)N2[C@H]1C(=O)O",
    "salt": "[Na+].[O-]C(=O)c1ccccc1O",
    "hydrochloride": "C[NH+](C)CCOC(c1ccccc1)c1ccccc1.[Cl-]",
    "oxirane, nitrile, azide, sulfone": "C1OC1CC#N.[N-]=[N+]=NCCS(=O)(=O)C(F)(F)F",
    "sulfoxide, phosphate, thione": "C[S@](=O)c1ccc(OP(=O)(O)O)cc1.CNC(=S)NC",
    "cisplatin": "[NH3]->[Pt](<-[NH3])(Cl)Cl",
    "ferrocene-like": "[Fe+2].[CH-]1C=CC=C1.[CH-]1C=CC=C1",
    "radical": "CC1(C)CCCC(C)(C)N1[O]",
    "dummy": "*c1ccc(C(*)=O)cc1",
    "macrocycle": "O=C1CCCCCCCC/C=C\\CCCCO1",
    "halogens": "FC(Cl)(Br)I",
    "boron and silicon": "OB(O)c1ccc([Si](C)(C)C)cc1",
    "selenium and iodine": "O=I(=O)c1ccc[se]1",
    "sulfine and sulfur ylide": "NC(=S=O)C.C=S(C)C",
    "amide, as the sulfine": "CC(N)=O",
    "methane": "C",
    "chain": "C" * 60,
}


def canonical(text):
    return parse_molecule(text, Parsing()).smiles


def atom_rows(smiles):
    (points,) = points_of([smiles], 1, WIDEST)
    return points.values[: points.atoms, 2:]


@pytest.fixture(autouse=True)
def fresh_memory(monkeypatch):
    monkeypatch.setattr(points_module, "_DESCRIPTIONS", Memory(describe_atoms, DESCRIPTION))
    monkeypatch.setattr(points_module, "_HYBRIDS", Memory(hybrids_of, HYBRIDS))


@pytest.mark.parametrize("text", MOLECULES.values(), ids=MOLECULES)
def test_each_atom_is_what_rdkit_says(text):
    smiles = canonical(text)
    mol = Chem.MolFromSmiles(smiles)
    rows = atom_rows(smiles)
    for atom, row in zip(mol.GetAtoms(), rows, strict=True):
        symbol = atom.GetSymbol()
        hybrid = atom.GetHybridization()
        code = atom.GetProp("_CIPCode") if atom.HasProp("_CIPCode") else ""
        assert row[:8].tolist() == [
            ELEMENTS.index(symbol) if symbol in ELEMENTS else len(ELEMENTS),
            atom.GetFormalCharge(),
            atom.GetTotalNumHs(),
            atom.GetIsAromatic(),
            atom.IsInRing(),
            hybrid == Chem.HybridizationType.SP2,
            hybrid == Chem.HybridizationType.SP,
            {"R": 1, "S": -1}.get(code, 0),
        ]


@pytest.mark.parametrize("text", MOLECULES.values(), ids=MOLECULES)
def test_contributions_add_up_to_the_whole_molecule(text):
    smiles = canonical(text)
    mol = Chem.MolFromSmiles(smiles)
    log_p, refractivity, polar, surface = atom_rows(smiles)[:, 8:].astype(float).sum(axis=0)
    half_unit_an_atom = mol.GetNumAtoms() / 2
    assert log_p == pytest.approx(Crippen.MolLogP(mol) * 1e4, abs=half_unit_an_atom)
    assert refractivity == pytest.approx(Crippen.MolMR(mol) * 1e3, abs=half_unit_an_atom)
    assert polar == round(Descriptors.TPSA(mol) * 100)
    contributions, of_hydrogens = rdMolDescriptors._CalcLabuteASAContribs(mol)
    whole = rdMolDescriptors.CalcLabuteASA(mol) - of_hydrogens
    assert surface == pytest.approx(whole * 1e3, abs=half_unit_an_atom)
    assert len(contributions) == mol.GetNumAtoms()


def test_a_surface_larger_than_16_bits_hold_stays_a_large_one():
    with rdBase.BlockLogs():
        for symbol in ("K", "Ca", "Cs", "Ba", "Ra"):
            (row,) = atom_rows(f"[{symbol}+]").tolist()
            mol = Chem.MolFromSmiles(f"[{symbol}+]")
            (surface,) = rdMolDescriptors._CalcLabuteASAContribs(mol)[0]
            assert surface > 32.767
            assert row[-1] == 32_767


@pytest.mark.parametrize("text", MOLECULES.values(), ids=MOLECULES)
def test_each_bond_is_what_rdkit_says(text):
    smiles = canonical(text)
    mol = Chem.MolFromSmiles(smiles)
    (points,) = points_of([smiles], 1, WIDEST)
    kinds = {2.0: 1, 3.0: 2, 1.5: 3}
    expected = sorted(
        [
            *sorted((bond.GetBeginAtomIdx(), bond.GetEndAtomIdx())),
            kinds.get(bond.GetBondTypeAsDouble(), 0),
            bond.IsInRing(),
        ]
        for bond in mol.GetBonds()
    )
    rows = points.values[points.atoms :]
    assert rows[:, 2:6].tolist() == expected
    assert not rows[:, :2].any()
    assert not rows[:, 6:].any()


@pytest.mark.parametrize("text", MOLECULES.values(), ids=MOLECULES)
def test_the_order_of_the_text_does_not_matter(text):
    mol = Chem.MolFromSmiles(text)
    (expected,) = points_of([canonical(text)], 3, WIDEST)
    others = [Chem.MolToRandomSmilesVect(mol, 1, seed)[0] for seed in range(1, 6)]
    for found in points_of([canonical(other) for other in others], 3, WIDEST):
        assert np.array_equal(found.values, expected.values)
        assert found[1:] == expected[1:]


def test_what_came_before_does_not_matter():
    smiles = [canonical(text) for text in MOLECULES.values()]
    alone = []
    for text in smiles:
        points_module._DESCRIPTIONS = Memory(describe_atoms, DESCRIPTION)
        points_module._HYBRIDS = Memory(hybrids_of, HYBRIDS)
        alone += points_of([text], 1, WIDEST)
    for most in (2**16, 12):
        points_module._DESCRIPTIONS = Memory(describe_atoms, DESCRIPTION, most)
        points_module._HYBRIDS = Memory(hybrids_of, HYBRIDS, most)
        found = points_of(smiles + smiles[::-1], 1, WIDEST)
        for one, other in zip(found, alone + alone[::-1], strict=True):
            assert np.array_equal(one.values, other.values)


def test_known_surroundings_are_not_asked_about_again():
    texts = ["CCO", "c1ccccc1", "CC#N"]
    points_of(texts, 1, WIDEST)
    assert points_module._DESCRIPTIONS.asked == 3
    points_of(texts * 100, 1, WIDEST)
    assert points_module._DESCRIPTIONS.asked == 3


def test_what_is_too_wide_is_shrunk_and_says_so():
    (points,) = points_of([canonical(MOLECULES["chain"])], 1, WIDEST)
    places = points.values[: points.atoms, :2] * PLACE_UNIT
    # 60 atoms in a zigzag: 59 bonds of 1.5 Å at angles of 120°.
    assert points.scale == pytest.approx(WIDEST / (59 * 1.5 * np.sin(np.pi / 3)), rel=1e-3)
    assert np.ptp(places, axis=0).max() == pytest.approx(WIDEST, abs=2 * PLACE_UNIT)
    np.testing.assert_allclose(places.min(axis=0), -places.max(axis=0), atol=2 * PLACE_UNIT)


def test_one_atom_lies_in_the_middle():
    (points,) = points_of(["C"], 2, WIDEST)
    assert points.values[:, :4].tolist() == [[0, 0, 0, 0]]
    assert points.scale == 1.0


def test_every_column_of_an_atom_has_a_unit():
    assert atom_rows("CCO").shape[1] == len(ATOM_UNITS)


def test_no_molecules_give_no_points():
    assert points_of([], 1, WIDEST) == []


@pytest.mark.parametrize(
    ("cis", "trans"),
    [
        ("C[C@H]1CC[C@H](C)CC1", "C[C@H]1CC[C@@H](C)CC1"),
        ("C[C@H]1C[C@H](C)C1", "C[C@H]1C[C@@H](C)C1"),
        ("N[C@H]1CC[C@H](O)CC1", "N[C@H]1CC[C@@H](O)CC1"),
    ],
)
def test_cis_and_trans_on_a_ring_differ_in_the_channel_of_handedness_only(
    cis: str, trans: str
) -> None:
    one, other = (
        points_of([parse_molecule(text, Parsing()).smiles], 1, 31.0)[0].values
        for text in (cis, trans)
    )
    assert set(np.nonzero(one != other)[1].tolist()) == {9}  # after x, y and seven other columns
