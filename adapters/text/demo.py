"""Collects a small labelled set of texts: which kind of file does a snippet come from?"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from importlib.util import find_spec
from inspect import cleandoc
from pathlib import Path
from random import Random
from textwrap import dedent

DEMO_SOURCE = (
    "snippets of code, documentation and licences, cut out of the packages that cnnkit is "
    "installed with"
)

FEWEST_CHARACTERS = 60
MOST_CHARACTERS = 400
MOST_PER_FILE = 8

# What the wheels of every platform hold, and hardly anything that was made by a program.
PYTHON_FOLDERS = (
    "click", "jinja2", "joblib", "librosa", "matplotlib", "pandas/core", "scipy", "sklearn",
    "torch/nn", "tqdm",
)  # fmt: skip
STUB_FOLDERS = ("librosa", "matplotlib", "numpy", "pandas/_libs")
HEADER_FOLDERS = ("numpy/_core/include", "torch/include/c10")
CYTHON_FOLDERS = ("numpy", "scipy", "sklearn")
PACKAGES = (  # the dependencies, and what they depend on
    "audioread", "cffi", "charset-normalizer", "click", "contourpy", "cycler", "decorator",
    "filelock", "fonttools", "fsspec", "idna", "jinja2", "joblib", "kiwisolver", "lazy-loader",
    "librosa", "llvmlite", "markupsafe", "matplotlib", "mpmath", "msgpack", "networkx", "numba",
    "numpy", "packaging", "pandas", "pillow", "platformdirs", "pooch", "pycparser", "pyparsing",
    "python-dateutil", "requests", "safetensors", "scikit-learn", "scipy", "soundfile", "soxr",
    "sympy", "threadpoolctl", "torch", "tqdm", "typing-extensions", "urllib3",
)  # fmt: skip

_LICENCE = re.compile(r"licen[cs]e|copying", re.IGNORECASE)
_BANNER = re.compile(r"copyright|licen[cs]e", re.IGNORECASE)
_LINES = re.compile(rf"^.{{{FEWEST_CHARACTERS},{MOST_CHARACTERS}}}$", re.MULTILINE | re.DOTALL)
# A docstring begins its line. Other strings are matched too, so that their ends begin nothing.
_TRIPLE_QUOTED = re.compile(
    r'^[ \t]*r?"""(?P<docstring>.*?)"""|""".*?"""', re.MULTILINE | re.DOTALL
)


def make_demo_texts(*, per_class: int = 200, seed: int = 0) -> tuple[list[str], list[str]]:
    """Collect snippets from installed packages, labelled with the kind of file they stand in.

    Parameters
    ----------
    per_class : int
        Kinds of which fewer are found are left out.
    seed : int
        The same seed gives the same snippets, as long as the packages stay the same.

    Returns
    -------
    texts : list of str
        Different ones, of 60 to 400 characters, at most 8 from one file.
    labels : list of str
        Names in `KINDS`.

    Raises
    ------
    RuntimeError
        If fewer than two kinds are left.

    Examples
    --------
    >>> texts, labels = make_demo_texts(per_class=2)
    >>> labels[:3]
    ['cpp_header', 'cpp_header', 'cython']
    """
    texts: list[str] = []
    labels: list[str] = []
    found = {}
    for label, read in KINDS.items():
        random = Random(f"{label} {seed}")
        snippets = _choose(read(random), per_class, random, with_banners=label == "licence")
        found[label] = len(snippets)
        if len(snippets) == per_class:
            texts += snippets
            labels += [label] * per_class
    if len(set(labels)) < 2:
        raise RuntimeError(
            f"the demo needs {per_class} snippets each of at least two kinds of file, and found "
            + ", ".join(f"{number} of {label}" for label, number in found.items())
            + " among the installed packages: bring a data set of your own, or install cnnkit "
            "with pip, whose packages hold these files."
        )
    return texts, labels


def _choose(documents: Iterable[str], number: int, random: Random, with_banners: bool) -> list[str]:
    chosen: dict[str, str] = {}
    for document in documents:
        passages = {
            " ".join(passage.lower().split()): passage
            for passage in _passages(document)
            if with_banners or not _BANNER.search(passage)
        }
        new = [key for key in passages if key not in chosen]
        for key in random.sample(new, min(len(new), MOST_PER_FILE)):
            chosen[key] = passages[key]
        if len(chosen) >= number:
            break
    return list(chosen.values())[:number]


def _passages(document: str) -> Iterator[str]:
    """Cut a document at its blank lines, and longer passages at the ends of lines."""
    for block in re.split(r"\n\s*\n", document):
        for lines in _LINES.findall(block):
            passage = dedent(lines).strip()
            if len(passage) >= FEWEST_CHARACTERS:
                yield passage


def _files(random: Random, folders: Iterable[str], *suffixes: str) -> Iterator[str]:
    """Read the files below folders of packages, in random order; not the packages' own tests."""
    paths = [
        path
        for folder in map(_find_folder, folders)
        if folder is not None
        for path in sorted(folder.rglob("*"), key=Path.as_posix)
        if path.suffix in suffixes and "tests" not in path.relative_to(folder).parts
    ]
    random.shuffle(paths)
    for path in paths:
        yield path.read_text(encoding="utf-8", errors="replace")


def _find_folder(name: str) -> Path | None:
    package, _, below = name.partition("/")
    spec = find_spec(package)
    locations = spec.submodule_search_locations if spec else None
    return Path(locations[0], below) if locations else None


def _code(source: str) -> str:
    return _TRIPLE_QUOTED.sub(lambda found: found[0] if found["docstring"] is None else "", source)


def _docstrings(source: str) -> str:
    found = (match["docstring"] for match in _TRIPLE_QUOTED.finditer(source))
    return "\n\n".join(cleandoc(docstring) for docstring in found if docstring)


def _installed(random: Random) -> Iterator[Distribution]:
    for name in random.sample(PACKAGES, len(PACKAGES)):
        with suppress(PackageNotFoundError):
            yield distribution(name)


def _readmes(random: Random) -> Iterator[str]:
    for package in _installed(random):
        yield str(package.metadata.json.get("description", ""))


def _licences(random: Random) -> Iterator[str]:
    for package in _installed(random):
        named = package.metadata.get_all("License-File") or []
        for file in dict.fromkeys([*named, "LICENSE", "LICENSE.txt", "LICENSE.md"]):
            if _LICENCE.search(file):
                yield package.read_text(f"licenses/{file}") or package.read_text(file) or ""


KINDS: dict[str, Callable[[Random], Iterable[str]]] = {
    "cpp_header": lambda random: _files(random, HEADER_FOLDERS, ".h"),
    "cython": lambda random: _files(random, CYTHON_FOLDERS, ".pyx", ".pxd"),
    "docstring": lambda random: map(_docstrings, _files(random, PYTHON_FOLDERS, ".py")),
    "licence": _licences,
    "python_code": lambda random: map(_code, _files(random, PYTHON_FOLDERS, ".py")),
    "readme": _readmes,
    "type_stub": lambda random: _files(random, STUB_FOLDERS, ".pyi"),
}
