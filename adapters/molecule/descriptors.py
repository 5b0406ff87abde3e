"""RDKit's descriptors of a molecule: what several of them need is computed once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import cast

import numpy as np
from rdkit import Chem, rdBase
from rdkit.Chem import Descriptors, MolSurf, rdFingerprintGenerator, rdMolDescriptors
from rdkit.Chem.EState import EState_VSA
from rdkit.Chem.rdPartialCharges import ComputeGasteigerCharges

from cnnkit.adapters.molecule.intermediates import FloatArray, Intermediates

Values = Sequence[float] | FloatArray
Family = tuple[list[str], Callable[[Intermediates], Values]]


def _binned(values: FloatArray, edges: Sequence[float], weights: FloatArray) -> FloatArray:
    """Sum the weights of the values in each interval."""
    bins = np.searchsorted(edges, values, side="right")
    return np.bincount(bins, weights, minlength=len(edges) + 1).astype(np.float64)


def _partial_charges(of: Intermediates) -> Values:
    lowest, highest = of.charges.min(), of.charges.max()
    extremes = sorted((abs(lowest), abs(highest)))
    return [highest, lowest, extremes[1], extremes[0]]


def _burden(of: Intermediates) -> Values:
    """Compute the outer eigenvalues of four Burden matrices (Pearlman & Smith 1999)."""
    if (of.atoms[0] == 1).any():
        return cast(list[float], rdMolDescriptors.BCUT2D(of.mol))
    ComputeGasteigerCharges(of.mol, throwOnParamFailure=True)
    masses = [atom.GetMass() for atom in of.mol.GetAtoms()]
    logp, refractivity = of.crippen[: len(masses)].T
    order = Chem.GetAdjacencyMatrix(of.mol, useBO=True, prefix="order")
    matrices = np.repeat(np.where(order > 0, order**-0.5, 0.001)[None], 4, axis=0)
    atom = np.arange(len(masses))
    matrices[:, atom, atom] = masses, of.charges, logp, refractivity
    return np.linalg.eigvalsh(matrices)[:, [-1, 0]].ravel()


@cache
def _morgan(radius: int) -> rdFingerprintGenerator.FingerprintGenerator64:
    return rdFingerprintGenerator.GetMorganGenerator(radius)


def _densities(of: Intermediates) -> Values:
    """Count different atom environments for each heavy atom."""
    heavy = of.mol.GetNumHeavyAtoms()
    prints = [_morgan(radius).GetSparseFingerprint(of.mol) for radius in (1, 2, 3)]
    return [each.GetNumOnBits() / heavy if heavy else 0.0 for each in prints]


def _balaban(of: Intermediates) -> Values:
    distance = Chem.GetDistanceMatrix(of.mol, useBO=True, prefix="Balaban").sum(0)
    first, second = of.bonds
    circuits = len(first) - len(distance) + 1
    if circuits == -1:
        return [0.0]
    return [len(first) / (circuits + 1) * ((distance[first] * distance[second]) ** -0.5).sum()]


def _electrons(of: Intermediates) -> Values:
    _, hydrogens, charge, unpaired = of.atoms
    return [(of.outer_electrons - charge + hydrogens).sum(), unpaired.sum()]


def _low_chi(of: Intermediates) -> Values:
    first, second = of.bonds
    degrees = of.degrees
    return [
        (degrees[degrees > 0] ** -0.5).sum(),
        ((degrees[first] * degrees[second]) ** -0.5).sum(),
    ]


_PATHS = ["Chi2n", "Chi2v", "Chi3n", "Chi3v", "Chi4n", "Chi4v", "Kappa2", "Kappa3", "Phi"]


def _chi_and_kappa(of: Intermediates) -> Values:
    """Compute the indices of paths (Hall & Kier 1991)."""
    if not of.has_closed_forms:
        return [getattr(rdMolDescriptors, f"Calc{name}")(of.mol) for name in _PATHS]
    (two, *chi2), (three, *chi3), (_, *chi4) = of.paths
    alpha = rdMolDescriptors.CalcHallKierAlpha(of.mol)
    heavy = of.mol.GetNumHeavyAtoms()
    size = heavy + alpha
    kappa2 = (size - 1) * (size - 2) ** 2 / (two + alpha) ** 2 if two + alpha else 0.0
    odd = heavy % 2
    kappa3 = (size - 2 + odd) * (size - 3) ** 2 / (three + alpha) ** 2 if three + alpha else 0.0
    phi = rdMolDescriptors.CalcKappa1(of.mol) * kappa2 / heavy
    return [*chi2, *chi3, *chi4, kappa2, kappa3, phi]


def _numbered(name: str, n: int) -> list[str]:
    return [f"{name}{number}" for number in range(1, n + 1)]


_TOGETHER: list[Family] = [
    (
        ["MaxPartialCharge", "MinPartialCharge", "MaxAbsPartialCharge", "MinAbsPartialCharge"],
        _partial_charges,
    ),
    (["FpDensityMorgan1", "FpDensityMorgan2", "FpDensityMorgan3"], _densities),
    (
        [
            f"BCUT2D_{weight}{end}"
            for weight, ends in [
                ("MW", ("HI", "LOW")),
                ("CHG", ("HI", "LO")),
                ("LOGP", ("HI", "LOW")),
                ("MR", ("HI", "LOW")),
            ]
            for end in ends
        ],
        _burden,
    ),
    (["BalabanJ"], _balaban),
    (["NumValenceElectrons", "NumRadicalElectrons"], _electrons),
    (["Chi0", "Chi1"], _low_chi),
    (_PATHS, _chi_and_kappa),
    (["MolLogP", "MolMR"], lambda of: of.crippen.sum(0)),
    (["MaxEStateIndex"], lambda of: [of.e_state.max()]),
    (
        _numbered("EState_VSA", 11),
        lambda of: _binned(of.e_state, EState_VSA.estateBins, of.surface),
    ),
    (
        _numbered("VSA_EState", 10),
        lambda of: _binned(of.surface, EState_VSA.vsaBins, of.e_state),
    ),
    (_numbered("PEOE_VSA", 14), lambda of: rdMolDescriptors.PEOE_VSA_(of.mol)),
    (
        _numbered("SlogP_VSA", 12),
        lambda of: _binned(of.crippen[: len(of.surface), 0], MolSurf.logpBins, of.surface),
    ),
    (
        _numbered("SMR_VSA", 10),
        lambda of: _binned(of.crippen[: len(of.surface), 1], MolSurf.mrBins, of.surface),
    ),
]

_SINGLE_NAMES = """
MolWt HeavyAtomMolWt ExactMolWt Chi0n Chi0v Chi1n Chi1v HallKierAlpha Kappa1 LabuteASA TPSA
FractionCSP3 HeavyAtomCount NHOHCount NOCount NumAliphaticCarbocycles NumAliphaticHeterocycles
NumAliphaticRings NumAmideBonds NumAromaticCarbocycles NumAromaticHeterocycles NumAromaticRings
NumAtomStereoCenters NumBridgeheadAtoms NumHAcceptors NumHDonors NumHeteroatoms NumHeterocycles
NumRotatableBonds NumSaturatedCarbocycles NumSaturatedHeterocycles NumSaturatedRings NumSpiroAtoms
NumUnspecifiedAtomStereoCenters RingCount
fr_Al_COO fr_Al_OH fr_Al_OH_noTert fr_ArN fr_Ar_COO fr_Ar_N fr_Ar_NH fr_Ar_OH fr_COO fr_COO2
fr_C_O fr_C_O_noCOO fr_C_S fr_HOCCN fr_Imine fr_NH0 fr_NH1 fr_NH2 fr_N_O fr_Ndealkylation1
fr_Ndealkylation2 fr_Nhpyrrole fr_SH fr_aldehyde fr_alkyl_carbamate fr_alkyl_halide
fr_allylic_oxid fr_amide fr_amidine fr_aniline fr_aryl_methyl fr_azide fr_azo fr_barbitur
fr_benzene fr_benzodiazepine fr_bicyclic fr_diazo fr_dihydropyridine fr_epoxide fr_ester fr_ether
fr_furan fr_guanido fr_halogen fr_hdrzine fr_hdrzone fr_imidazole fr_imide fr_isocyan
fr_isothiocyan fr_ketone fr_ketone_Topliss fr_lactam fr_lactone fr_methoxy fr_morpholine
fr_nitrile fr_nitro fr_nitro_arom fr_nitro_arom_nonortho fr_nitroso fr_oxazole fr_oxime
fr_para_hydroxylation fr_phenol fr_phenol_noOrthoHbond fr_phos_acid fr_phos_ester fr_piperdine
fr_piperzine fr_priamide fr_prisulfonamd fr_pyridine fr_quatN fr_sulfide fr_sulfonamd fr_sulfone
fr_term_acetylene fr_tetrazole fr_thiazole fr_thiocyan fr_thiophene fr_unbrch_alkane fr_urea
"""
_ONE_BY_ONE = _SINGLE_NAMES.split()

DESCRIPTORS: tuple[str, ...] = (*(name for names, _ in _TOGETHER for name in names), *_ONE_BY_ONE)


@cache
def _families() -> list[Family]:
    missing = [name for name in _ONE_BY_ONE if not hasattr(Descriptors, name)]
    if missing:
        raise RuntimeError(
            f"RDKit {rdBase.rdkitVersion} doesn't know the descriptors {', '.join(missing)}. "
            "Install the release that the model was trained with, or use side features 'morgan'."
        )
    return [*_TOGETHER, *(([name], _alone(getattr(Descriptors, name))) for name in _ONE_BY_ONE)]


def _alone(function: Callable[[Chem.Mol], float]) -> Callable[[Intermediates], Values]:
    return lambda of: [function(of.mol)]


def describe(mol: Chem.Mol) -> FloatArray:
    """Compute RDKit's descriptors, but the eight slow ones, as `Descriptors` does.

    Parameters
    ----------
    mol : Chem.Mol
        Sanitised, at least one atom. It is not changed.

    Returns
    -------
    float64 array [209]
        In the order of `DESCRIPTORS`; NaN where RDKit raises or has no finite value, and also the
        extreme charges where an atom has none: there RDKit's answer depends on the atoms' order.

    Raises
    ------
    RuntimeError
        If the installed RDKit lacks a descriptor.

    References
    ----------
    RDKit, https://www.rdkit.org, module `rdkit.Chem.Descriptors`.

    Examples
    --------
    >>> values = describe(Chem.MolFromSmiles("CCO"))
    >>> [round(float(values[DESCRIPTORS.index(name)]), 2) for name in ("MolWt", "TPSA")]
    [46.07, 20.23]
    """
    families = _families()
    values: list[float] = []
    with rdBase.BlockLogs(), np.errstate(all="ignore"):
        of = Intermediates(mol)
        for names, family in families:
            try:
                values.extend(family(of))
            except Exception:  # RDKit's bindings raise whatever their C++ threw
                values.extend([np.nan] * len(names))
    found = np.array(values, dtype=np.float64)
    found[~np.isfinite(found)] = np.nan
    return found
