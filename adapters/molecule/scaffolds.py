"""Finds the scaffold of a molecule: its rings and the chains between them."""

from __future__ import annotations

from rdkit import Chem


def scaffold(mol: Chem.Mol) -> str:
    """Write the Bemis-Murcko scaffold of a molecule as canonical SMILES, without stereo.

    What is neither ring nor chain between rings is taken off, except atoms bound to these by a
    double bond. Molecules of one scaffold are much alike, so a split that keeps whole scaffolds on
    one side tests on molecules of another build.

    Parameters
    ----------
    mol : Mol
        Sanitised; it isn't changed.

    Returns
    -------
    str
        Empty for a molecule without rings: such molecules are one family in every split by
        scaffolds, as in deepchem and chemprop, and often the largest.

    References
    ----------
    G. W. Bemis and M. A. Murcko, "The properties of known drugs. 1. Molecular frameworks", J. Med.
    Chem. 39 (1996). The same text as RDKit's
    `MurckoScaffold.MurckoScaffoldSmiles(mol=mol, includeChirality=False)`, which deepchem and
    chemprop split by.

    Examples
    --------
    >>> scaffold(Chem.MolFromSmiles("OC(=O)c1ccccc1CCC1CC1Cl"))
    'c1ccc(CCC2CC2)cc1'
    >>> scaffold(Chem.MolFromSmiles("CCO"))
    ''
    """
    return Chem.MolToSmiles(Chem.MurckoDecompose(mol), isomericSmiles=False)
