"""Who imports whom: the house is built from below, and its front door opens quickly."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("adapters", "cli", "cnncore")
PLACES = (*ROOMS, "src", "tests", "benchmarks")
HEAVY = {"torch", "librosa", "sklearn", "pandas", "matplotlib", "scipy", "soundfile"}
MOST_LINES = 400


def modules(place: str) -> list[Path]:
    """List the Python files below a folder; links to the rooms are not followed."""
    return sorted(
        path
        for path in (ROOT / place).rglob("*.py")
        if not any(folder.is_symlink() for folder in path.parents)
    )


def imports(path: Path) -> Iterator[str]:
    """Yield the dotted names that a file imports, wherever they stand in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            dots = "." * node.level
            yield from (f"{dots}{node.module or ''}.{alias.name}" for alias in node.names)


def breaches(place: str, forbidden: tuple[str, ...], allowed: tuple[str, ...] = ()) -> list[str]:
    """List the imports of what begins with a forbidden name and with no allowed one."""
    return [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in modules(place)
        for name in imports(path)
        if within(name, forbidden) and not within(name, allowed)
    ]


def within(name: str, packages: tuple[str, ...]) -> bool:
    return any(f"{name}.".startswith(f"{package}.") for package in packages)


def test_every_kind_of_import_is_seen(tmp_path):
    file = tmp_path / "file.py"
    file.write_text(
        "import a.b, c\nfrom d import e\nfrom . import f\nfrom ..g import h\n"
        "def late():\n    import i\n"
    )
    assert list(imports(file)) == ["a.b", "c", "d.e", "..f", "..g.h", "i"]
    assert within("a.b", ("a",))
    assert not within("ab.c", ("a",))


def test_files_are_found_in_all_rooms():
    assert all(modules(place) for place in PLACES)
    assert ROOT / "src" / "cnnkit" / "__main__.py" in modules("src")
    assert len(modules("src")) < len(modules("cnncore"))


def test_the_core_knows_no_kind_of_data_and_no_command_line():
    assert breaches("cnncore", ("cnnkit",), ("cnnkit.cnncore",)) == []


def test_adapters_know_only_the_contract_of_the_core_and_the_swap_test():
    # The swap test is a question about tables: their adapter asks it, and reads columns as it does.
    allowed = ("cnnkit.adapters", "cnnkit.cnncore.image", "cnnkit.cnncore.swap_test")
    assert breaches("adapters", ("cnnkit",), allowed) == []


def test_the_front_door_opens_the_command_line_only_as_a_program():
    found = breaches("src", ("cnnkit.cli",))
    assert found == ["src/cnnkit/__main__.py imports cnnkit.cli.main.main"]


@pytest.mark.parametrize("place", [*ROOMS, "src"])
def test_imports_are_absolute_and_by_the_installed_name(place):
    assert breaches(place, ROOMS) == []
    assert [name for path in modules(place) for name in imports(path) if name[0] == "."] == []


@pytest.mark.parametrize("place", PLACES)
def test_no_file_is_longer_than_a_reader_can_hold(place):
    lengths = {
        str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines())
        for path in modules(place)
    }
    assert {path: lines for path, lines in lengths.items() if lines > MOST_LINES} == {}


@pytest.mark.parametrize("command", [["-m", "cnnkit", "--help"], ["-c", "import cnnkit"]])
def test_asking_for_help_loads_no_heavy_package(command):
    done = subprocess.run(
        [sys.executable, "-X", "importtime", *command],
        check=True,
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    # Each line ends in "| the.name"; those of nested imports are indented.
    loaded = {
        line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines()
    }
    assert "cnnkit" in loaded
    assert loaded & HEAVY == set()
