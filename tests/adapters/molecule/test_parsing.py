"""Texts to molecules, and what each bad text gets."""

import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest
from rdkit import Chem, rdBase
from rdkit.Chem.rdDepictor import Compute2DCoords
from rdkit.Chem.rdDistGeom import EmbedMolecule

from cnnkit.adapters.molecule.parsing import (
    Parsing,
    UnreadableMolecule,
    is_mol_block,
    parse_molecule,
)

MILLION = 10**6
PEPTIDE = "NCC(=O)" * 125 + "OC"
DIVERSE = [
    "C[C@H](N)C(=O)O",
    "F/C=C/[C@@H](Cl)Br",
    "OC[C@H]1O[C@@H](O)[C@H](O)[C@@H](O)[C@@H]1O",
    "CC(=O)Oc1ccccc1C(=O)O",
    "Cn1c(=O)c2c(ncn2C)n(C)c1=O",
    "CC1(C)S[C@@H]2[C@H](NC(=O)Cc3ccccc3)C(=O)N2[C@H]1C(=O)O",
    "C1[C@H]2C[C@@H]1CC2=O",
    "C[S@](=O)c1ccc([N+](=O)[O-])cc1",
    "C[C@]12CC[C@H]3[C@@H](CC[C@@H]4CC(=O)CC[C@]34C)[C@@H]1CC[C@@H]2O",
    "[Na+].[O-]c1c(F)c(F)c(F)c(F)c1F",
    "N[Pt](N)(Cl)Cl",
    "CCOP(=S)(OCC)SC(C)(C)C#N",
    "c1ccc2c(c1)[nH]c1cnccc12",
    "C/C(=N\\O)/C(=N/O)/C",
    "*c1ccc(*)s1",
]


def read(text, **how):
    return parse_molecule(text, Parsing(**how))


def refusal(text, **how):
    with pytest.raises(UnreadableMolecule) as caught:
        read(text, **how)
    reason = str(caught.value)
    assert "\n" not in reason
    assert len(reason) < 400
    return reason


def canonical(smiles):
    return Chem.MolToSmiles(Chem.MolFromSmiles(smiles))


def random_smiles(mol, count=30):
    return Chem.MolToRandomSmilesVect(mol, count, randomSeed=7)


def lay_out(smiles):
    mol = Chem.MolFromSmiles(smiles)
    Compute2DCoords(mol)
    return mol


def embed(smiles):
    mol = Chem.AddHs(Chem.MolFromSmiles(smiles))
    assert EmbedMolecule(mol, randomSeed=1) == 0
    return mol


@pytest.mark.parametrize(
    "item",
    ["", " ", "\n", None, float("nan"), np.float32("nan"), pd.NA, "nan", " NA", "None", "null"],
)
def test_a_missing_item_is_empty(item):
    assert refusal(item).startswith("empty: ")


def test_a_block_without_atoms_is_empty():
    block = Chem.MolToMolBlock(Chem.Mol())
    assert refusal(block) == (
        "empty: found a molecule without atoms; expected a SMILES, an InChI or a MOL block"
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("hello", "syntax error at letter 1, 'h'"),
        ("a text in words", "syntax error at letter 1, 'a'"),
        ("CCO#a", "syntax error at letter 5, 'a'"),
        ("CN(C)(C)C", "atom # 1 N, 4, is greater than permitted (RDKit counts atoms from 0)"),
        ("[AlH3](O)O", "explicit valence for atom # 0 Al"),
        ("C1CC", "unclosed ring"),
        ("c1cccn1", "can't kekulize mol. Unkekulized atoms: 0 1 2 3 4"),
        ("cc", "non-ring atom 0 marked aromatic"),
        ("C[N", "a bracket isn't closed"),
        ("C(C", "extra open parentheses at letter 2"),
        ("C)C", "extra close parentheses at letter 2"),
        ("C..C", "syntax error at letter 3, '.'"),
        ("CCO\nCCN", "several lines"),
        ("C\0C", r"letter 2 is '\x00'"),
        ("CCO\0", r"letter 4 is '\x00'"),
        ("C\ud800", r"letter 2 is '\ud800'"),
        ("Cé", r"letter 2 is '\xe9'"),
        ("C" * 300 + "x", "syntax error at letter 301, 'x'"),
        ("[2H]~[2H][SH4]", "explicit valence for atom # 0 H"),
    ],
)
def test_what_is_no_smiles_is_invalid_and_says_where(text, words):
    reason = refusal(text)
    assert reason.startswith("invalid: ")
    assert words in reason


@pytest.mark.parametrize(
    ("item", "kind"), [(b"CCO", "bytes"), (5, "int"), (2.5, "float"), (["CCO"], "list")]
)
def test_what_is_no_text_is_invalid(item, kind):
    reason = refusal(item)
    assert reason.startswith("invalid: ")
    assert f"type {kind}" in reason


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("CC>>CO", "a reaction"),
        ("C>O>CO", "a reaction"),
        ("[C,N]", "a SMARTS pattern"),
        ("LFQSCWFLJHTTHZ-UHFFFAOYSA-N", "an InChIKey"),
        ("[H][H]", "only hydrogen"),
        ("[H]", "only hydrogen"),
        ("[2H+]", "only hydrogen"),
        ("InChI=1S/H2/h1H", "only hydrogen"),
        ("C~[H]~C", "a hydrogen between two atoms"),
        (PEPTIDE, "found 502 heavy atoms; expected at most 200; leave it out, or raise max_atoms"),
    ],
)
def test_what_can_not_be_drawn_is_unsupported(text, words):
    reason = refusal(text)
    assert reason.startswith("unsupported: ")
    assert words in reason


@pytest.mark.parametrize(
    "text", ["x" * MILLION, "(" * MILLION, "C" * MILLION, "C(" * MILLION, "InChI=" + "C" * MILLION]
)
def test_an_endless_text_is_refused_before_it_is_parsed(text):
    assert refusal(text).startswith(f"unsupported: found {len(text)} letters")


def test_a_block_that_announces_atoms_without_lines_is_refused_before_memory_is_taken():
    block = Chem.MolToV3KMolBlock(lay_out("CCO")).replace("COUNTS 3 2", "COUNTS 99999999 2")
    assert "announces 100000001 atoms and bonds" in refusal(block)


def test_salts_of_endless_parts_are_refused():
    reason = refusal(".".join(["C"] * 150), salts="largest")
    assert reason.startswith("unsupported: found 150 parts")


@pytest.mark.parametrize(
    ("text", "smiles"),
    [
        ("CCO ethanol", "CCO"),
        (" CCO\tethanol\ud800é\0 ", "CCO"),
        ("CCO |$a;b;c$|", "CCO"),
        ("CCO |(0,0,0;1.5,0,0;2,1,0.5)| ethanol", "CCO"),
        ("OCC\r\n", "CCO"),
        (np.str_("OCC"), "CCO"),
        ("[H]C([H])([H])[H]", "C"),
        ("[Na+]", "[Na+]"),
        ("O", "O"),
        ("*", "*"),
        ("[1*]CC[2*]", "*CC*"),
        ("[#6]", "[C]"),
        ("CP(C)(C)(C)C", "CP(C)(C)(C)C"),
        ("[Pt](Cl)(Cl)(N)N", "N[Pt](N)(Cl)Cl"),
        ("[CH3:1][OH:2]", "CO"),
        ("C[C@H]([CH3:1])O", "CC(C)O"),
        ("CC.[Na+]", "CC.[Na+]"),
        ("C1.C1", "CC"),
    ],
)
def test_what_is_fine_is_read_without_a_note(text, smiles):
    molecule = read(text)
    assert molecule.smiles == canonical(smiles)
    assert molecule.notes == ()
    assert molecule.mol.GetNumConformers() == 0


@pytest.mark.parametrize(
    ("text", "smiles", "words"),
    [
        ("CCO |bad|", "CCO", "no CXSMILES extension"),
        ("CCO |" + "$" * MILLION, "CCO", "no CXSMILES extension"),
        ("C[C@H](O)F |&1:1|", "C[C@H](O)F", "relative or racemic stereo read as drawn"),
        ("InChI=1S/C2H6O/c1-2-3/h3H,2H2,1H3 ethanol", "CCO", "read from InChI"),
        ("C–C", "CC", "typographic dashes"),
        ("\ufeffC[O−].[Na+]", "C[O-].[Na+]", "invisible letters"),
        ("[2H]O[2H]", "O", "isotopes taken as plain atoms: 2H"),
        ("[2H][C@](C)(O)F", "C[C@@H](O)F", "2H"),
        ("[13CH3][C@H](C)O", "CC(C)O", "13C"),
        ("[H]/N=C/C", "CC=N", "E/Z that only a hydrogen showed"),
        ("[2H]/C(F)=C/F", "F/C=C\\F", "2H"),
        ("CN.[H+].[Cl-]", "CN.[Cl-]", "hydrogen bound to no other element"),
        ("[H-].[Na+]", "[Na+]", "hydrogen bound to no other element"),
    ],
)
def test_what_is_repaired_is_noted(text, smiles, words):
    molecule = read(text)
    assert molecule.smiles == canonical(smiles)
    assert words in " ".join(molecule.notes)
    assert all(atom.GetAtomicNum() != 1 for atom in molecule.mol.GetAtoms())


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("InChI=1S/C2H6O/c1-2", "Syntax error"),
        ("InChI=", "no reason given"),
        ("InChI=1S/C3H7NO2/c1-2(4)3(5)6/h2H,4H2,3H3,(H,5,6)", "explicit valence"),
        ("InChI=1S/CH4/h1H4\ud800", r"'\ud800'"),
    ],
)
def test_a_broken_inchi_is_invalid(text, words):
    reason = refusal(text)
    assert reason.startswith("invalid: ")
    assert words in reason


@pytest.mark.parametrize(
    ("text", "kept", "left_out"),
    [
        ("[Na+].CC(=O)[O-]", "CC(=O)[O-]", "2 parts kept; left out: [Na+]"),
        ("CCO.c1ccccc1", "c1ccccc1", "CCO"),
        ("CCN.CCO", "CCO", "CCN"),
        ("CCO.CCN", "CCO", "CCN"),
        ("O.[K+].[Na+].[Li+].[Cl-].[Br-].[I-].CC", "CC", "and 2 more"),
    ],
)
def test_the_largest_part_is_kept_as_charged_as_it_is(text, kept, left_out):
    molecule = read(text, salts="largest")
    assert molecule.smiles == kept
    assert left_out in " ".join(molecule.notes)


def test_the_largest_part_may_be_small_enough_where_the_whole_is_not():
    text = ".".join(["CCCCCCCCCC"] * 30)
    assert read(text, salts="largest").smiles == "CCCCCCCCCC"
    assert "found 300 heavy atoms" in refusal(text)


def test_mixtures_are_refused_where_salts_are():
    assert read("C1.C1", salts="refuse").smiles == "CC"
    reason = refusal("CC(=O)[O-].[Na+]", salts="refuse")
    assert reason.startswith("unsupported: found 2 parts: CC(=O)[O-], [Na+]")


@pytest.mark.parametrize("make", [Chem.MolToMolBlock, Chem.MolToV3KMolBlock])
@pytest.mark.parametrize("place", [lay_out, embed])
def test_a_block_gives_the_molecule_that_it_was_made_from(make, place):
    smiles = "C/C=C/[C@@H](N)C(=O)O"
    block = make(place(smiles))
    assert is_mol_block(block)
    title, rest = block.split("\n", 1)
    for text in [
        block,
        block.replace("\n", "\r\n"),
        block.strip(),
        f"V2000 {title}é\ud800\0\n{rest}> <M  END>\n5\n\n$$$$\n",
    ]:
        molecule = read(text)
        assert (molecule.smiles, molecule.notes) == (smiles, ())
        assert molecule.mol.GetNumConformers() == 0
        assert set(map(canonical, random_smiles(molecule.mol))) == {smiles}


def test_a_centre_of_a_three_dimensional_block_without_hydrogens_stays_the_same_everywhere():
    mol = Chem.RemoveHs(embed("C[C@H](N)C(=O)O"))
    read_back = read(Chem.MolToMolBlock(mol)).mol
    from_centre = Chem.MolToSmiles(read_back, rootedAtAtom=1, canonical=False)
    assert from_centre.startswith("[C@")
    assert canonical(from_centre) == "C[C@H](N)C(=O)O"


@pytest.mark.parametrize("make", [Chem.MolToMolBlock, Chem.MolToV3KMolBlock])
def test_a_truncated_block_is_invalid_and_swallows_no_other_record(make):
    block = make(lay_out("C/C=C/[C@@H](N)C(=O)O"))
    lines = block.split("\n")
    for count in range(4, len(lines) - 2):
        cut = "\n".join(lines[:count]) + "\n"
        for text in [cut, f"{cut}$$$$\n{block}"]:
            reason = refusal(text)
            assert reason.startswith("invalid: the MOL block ")
            assert "expected the whole record, up to 'M  END'" in reason


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (" O ", " Xx", "Element 'Xx' not found"),
        ("  1  2  1", "  1  9  1", "invalid: "),
        ("  1  2  1", "  1  2  3", "explicit valence for atom # 1 C"),
        ("V2000", "V9000", "invalid: "),
    ],
)
def test_a_wrong_block_is_invalid(old, new, words):
    block = Chem.MolToMolBlock(lay_out("CC(C)(C)O"))
    assert old in block
    assert words in refusal(block.replace(old, new))


def test_a_block_with_too_many_heavy_atoms_is_unsupported():
    block = Chem.MolToMolBlock(embed("CCCCCC"))
    assert read(block, max_atoms=6).smiles == "CCCCCC"
    assert "found 6 heavy atoms; expected at most 5" in refusal(block, max_atoms=5)


def test_a_line_that_only_speaks_of_blocks_is_none():
    assert not is_mol_block("CCO V2000 M  END")


def test_canonical_smiles_do_not_depend_on_how_a_molecule_is_written():
    for smiles in DIVERSE:
        mol = Chem.MolFromSmiles(smiles)
        mapped = Chem.Mol(mol)
        for atom in mapped.GetAtoms():
            atom.SetAtomMapNum(atom.GetIdx() + 1)
        written = [*random_smiles(mol), Chem.MolToSmiles(mapped), Chem.MolToSmiles(Chem.AddHs(mol))]
        assert len(set(written)) > 3
        assert {read(text).smiles for text in written} == {Chem.MolToSmiles(mol)}


def test_atoms_stand_in_the_order_of_the_text_and_centres_are_labelled():
    mol = read("[Na+].[O-]C(=O)[C@H]([13CH3])N([H])[H]", salts="largest").mol
    assert [atom.GetSymbol() for atom in mol.GetAtoms()] == ["O", "C", "O", "C", "C", "N"]
    assert Chem.FindMolChiralCenters(mol, force=False) == [(3, "S")]  # L-alanine


def test_stereo_is_left_out_where_it_is_to_be_ignored():
    texts = ["F/C=C/[C@H](Cl)Br", "F/C=C\\[C@@H](Cl)Br", Chem.MolToMolBlock(embed("FC=CC(Cl)Br"))]
    assert {read(text, ignore_stereo=True).smiles for text in texts} == {"FC=CC(Cl)Br"}


def test_nothing_goes_to_the_terminal_and_the_logs_stay_as_they_were(capfd):
    texts = ["[H+].O", "C1CC", "hello", "[H]", "InChI=1S/foo", "CN(C)(C)C", "x\nV2000\nM  END"]
    before = rdBase.LogStatus()
    for text in texts:
        try:
            read(text)
        except UnreadableMolecule:
            continue
    rdBase.DisableLog("rdApp.error")
    try:
        disabled = rdBase.LogStatus()
        assert "unclosed ring" in refusal("C1CC")
        assert rdBase.LogStatus() == disabled
    finally:
        rdBase.EnableLog("rdApp.error")
    assert rdBase.LogStatus() == before
    assert capfd.readouterr() == ("", "")


def test_each_thread_gets_the_reason_of_its_own_text():
    texts = [f"{'C' * count}#x" for count in range(1, 60)] * 4
    with ThreadPoolExecutor(8) as pool:
        reasons = list(pool.map(refusal, texts))
    assert all(
        f"letter {len(text)}, 'x'" in reason for text, reason in zip(texts, reasons, strict=True)
    )


def test_settings_molecules_and_reasons_go_between_processes():
    how = Parsing(max_atoms=5, salts="largest", ignore_stereo=True)
    assert pickle.loads(pickle.dumps(how)) == how
    molecule = read("OCC")
    assert pickle.loads(pickle.dumps(molecule)).smiles == "CCO"
    assert str(pickle.loads(pickle.dumps(UnreadableMolecule("empty: x")))) == "empty: x"


@pytest.mark.parametrize(
    ("settings", "words"),
    [({"max_atoms": 0}, "max_atoms is 0"), ({"salts": "larges"}, "Did you mean 'largest'")],
)
def test_wrong_settings_are_refused(settings, words):
    with pytest.raises(ValueError, match=words):
        Parsing(**settings)
