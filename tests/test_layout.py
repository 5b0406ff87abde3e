"""The rooms stand at the top and install below `cnnkit`: four descriptions of that agree."""

import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
FRONT_DOOR = ROOT / "src" / "cnnkit"
ROOMS = ("adapters", "cli", "cnncore")
SETUPTOOLS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"][
    "setuptools"
]


def package_folders() -> dict[str, str]:
    """Map every package that stands in the rooms to its folder."""
    folders = {"cnnkit": "src/cnnkit"}
    for room in ROOMS:
        for init in sorted((ROOT / room).rglob("__init__.py")):
            folder = init.parent.relative_to(ROOT)
            folders[".".join(("cnnkit", *folder.parts))] = folder.as_posix()
    return folders


def test_the_rooms_are_the_folders_at_the_top_that_are_packages():
    assert {init.parent.name for init in ROOT.glob("*/__init__.py")} == set(ROOMS)


def test_every_folder_with_modules_is_a_package():
    for room in ROOMS:
        for module in (ROOT / room).rglob("*.py"):
            assert (module.parent / "__init__.py").is_file(), module


def test_the_build_knows_every_package_and_where_it_stands():
    assert sorted(SETUPTOOLS["packages"]) == sorted(package_folders())
    assert SETUPTOOLS["package-dir"] == package_folders()


def test_every_file_that_is_no_module_is_listed_as_package_data():
    listed = {
        file
        for package, patterns in SETUPTOOLS["package-data"].items()
        for pattern in patterns
        for file in (ROOT / package_folders()[package]).glob(pattern)
    }
    present = {
        file
        for room in ROOMS
        for file in (ROOT / room).rglob("*")
        if file.is_file() and file.suffix not in (".py", ".pyc")
    } | {FRONT_DOOR / "py.typed"}
    assert listed == present


def test_the_links_lead_static_tools_to_the_rooms():
    for room in ROOMS:
        link = FRONT_DOOR / room
        # Where links become text files, they hold the same words.
        target = link.readlink().as_posix() if link.is_symlink() else link.read_text()
        assert target.strip() == f"../../{room}"


def test_a_bare_import_from_the_root_gives_the_same_classes():
    program = (
        "import adapters\n"
        "from cnnkit.adapters import AudioAdapter\n"
        "assert adapters.AudioAdapter is AudioAdapter\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, cwd=ROOT)
