"""How fast SMILES become points and images: against RDKit alone, and against Chemception's images.

    python benchmarks/molecule_reading.py --data FOLDER [--molecules 2000] [--rounds 5]

FOLDER holds ESOL.csv, BACE.csv, BBBP.csv, HIV.csv and Tox21.csv, as MoleculeNet gives them; as many
molecules are drawn from each. All ways run in one process with one thread, in short turns, and are
measured in processor time; the least of the rounds counts.

The floor is what can't be left out: parse, write the canonical SMILES, lay out. The featuriser with
a loop over atoms makes the image of Chemception's four channels (80 x 80 pixels: atomic number or
bond order, Gasteiger charge, valence, hybridisation; Goh et al. 2018) as deepchem goes about it.
Molecules that it can't draw (single atoms, large ones, metals) are left out of all ways.

Two processes are measured on the clock, so that other work on the machine falsifies their gain: the
load is shown, and what two processes that only count gain in the same minute.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import joblib
import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from rdkit import Chem, rdBase
from rdkit.Chem import rdDepictor, rdPartialCharges
from threadpoolctl import threadpool_limits

from cnnkit.adapters.molecule.grid import Grid
from cnnkit.adapters.molecule.parsing import Parsing, UnreadableMolecule, parse_molecule
from cnnkit.adapters.molecule.reading import Reading, read_molecules
from cnnkit.adapters.molecule.side import SIDES
from cnnkit.cnncore.feed import Feed
from cnnkit.cnncore.image import Samples

COLUMNS = {"ESOL": "smiles", "BACE": "mol", "BBBP": "smiles", "HIV": "smiles", "Tox21": "smiles"}
TURN = 250  # molecules
BATCH = 256
PIXELS, PIXEL, HALF = 80, 0.5, 20.0  # of Chemception's image; Å, Å from its middle to its edge
ON_BOND = 4  # points
CPU = torch.device("cpu")


class Way(NamedTuple):
    """One way to read molecules: all of it, a turn at a time."""

    name: str
    do: Callable[[Sequence[str]], object]


def by_rdkit(texts: Sequence[str]) -> list[NDArray[np.float64]]:
    """Parse, write the canonical SMILES, lay out."""
    places = []
    for text in texts:
        mol = Chem.MolFromSmiles(text)
        Chem.MolToSmiles(mol)
        rdDepictor.Compute2DCoords(mol, canonOrient=True)
        places.append(mol.GetConformer().GetPositions())
    return places


def points(texts: Sequence[str], encoding: Grid | None = None) -> Samples:
    """Read points as cnnkit does, without a cache, in this process."""
    reading = Reading(Parsing(), encoding or Grid(layouts=1))
    return read_molecules(texts, reading, n_jobs=1, progress=False)


def draw(samples: Samples, *, by_length: bool = True) -> None:
    """Draw points on grids in batches: of like length as for predictions, or in their order."""
    renderer = Grid(layouts=1).renderer().eval()
    feed = Feed(samples, CPU, by_length=by_length)
    with torch.inference_mode():
        for rows in feed.once(BATCH):
            renderer(feed.batch(rows))


def by_cnnkit(texts: Sequence[str]) -> None:
    """Go from SMILES to grids."""
    draw(points(texts))


def by_loops(texts: Sequence[str]) -> list[NDArray[np.float64] | None]:
    """Draw Chemception's images molecule by molecule, with loops over atoms and bonds."""
    return [chemception(text) for text in texts]


def chemception(text: str) -> NDArray[np.float64] | None:
    """Draw one molecule, float64 [80, 80, 4]; None where it has no charges, or doesn't fit."""
    mol = Chem.MolFromSmiles(text)
    if mol is None:
        return None
    copy = Chem.Mol(mol.ToBinary())
    rdPartialCharges.ComputeGasteigerCharges(copy)
    rdDepictor.Compute2DCoords(copy)
    places = copy.GetConformer().GetPositions()[:, :2]
    atoms = np.array(
        [
            [
                atom.GetAtomicNum(),
                atom.GetProp("_GasteigerCharge"),
                atom.GetValence(Chem.ValenceType.EXPLICIT),
                int(atom.GetHybridization()),
            ]
            for atom in copy.GetAtoms()
        ]
    ).astype(np.float32)  # by way of texts, as charges are properties of RDKit's atoms
    bonds = np.array(
        [
            [bond.GetBondTypeAsDouble(), bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()]
            for bond in mol.GetBonds()
        ]
    )
    outside = len(places) == 0 or np.abs(places).max() > HALF - PIXEL
    if outside or len(bonds) == 0 or np.isnan(atoms).any():
        return None
    image = np.zeros((PIXELS, PIXELS, 4))
    first, last = (places[bonds[:, end].astype(int)] for end in (1, 2))
    share = np.linspace(0, 1, ON_BOND)[:, None, None]
    line = np.ceil((share * first + (1 - share) * last + HALF) / PIXEL).astype(int)
    image[line[..., 0], line[..., 1], 0] = bonds[:, 0]
    pixel = np.round((places + HALF) / PIXEL).astype(int)
    image[pixel[:, 0], pixel[:, 1]] = atoms
    return image


def measure(ways: Sequence[Way], texts: Sequence[str], rounds: int) -> dict[str, float]:
    """Run all ways in turns; return the least microseconds a molecule of each."""
    turns = [texts[start : start + TURN] for start in range(0, len(texts), TURN)]
    spent_s: dict[str, list[float]] = {way.name: [] for way in ways}
    for _ in range(rounds):
        sums = dict.fromkeys(spent_s, 0.0)
        for turn in turns:
            for way in ways:
                began = time.process_time()
                way.do(turn)
                sums[way.name] += time.process_time() - began
        for name, seconds in sums.items():
            spent_s[name].append(seconds)
    return {name: 1e6 * min(seconds) / len(texts) for name, seconds in spent_s.items()}


def measure_grids(samples: Samples, rounds: int, *, by_length: bool) -> float:
    """Return the most molecules a second that are drawn, in processor time."""
    spent_s = []
    for _ in range(rounds):
        began = time.process_time()
        draw(samples, by_length=by_length)
        spent_s.append(time.process_time() - began)
    return len(samples) / min(spent_s)


def goal(value: float, bar: float, *, most: bool = False) -> str:
    """Say whether a bar is met."""
    met = value <= bar if most else value >= bar
    return f"{'<=' if most else '>='} {bar:,g} {'met' if met else 'MISSED'}"


def compare_ways(texts: Sequence[str], rounds: int) -> None:
    """Print what each way takes, and the ratios that are claimed."""
    ways = [
        Way("RDKit alone: the floor", by_rdkit),
        Way("cnnkit, SMILES to points", points),
        Way("cnnkit, SMILES to points to grids", by_cnnkit),
        Way("loops over atoms, Chemception's image", by_loops),
        Way("cnnkit, 4 layouts to points", partial(points, encoding=Grid(layouts=4))),
    ]
    for way in ways:
        way.do(texts[:TURN])  # fills caches
    took = measure(ways, texts, rounds)
    floor, to_points, to_grids, loops = (took[way.name] for way in ways[:4])
    print(f"{'CPU microseconds a molecule':<42}{'':>9}{'of floor':>10}")
    for name, microseconds in took.items():
        print(f"{name:<42}{microseconds:>9.0f}{microseconds / floor:>9.2f}x")
    ratio = to_points / floor
    print(f"points against the floor: {ratio:.2f}x  {goal(ratio, 1.4, most=True)}")
    print(f"grids against loops: {loops / to_grids:.2f}x as fast  {goal(loops / to_grids, 1.8)}\n")
    samples = points(texts)
    for by_length, order in ((True, "of like length together"), (False, "in any order")):
        speed = measure_grids(samples, rounds, by_length=by_length)
        told = f"  {goal(speed, 20_000)}" if by_length else ""
        print(f"points to grids, batches of {BATCH}, {order}: {speed:,.0f} molecules/s{told}")


def count(until: int) -> int:
    """Do something that needs a processor and no memory."""
    total = 0
    for number in range(until):
        total += number
    return total


def clock(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def compare_processes(texts: Sequence[str], rounds: int, sides: tuple[str, ...]) -> None:
    """Print the gain of two processes, beside that of a loop that only counts."""
    reading = Reading(Parsing(), Grid(layouts=1), sides)

    def read(n_jobs: int) -> None:
        read_molecules(texts, reading, n_jobs=n_jobs, progress=False)

    def counting(n_jobs: int) -> None:
        joblib.Parallel(n_jobs)(joblib.delayed(count)(3_000_000) for _ in range(16))

    read_molecules(texts[: 2 * TURN], reading, n_jobs=2, progress=False)  # starts the processes
    counting(2)
    took: dict[str, list[float]] = {}
    for _ in range(rounds):
        for name, work in (("read", read), ("count", counting)):
            for n_jobs in (1, 2):
                spent = clock(partial(work, n_jobs))
                took.setdefault(f"{name} {n_jobs}", []).append(spent)
    least = {name: min(seconds) for name, seconds in took.items()}
    gain = least["read 1"] / least["read 2"]
    possible = least["count 1"] / least["count 2"]
    what = "points and side features" if sides else "points"
    print(
        f"{len(texts):,} molecules to {what}: one process {least['read 1']:.2f} s, "
        f"two {least['read 2']:.2f} s, {gain:.2f}x  {goal(gain, 1.7)}; only counting gains "
        f"{possible:.2f}x; load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors",
        flush=True,
    )


def choose(folder: Path, number: int) -> list[str]:
    """Draw molecules that all ways can read, as many from each set, in random order."""
    rng = np.random.default_rng(0)
    chosen: list[str] = []
    left_out = 0
    for name, column in COLUMNS.items():
        texts = pd.read_csv(folder / f"{name}.csv", usecols=[column])[column].dropna().to_numpy()
        wanted = min(number // len(COLUMNS), len(texts))
        drawn = [str(text) for text in rng.choice(texts, wanted, replace=False)]
        readable = [text for text in drawn if is_readable(text)]
        left_out += len(drawn) - len(readable)
        chosen += readable
    print(f"{len(chosen):,} molecules; {left_out} that not all ways can read are left out\n")
    return [chosen[place] for place in rng.permutation(len(chosen))]


def is_readable(text: str) -> bool:
    try:
        parse_molecule(text, Parsing())
    except UnreadableMolecule:
        return False
    return chemception(text) is not None


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--molecules", type=int, default=2_000)
    parser.add_argument("--in-processes", type=int, default=6_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    torch.set_num_threads(1)
    with rdBase.BlockLogs(), threadpool_limits(1):
        compare_ways(choose(options.data, options.molecules), options.rounds)
        print()
        texts = choose(options.data, options.in_processes)
        compare_processes(texts, options.rounds, ())
        compare_processes(texts[: len(texts) // 4], options.rounds, SIDES)


if __name__ == "__main__":
    main()
