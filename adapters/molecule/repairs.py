"""What a molecule is freed of before it is drawn: hydrogens, isotopes, atom maps, other parts."""

from __future__ import annotations

from collections.abc import Sequence

from rdkit import Chem
from rdkit.Chem import rdMolDescriptors

# '–' and '−' come from word processors and PDF files, the letters without width from web pages.
DASHES = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d"
INVISIBLE = "\u00ad\u200b\u200c\u200d\u2060\ufeff"
PLAIN = str.maketrans(dict.fromkeys(DASHES, "-") | dict.fromkeys(INVISIBLE, ""))

REMOVED_HYDROGENS = (
    "removeDefiningBondStereo",
    "removeDegreeZero",
    "removeDummyNeighbors",
    "removeHydrides",
    "removeNontetrahedralNeighbors",
    "removeOnlyHNeighbors",
    "removeWithQuery",
)
NAMED_PARTS = 5  # in a note
NUMBER = "_number_in_text"  # the property of an atom or a bond that `number` sets


def plain_letters(smiles: str) -> tuple[str, list[str]]:
    """Write typographic dashes as hyphens, leave invisible letters out, and note it.

    Examples
    --------
    >>> plain_letters("C–C")
    ('C-C', ['typographic dashes or invisible letters read as plain SMILES'])
    """
    plain = smiles.translate(PLAIN)
    if plain == smiles:
        return smiles, []
    return plain, ["typographic dashes or invisible letters read as plain SMILES"]


def number(mol: Chem.Mol) -> None:
    """Let atoms and bonds know their numbers in the text, before some of them are taken away."""
    parts: list[Chem.Atom | Chem.Bond] = [*mol.GetAtoms(), *mol.GetBonds()]
    for part in parts:
        if not part.HasProp(NUMBER):
            part.SetIntProp(NUMBER, part.GetIdx())


def number_in_text(part: Chem.Atom | Chem.Bond) -> int:
    """Return the number that an atom or a bond has in the text, as RDKit counts them.

    Examples
    --------
    >>> mol, _ = tidy(Chem.MolFromSmiles("[2H]OC"))
    >>> [number_in_text(atom) for atom in mol.GetAtoms()]
    [1, 2]
    """
    return part.GetIntProp(NUMBER) if part.HasProp(NUMBER) else part.GetIdx()


def tidy(mol: Chem.Mol) -> tuple[Chem.Mol, list[str]]:
    """Merge hydrogens into their atoms; drop isotopes, atom maps, coordinates and stereo groups.

    A hydrogen between two heavy atoms stays.

    Returns
    -------
    mol : Mol
        In the same order of atoms, which know their numbers in the text, with stereo assigned
        anew: what differed only in an isotope or a map number is no centre any more. Without
        atoms if there was only hydrogen.
    notes : list of str

    Examples
    --------
    >>> mol, notes = tidy(Chem.MolFromSmiles("[2H]C([2H])([2H])[13CH2:7]O"))
    >>> Chem.MolToSmiles(mol), notes
    ('CCO', ['isotopes taken as plain atoms: 13C, 2H'])
    """
    number(mol)
    notes = _drop_labels(mol)
    mol.RemoveAllConformers()
    mol, groups = _drop_stereo_groups(mol)
    Chem.AssignStereochemistry(mol, cleanIt=True, force=True)
    mol, hydrogens = _merge_hydrogens(mol)
    _count_hydrogens_of_centres(mol)
    return mol, notes + groups + hydrogens


def largest_part(mol: Chem.Mol) -> tuple[Chem.Mol, list[str]]:
    """Keep the part with the most heavy atoms, as charged as it is, and name the others.

    Of equally large parts the heavier is kept, and then the first by canonical SMILES, wherever
    they stand in the text.

    Examples
    --------
    >>> mol, notes = largest_part(Chem.MolFromSmiles("[Na+].CC(=O)[O-]"))
    >>> Chem.MolToSmiles(mol), notes
    ('CC(=O)[O-]', ['the largest of 2 parts kept; left out: [Na+]'])
    """
    if len(Chem.GetMolFrags(mol)) < 2:
        return mol, []
    number(mol)
    parts: Sequence[Chem.Mol] = Chem.GetMolFrags(mol, asMols=True)
    named = [(part, Chem.MolToSmiles(part)) for part in parts]
    named.sort(key=lambda pair: (-pair[0].GetNumAtoms(), -_weight(pair[0]), pair[1]))
    kept, *others = named
    listed = name_parts([smiles for _, smiles in others])
    return kept[0], [f"the largest of {len(parts)} parts kept; left out: {listed}"]


def name_parts(smiles: Sequence[str]) -> str:
    """List the first parts of a mixture, and how many more there are.

    Examples
    --------
    >>> name_parts(["O", "[Na+]"])
    'O, [Na+]'
    """
    more = len(smiles) - NAMED_PARTS
    return ", ".join(smiles[:NAMED_PARTS]) + (f", … and {more} more" if more > 0 else "")


def _weight(mol: Chem.Mol) -> float:
    return float(rdMolDescriptors.CalcExactMolWt(mol))


def _drop_labels(mol: Chem.Mol) -> list[str]:
    isotopes = set()
    for atom in mol.GetAtoms():
        if atom.GetIsotope():
            if atom.GetAtomicNum():  # of a dummy atom it is a label, as a map number is
                isotopes.add(f"{atom.GetIsotope()}{atom.GetSymbol()}")
            atom.SetIsotope(0)
        atom.SetAtomMapNum(0)
    return [f"isotopes taken as plain atoms: {', '.join(sorted(isotopes))}"] if isotopes else []


def _drop_stereo_groups(mol: Chem.Mol) -> tuple[Chem.Mol, list[str]]:
    """Read 'this centre or its mirror image' as drawn: such groups change the atoms' ranks."""
    kinds = {group.GetGroupType() for group in mol.GetStereoGroups()}
    if not kinds:
        return mol, []
    editable = Chem.RWMol(mol)
    editable.SetStereoGroups([])
    relative = kinds - {Chem.StereoGroupType.STEREO_ABSOLUTE}
    notes = ["relative or racemic stereo read as drawn"] if relative else []
    return editable.GetMol(), notes


def _merge_hydrogens(mol: Chem.Mol) -> tuple[Chem.Mol, list[str]]:
    hydrogens = [atom for atom in mol.GetAtoms() if atom.GetAtomicNum() == 1]
    if not hydrogens:
        return mol, []
    notes = ["hydrogen bound to no other element left out"] if any(map(_alone, hydrogens)) else []
    merged = Chem.RemoveHs(mol, _every_hydrogen())
    Chem.AssignStereochemistry(merged, cleanIt=True, force=True)
    if _count_stereo_bonds(merged) < _count_stereo_bonds(mol):
        notes.append("E/Z that only a hydrogen showed left out")
    return merged, notes


def _count_hydrogens_of_centres(mol: Chem.Mol) -> None:
    """Write the hydrogen of a centre down, as a SMILES does.

    RDKit leaves it implicit where a centre was found from 3-D coordinates, and a SMILES that
    begins with such a centre then means the mirror image.
    """
    for atom in mol.GetAtoms():
        if atom.GetChiralTag() != Chem.ChiralType.CHI_UNSPECIFIED:
            atom.SetNumExplicitHs(atom.GetTotalNumHs())
            atom.SetNoImplicit(True)


def _alone(hydrogen: Chem.Atom) -> bool:
    return all(neighbour.GetAtomicNum() == 1 for neighbour in hydrogen.GetNeighbors())


def _every_hydrogen() -> Chem.RemoveHsParameters:
    """All but hydrogens with two neighbours, which RDKit would take out of the middle."""
    rules = Chem.RemoveHsParameters()
    for rule in REMOVED_HYDROGENS:
        setattr(rules, rule, True)
    return rules


def _count_stereo_bonds(mol: Chem.Mol) -> int:
    return sum(bond.GetStereo() > Chem.BondStereo.STEREOANY for bond in mol.GetBonds())
