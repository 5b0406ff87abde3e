"""Snippets of the files that every installation has."""

from __future__ import annotations

import ast
from collections import Counter
from importlib.util import find_spec
from pathlib import Path

import pytest
from sklearn.model_selection import train_test_split

from cnnkit.adapters.text import demo
from cnnkit.adapters.text.baseline import make_baseline
from cnnkit.adapters.text.demo import KINDS, make_demo_texts

MODULE = '''
"""Says in its first lines what the module is for, in rather more words than it needs."""

import os


def greet(name: str) -> str:
    r"""Return a greeting for somebody whose name is known, and for nobody else at all.

    Whoever has no name is greeted as a stranger, which is what he or she is.
    """
    template = """Dear {name}, how are you? I have been meaning to write to you for weeks."""
    return template.format(name=name) + os.linesep * 2 + "Yours sincerely, the module"
'''


@pytest.fixture(scope="module")
def snippets() -> tuple[list[str], list[str]]:
    return make_demo_texts()


def squeezed(text: str) -> str:
    return "".join(text.split())


def install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, files: dict[str, str], folders: str
) -> None:
    """Make a package `tiny` the only one in which the demo looks for code."""
    for name, content in files.items():
        (tmp_path / "tiny" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "tiny" / name).write_text(content, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    for other in ("PYTHON_FOLDERS", "STUB_FOLDERS", "HEADER_FOLDERS", "CYTHON_FOLDERS", "PACKAGES"):
        monkeypatch.setattr(demo, other, ())
    monkeypatch.setattr(demo, folders, ("tiny", "not_installed"))


def collect(monkeypatch: pytest.MonkeyPatch, kind: str, number: int) -> list[str]:
    """Collect snippets of one kind, beside another one of which there are always enough."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    monkeypatch.setattr(
        demo, "KINDS", {kind: KINDS[kind], "row": lambda _: [a * 99 for a in letters]}
    )
    texts, labels = make_demo_texts(per_class=number)
    return [text for text, label in zip(texts, labels, strict=True) if label == kind]


def test_this_installation_has_200_different_snippets_of_each_kind(
    snippets: tuple[list[str], list[str]],
) -> None:
    texts, labels = snippets
    assert Counter(labels) == dict.fromkeys(KINDS, 200)
    assert len(KINDS) == 7
    assert len({squeezed(text.lower()) for text in texts}) == len(texts)
    assert all(60 <= len(text) <= 400 for text in texts)


def test_banners_stand_only_among_the_licences(snippets: tuple[list[str], list[str]]) -> None:
    has_banner = [
        label for text, label in zip(*snippets, strict=True) if "copyright" in text.lower()
    ]
    assert set(has_banner) == {"licence"}


def test_the_same_seed_gives_the_same_snippets_and_another_seed_others(
    snippets: tuple[list[str], list[str]],
) -> None:
    assert make_demo_texts() == snippets
    others, _ = make_demo_texts(seed=1)
    assert len(set(others) & set(snippets[0])) < len(others) / 2


def test_a_header_snippet_stands_in_a_header(snippets: tuple[list[str], list[str]]) -> None:
    roots = [
        Path(find_spec("torch").origin).parent / "include" / "c10",
        Path(find_spec("numpy").origin).parent / "_core" / "include",
    ]
    files = [path for root in roots for path in root.rglob("*.h")]
    everything = "\0".join(squeezed(path.read_text(encoding="utf-8")) for path in files)
    found = [text for text, label in zip(*snippets, strict=True) if label == "cpp_header"]
    assert all(squeezed(text) in everything for text in found)


def test_docstrings_are_told_from_code(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    install(monkeypatch, tmp_path, {"__init__.py": MODULE}, "PYTHON_FOLDERS")
    tree = ast.parse(MODULE)
    docstrings = "\n\n".join(str(ast.get_docstring(node)) for node in (tree, tree.body[-1]))
    assert set(collect(monkeypatch, "docstring", 3)) == set(docstrings.split("\n\n"))
    (code,) = collect(monkeypatch, "python_code", 1)
    assert "linesep" in code
    assert code.count('"""') == 2  # of the letter, which is no docstring
    assert not any(line in code for line in docstrings.splitlines() if line)


def test_a_file_gives_at_most_8_snippets_and_the_packages_tests_none(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def stub(name: str) -> str:
        return "\n\n".join(
            f"def {name}_{i}(first: int, second: float, third: str) -> dict[str, float]: ..."
            for i in range(30)
        )

    files = {"a.pyi": stub("a"), "b.pyi": stub("b"), "tests/c.pyi": stub("c"), "d.py": stub("d")}
    install(monkeypatch, tmp_path / "tests", files, "STUB_FOLDERS")
    found = collect(monkeypatch, "type_stub", 16)
    assert Counter(text[:6] for text in found) == {"def a_": 8, "def b_": 8}
    with pytest.raises(RuntimeError, match=r"17 snippets each .* found 16 of type_stub"):
        collect(monkeypatch, "type_stub", 17)


def test_a_kind_of_which_there_are_too_few_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "HEADER_FOLDERS", ("not_installed/include",))
    monkeypatch.setattr(demo, "PACKAGES", ("not-installed",))
    _, labels = make_demo_texts(per_class=40)
    assert Counter(labels) == {
        "cython": 40,
        "docstring": 40,
        "python_code": 40,
        "type_stub": 40,
    }


def test_the_baseline_finds_the_demo_neither_trivial_nor_hopeless(
    snippets: tuple[list[str], list[str]],
) -> None:
    train, test, y_train, y_test = train_test_split(
        *snippets, test_size=0.3, stratify=snippets[1], random_state=0
    )
    accuracy = make_baseline().fit(train, y_train).score(test, y_test)
    assert 0.75 < accuracy < 0.97
