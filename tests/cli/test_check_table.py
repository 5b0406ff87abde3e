"""The options of `cnnkit check-table`, and its help."""

import subprocess
import sys

import click
import pytest

from cnnkit.cli.check_table import Shape


def test_the_help_asks_the_question_of_the_rule_of_thumb(cnnkit):
    shown = " ".join(cnnkit("check-table", "--help").stdout.split())
    assert (
        "If your data is just as useful after swapping any of your columns with each other, then "
        "you can't use Convolutional Neural Networks."
    ) in shown
    assert "cnnkit check-table digits.csv --shape 8x8" in shown


def test_the_help_of_all_commands_names_it(cnnkit):
    shown = cnnkit("--help").stdout
    assert "cnnkit check-table customers.csv " in shown
    assert "\n  check-table " in shown


def test_asking_for_help_loads_no_heavy_package():
    command = [sys.executable, "-X", "importtime", "-m", "cnnkit", "check-table", "--help"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    loaded = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.split("\n")}
    assert "cnnkit" in loaded
    assert loaded & {"torch", "numpy", "pandas", "sklearn", "scipy", "matplotlib", "tqdm"} == set()


@pytest.mark.parametrize(
    ("text", "shape"), [("8x8", (8, 8)), ("2×30", (2, 30)), (" 4 X 12 ", (4, 12)), ((3, 4), (3, 4))]
)
def test_a_shape_is_rows_and_columns(text, shape):
    assert Shape().convert(text, None, None) == shape


@pytest.mark.parametrize("text", ["8", "8x", "0x8", "8x8x1", "-8x8", "8,8", ""])
def test_what_is_no_shape_is_refused(text):
    with pytest.raises(click.BadParameter, match="expected rows x columns, such as 8x8"):
        Shape().convert(text, None, None)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--shape", "8"),
        ("--permutations", 18),  # p could never be 0.05
        ("--folds", 1),
        ("--margin", 0),
        ("--margin", 1),
        ("--engine", "svm"),
        ("--time-limit", -1),
        ("--max-rows", 19),
        ("--task", "ranking"),
        ("--seed", -1),
    ],
)
def test_a_value_out_of_range_is_refused_with_its_option(refused, option, value):
    assert f"'{option}'" in refused("check-table", "data.csv", option, value)


def test_a_table_must_be_named(refused):
    assert refused("check-table") == "Missing argument 'DATA'."
