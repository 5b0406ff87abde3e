"""Options that several commands share."""

import click
import pytest

from cnnkit.cli.options import AdapterName, Percentage, check_output, written_options


@pytest.mark.parametrize(
    ("text", "share"), [("5%", 0.05), ("0.05", 0.05), ("0", 0), ("100%", 1), ("1", 1)]
)
def test_a_share_is_a_percentage_or_a_fraction(text, share):
    assert Percentage().convert(text, None, None) == share


@pytest.mark.parametrize("text", ["5", "-1%", "101%", "much", "", "%", "nan"])
def test_what_is_no_share_is_refused(text):
    with pytest.raises(click.BadParameter, match=r"expected a share such as 5% or 0\.05"):
        Percentage().convert(text, None, None)


def test_a_wrong_share_is_told_with_its_option(refused):
    assert "'--val': '15': expected a share" in refused("fit", "--adapter", "audio", "--val", 15)


def test_an_unknown_adapter_is_refused_with_those_there_are(refused):
    assert "'audoi' is not one of 'audio', 'molecule'" in refused("fit", "--adapter", "audoi")


def test_another_name_of_an_adapter_stands_for_its_main_one():
    assert AdapterName().convert("molecules", None, None) == "molecule"
    assert AdapterName().convert("audio", None, None) == "audio"


@pytest.mark.parametrize("seed", [-1, 2**32, "one"])
def test_a_seed_is_what_numpy_takes(refused, seed):
    assert "--seed" in refused("fit", "--adapter", "audio", "--seed", seed)


def test_a_file_is_replaced_only_when_asked(tmp_path):
    file = tmp_path / "file.csv"
    check_output(file, overwrite=False)
    file.touch()
    check_output(file, overwrite=True)
    with pytest.raises(FileExistsError, match=r"file.csv exists; .* --overwrite"):
        check_output(file, overwrite=False)


def test_a_place_where_no_file_can_be_is_refused(tmp_path):
    with pytest.raises(IsADirectoryError, match="is a folder"):
        check_output(tmp_path, overwrite=True)
    with pytest.raises(FileNotFoundError, match="make it first"):
        check_output(tmp_path / "none" / "file.csv", overwrite=False)


def test_an_option_that_repeats_its_default_counts_as_written():
    @click.command()
    @click.option("--one", default=1)
    @click.option("--two", default=2)
    @click.pass_context
    def command(context, one, two):
        click.echo(sorted(written_options(context)))

    assert click.testing.CliRunner().invoke(command, ["--one", "1"]).stdout == "['one']\n"
