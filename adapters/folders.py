"""Finds the items below a folder, and the file that a missing path was meant to be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cnnkit.adapters.errors import SourceError, did_you_mean, listing

# What commonly lies beside recordings. Anything else is an item: what can't be read is reported.
_NOT_ITEMS = (
    ".csv", ".tsv", ".txt", ".json", ".jsonl", ".xml", ".yaml", ".yml", ".md", ".html", ".htm",
    ".pdf", ".doc", ".docx", ".xls", ".xlsx", ".py", ".ipynb", ".sh", ".log", ".ini", ".cfg",
    ".zip", ".gz", ".tar", ".rar", ".7z", ".npy", ".npz", ".pkl", ".pt", ".h5", ".parquet",
    ".jpg", ".jpeg", ".png", ".gif", ".svg", ".lab", ".textgrid", ".mid", ".midi", ".db", ".tmp",
    ".part", ".asd", ".m3u", ".cue",
)  # fmt: skip
_NOT_ITEM_NAMES = frozenset({"license", "licence", "readme", "copying", "makefile", "icon\r"})
_NOT_FOLDERS = frozenset({"__MACOSX", "__pycache__", "cnnkit-models"})
_PARTS = frozenset({"train", "training", "val", "valid", "validation", "dev", "test", "eval"})


@dataclass(frozen=True)
class Folder:
    """What lies below a folder.

    Parameters
    ----------
    files : list of str
        Items, as sorted paths relative to the folder, with slashes.
    classes : list of str
        Names of the direct sub-folders, sorted.
    skipped : Counter of str
        How many files of each ending (hidden: of each name) are no items.
    """

    files: list[str]
    classes: list[str]
    skipped: Counter[str]


def scan_folder(folder: Path, *, of_texts: bool = False) -> Folder:
    """List the items at any depth below a folder; hidden files and folders are left out.

    Parameters
    ----------
    folder : Path
    of_texts : bool
        Every file that isn't hidden is an item: no suffix tells that a file is no text.

    Raises
    ------
    SourceError
        If a folder can't be opened, or no items are found.
    """
    files: list[str] = []
    skipped: Counter[str] = Counter()
    try:
        for path in _walk(folder, ()):
            reason = _hidden(path) if of_texts else _not_an_item(path)
            if reason:
                skipped[reason] += 1
            else:
                files.append(path.relative_to(folder).as_posix())
        classes = sorted(path.name for path in folder.iterdir() if _is_open(path))
    except OSError as error:
        raise SourceError(f"{error.filename} can't be opened: {error.strerror}.") from error
    if not files:
        found = f" It holds only {skipped_sentence(skipped)}." if skipped else ""
        raise SourceError(f"{folder} holds no items, at any depth.{found}")
    return Folder(sorted(files), classes, skipped)


def _walk(folder: Path, above: tuple[Path, ...]) -> Iterator[Path]:
    """Yield all that isn't a folder; follow links to folders, but never in a circle."""
    real = folder.resolve()
    if real in above:
        return
    for path in folder.iterdir():
        if _is_open(path):
            yield from _walk(path, (*above, real))
        elif not path.is_dir():
            yield path


def _is_open(path: Path) -> bool:
    if path.name.startswith(".") or path.name in _NOT_FOLDERS or not path.is_dir():
        return False
    return not (path / "weights.safetensors").exists()  # a model that was saved among the items


def _not_an_item(path: Path) -> str:
    suffix = path.suffix.lower()
    known = suffix in _NOT_ITEMS or path.name.lower() in _NOT_ITEM_NAMES
    return _hidden(path) or ((suffix or path.name) if known else "")


def _hidden(path: Path) -> str:
    if path.name.startswith("._"):
        return "._*"
    return path.name if path.name.startswith(".") else ""


def skipped_sentence(skipped: Counter[str]) -> str:
    """Say which files were left out.

    Examples
    --------
    >>> skipped_sentence(Counter({".txt": 1, ".DS_Store": 2}))
    '3 files that are no items: .DS_Store (2), .txt (1)'
    """
    kinds = [f"{kind} ({count})" for kind, count in skipped.most_common()]
    more = ", …" if len(kinds) > 10 else ""
    return f"{skipped.total()} files that are no items: {', '.join(kinds[:10])}{more}"


def printable(name: str) -> str:
    r"""Write bytes of a name that are no text as escapes, so that it can be printed and saved.

    Examples
    --------
    >>> print(printable("caf\udce9.wav"))
    caf\udce9.wav
    """
    return name.encode("utf-8", "backslashreplace").decode("utf-8")


def check_class_folders(folder: Path, classes: list[str]) -> None:
    """Refuse a folder whose sub-folders can't be classes.

    Raises
    ------
    SourceError
        If there are no sub-folders, or they are the parts of a data set (train, test).
    """
    if not classes:
        raise SourceError(
            f"{folder} has no sub-folders. Expected one sub-folder for each class, named after "
            "it, or a table (CSV, TSV, Parquet) with a column of paths and one of labels."
        )
    if len(classes) > 1 and all(name.lower() in _PARTS for name in classes):
        raise SourceError(
            f"The sub-folders of {folder} are the parts of a data set, not classes: "
            f"{listing(classes)}. Give each part as a data set of its own."
        )


def describe_missing(path: Path) -> str:
    """Say why a path names no file, and which file was probably meant.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> (folder / "dog_1.wav").touch()
    >>> describe_missing(folder / "dog1.wav")
    "doesn't exist. Did you mean 'dog_1.wav'?"
    """
    try:
        if path.is_dir():
            return "is a folder; expected a file."
        if path.is_symlink():
            return "is a link to a file that doesn't exist."
        above = path.parent
        missing = path
        while not above.is_dir():
            missing, above = above, above.parent
        names = [other.name for other in above.iterdir()]
    except (OSError, ValueError) as error:
        return f"is no path of a file: {getattr(error, 'strerror', None) or error}."
    where = (
        "doesn't exist." if missing == path else f"doesn't exist: no {missing.name!r} in {above}."
    )
    return where + did_you_mean(missing.name, names)


def is_file(path: Path) -> bool:
    """Tell whether a file is there; False also for what can't be a path (too long)."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def find_elsewhere(folder: Path, name: str) -> str:
    """Find a file of this name in folders inside or beside `folder`; empty if there's none.

    Returns
    -------
    str
        The path relative to `folder`.
    """
    for above, prefix in ((folder, ""), (folder.parent, "../")):
        for other in sorted(above.iterdir()):
            if other.is_dir() and is_file(other / name):
                return f"{prefix}{other.name}/{name}"
    return ""
