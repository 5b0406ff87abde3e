"""Many molecules at once: parsed, encoded and described, by several processes where that pays."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import rdkit
from numpy.typing import NDArray
from rdkit import Chem, rdBase
from tqdm import tqdm

from cnnkit.adapters.cache import ItemCache
from cnnkit.adapters.molecule.encoding import Encoded, Encoding
from cnnkit.adapters.molecule.parsing import (
    Molecule,
    Parsing,
    UnreadableMolecule,
    parse_molecule,
    unreadable_again,
)
from cnnkit.adapters.molecule.side import SIDE_VERSION, side_features, side_names
from cnnkit.adapters.tasks import do_tasks
from cnnkit.cnncore.image import Problem, Samples

TASK_MOLECULES = 256
OF_DRAWING = ("augment", "views")  # parameters of encodings on which nothing that is kept depends
MOST = 60_000.0  # what half precision holds

HalfArray = NDArray[np.float16]


@dataclass(frozen=True)
class Reading:
    """How molecules are read; processes share it.

    Parameters
    ----------
    parsing : Parsing
    encoding : Encoding
    sides : tuple of str
        Kinds of side features.
    """

    parsing: Parsing
    encoding: Encoding
    sides: tuple[str, ...] = ()

    def cache(self) -> ItemCache:
        """Return where molecules that were read this way are kept."""
        encoding = asdict(self.encoding)
        kept = {name: value for name, value in encoding.items() if name not in OF_DRAWING}
        parameters = {
            "encoding": [type(self.encoding).__name__, kept],
            "version": self.encoding.version,
            "side": [SIDE_VERSION if self.sides else 0, *side_names(self.sides)],
            "rdkit": rdkit.__version__,
        }
        return ItemCache("molecule", parameters)


class Outcome(NamedTuple):
    """What reading one text gave: a molecule, or None, and what is to be said."""

    encoded: Encoded | None
    side: HalfArray | None = None
    remarks: tuple[str, ...] = ()


def read_molecules(
    texts: Sequence[Any],
    reading: Reading,
    *,
    n_jobs: int | None = None,
    cached: bool = False,
    progress: bool = True,
) -> Samples:
    """Read molecules. A bad one never stops the others.

    Parameters
    ----------
    texts : sequence of str
    reading : Reading
    n_jobs : int or None
        Processes; see `do_tasks`. RDKit holds Python's lock, so threads don't help.
    cached : bool
        Keep what was read for the next run, by canonical SMILES.
    progress : bool
        Show a bar on standard error, where that is a terminal.

    Returns
    -------
    Samples
        With side features, float16 [N, S], NaN where RDKit has none; None without `sides`.

    Examples
    --------
    >>> from cnnkit.adapters.molecule.grid import Grid
    >>> samples = read_molecules(["CCO", "C1CC"], Reading(Parsing(), Grid(layouts=1)))
    >>> samples.values.shape, samples.items, len(samples.problems)
    ((5, 14), array([0]), 1)
    """
    tasks = [
        texts[start : start + TASK_MOLECULES] for start in range(0, len(texts), TASK_MOLECULES)
    ]
    cache = reading.cache() if cached else None
    work = partial(_read_task, reading=reading, cache=cache)
    kept: list[Encoded] = []
    items, problems = [], []
    side = np.empty((len(texts), len(side_names(reading.sides))), dtype=np.float16)
    item = 0
    hidden = None if progress else True
    with tqdm(total=len(texts), desc="reading", unit="molecule", disable=hidden) as bar:
        for outcomes in do_tasks(work, tasks, n_jobs):
            bar.update(len(outcomes))
            for outcome in outcomes:
                rejected = outcome.encoded is None
                for remark in outcome.remarks:
                    problems.append(Problem(item, shown(texts[item]), remark, rejected))
                if outcome.encoded is not None:
                    if outcome.side is not None:
                        side[len(kept)] = outcome.side
                    kept.append(outcome.encoded)
                    items.append(item)
                item += 1
    if cache is not None:
        cache.trim()
    return _samples(kept, items, side[: len(kept)] if reading.sides else None, problems, reading)


def shown(text: Any) -> str:
    """Return a text as lists show it: of a record its title."""
    lines = str(text).strip().splitlines()
    return lines[0] if lines else ""


def _samples(
    kept: list[Encoded],
    items: list[int],
    side: HalfArray | None,
    problems: list[Problem],
    reading: Reading,
) -> Samples:
    if not kept:  # for the number of columns
        (example,) = reading.encoding.encode(["C"])
        values, summary = example.values[:0], np.zeros((0, len(example.summary)), np.float32)
    else:
        values = np.concatenate([one.values for one in kept])
        summary = np.array([one.summary for one in kept], dtype=np.float32)
    lengths = [len(one.values) for one in kept]
    return Samples(
        values=values,
        offsets=np.cumsum([0, *lengths], dtype=np.int64),
        items=np.array(items, dtype=np.int64),
        summary=summary,
        side=side,
        problems=tuple(problems),
    )


def _read_task(texts: Sequence[Any], reading: Reading, cache: ItemCache | None) -> list[Outcome]:
    """Parse some texts, and encode and describe each molecule among them once."""
    parsed = [_parse(text, reading.parsing) for text in texts]
    smiles = list(dict.fromkeys(one.smiles for one in parsed if isinstance(one, Molecule)))
    found = _look_up(smiles, reading, cache)
    outcomes = []
    for one in parsed:
        if isinstance(one, str):
            outcomes.append(Outcome(None, remarks=(one,)))
        elif one.smiles not in found:
            outcomes.append(Outcome(None, remarks=(unreadable_again(one.smiles),)))
        else:
            encoded, side = found[one.smiles]
            remarks = (*one.notes, encoded.remark) if encoded.remark else one.notes
            outcomes.append(Outcome(encoded, side, remarks))
    return outcomes


def _parse(text: Any, how: Parsing) -> Molecule | str:
    try:
        return parse_molecule(text, how)
    except UnreadableMolecule as error:
        return str(error)


def _look_up(
    smiles: Sequence[str], reading: Reading, cache: ItemCache | None
) -> dict[str, tuple[Encoded, HalfArray | None]]:
    """Take molecules from the cache; make and keep those that aren't there."""
    found: dict[str, tuple[Encoded, HalfArray | None]] = {}
    if cache is not None:
        for one in smiles:
            content = cache.get(_digest(one))
            if content is not None:
                found[one] = _unpack(content, reading)
    with rdBase.BlockLogs():
        missing, made = _encode([one for one in smiles if one not in found], reading.encoding)
        for one, encoded in zip(missing, made, strict=True):
            side = _side(one, reading.sides)
            found[one] = encoded, side
            if cache is not None and not encoded.remark:  # it must come again with the next run
                cache.put(_digest(one), _pack(encoded, side))
    return found


def _encode(smiles: list[str], encoding: Encoding) -> tuple[list[str], list[Encoded]]:
    """Encode all molecules but those whose canonical SMILES is none that RDKit can read."""
    try:
        return smiles, encoding.encode(smiles)
    except Exception:
        readable = [one for one in smiles if Chem.MolFromSmiles(one) is not None]
        if len(readable) == len(smiles):
            raise
    return readable, encoding.encode(readable)


def _side(smiles: str, sides: tuple[str, ...]) -> HalfArray | None:
    """Describe a molecule as its canonical SMILES orders it, so that no other order matters."""
    if not sides:
        return None
    exact = side_features(Chem.MolFromSmiles(smiles), sides)
    return exact.clip(-MOST, MOST).astype(np.float16)


def _digest(smiles: str) -> str:
    return hashlib.sha256(smiles.encode()).hexdigest()


def _pack(encoded: Encoded, side: HalfArray | None) -> NDArray[np.uint8]:
    """Put a molecule into one array: lengths, summary, side features, values."""
    summary = np.array(encoded.summary, dtype=np.float64)
    side = np.empty(0, dtype=np.float16) if side is None else side
    lengths = np.array([len(summary), len(side), *encoded.values.shape], dtype=np.int64)
    parts = (lengths, summary, side, np.ascontiguousarray(encoded.values))
    return np.concatenate([part.view(np.uint8).ravel() for part in parts])


def _unpack(content: NDArray[np.uint8], reading: Reading) -> tuple[Encoded, HalfArray | None]:
    n_summary, n_side, steps, columns = content[:32].view(np.int64).tolist()
    after = np.cumsum([32, 8 * n_summary, 2 * n_side])
    summary = content[32 : after[1]].view(np.float64)
    side = content[after[1] : after[2]].view(np.float16) if n_side else None
    values = content[after[2] :].view(reading.encoding.dtype).reshape(steps, columns)
    # A copy, as the values are kept for long: a view would keep the side features too.
    return Encoded(values.copy(), tuple(summary.tolist())), side
