"""Turns a folder of files, or a single file, into items and targets."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from cnnkit.adapters.documents import read_documents
from cnnkit.adapters.errors import SourceError, listing
from cnnkit.adapters.folders import (
    check_class_folders,
    printable,
    scan_folder,
    skipped_sentence,
)
from cnnkit.adapters.source import Source


def from_folder(
    data: Path, items_are_files: bool, read_target: bool, encoding: str | None
) -> Source:
    """Take each file for an item, and the name of its sub-folder for the target.

    Raises
    ------
    SourceError
        If items are no files, an encoding was given, or no file or class is found.
    """
    if not items_are_files:
        raise SourceError(f"{data} is a folder; expected a table, such as a CSV file.")
    if encoding is not None:
        raise SourceError(f"{data} isn't a table: it has no encoding, such as {encoding!r}.")
    return _from_files(data, read_target)


def from_documents(data: Path, read_target: bool, encoding: str | None) -> Source:
    """Take the text of each file for an item, and the name of its sub-folder for the target.

    Raises
    ------
    SourceError
        If no file or class is found, or Python knows no such encoding.
    """
    source = _from_files(data, read_target, of_texts=True)
    assert source.paths is not None
    texts, faults = read_documents(source.paths, encoding)
    taken = "the file is" if len(texts) == 1 else f"each of {len(texts):,} files is"
    decided = [*source.decided, f"items: {taken} one text"]
    return replace(source, paths=None, documents=texts, faults=faults, decided=decided)


def _from_files(data: Path, read_target: bool, *, of_texts: bool = False) -> Source:
    if data.is_file():
        name = printable(data.name)
        return Source(data.parent, name, [name], [data], None, [name], [], "")
    folder = scan_folder(data, of_texts=of_texts)
    names = [printable(name) for name in folder.files]
    labels, decided = None, []
    if folder.skipped:
        decided.append(f"skipped {skipped_sentence(folder.skipped)}")
    if read_target:
        check_class_folders(data, folder.classes)
        labels = [name.split("/")[0] if "/" in name else "" for name in names]
        decided.append("target: the name of the sub-folder")
        empty = sorted({printable(name) for name in folder.classes} - set(labels))
        if empty:
            decided.append(f"sub-folders without items: {listing(empty)}")
    paths = [data / name for name in folder.files]
    no_label = "stands in no sub-folder, so its class is unknown"
    name = printable(data.name)
    return Source(data, name, names, paths, labels, names, decided, no_label)
