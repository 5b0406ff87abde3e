"""`--set NAME=VALUE`: parameters of an adapter by name and type."""

from collections.abc import Sequence
from typing import Optional

import click
import pytest

from cnnkit.cli.settings import (
    in_words,
    is_of_type,
    join_settings,
    make_adapter,
    parameter_hints,
    read_settings,
)


def test_a_value_is_json_or_else_text():
    pairs = ("a=1", "b=1.5", "c=true", "d=[1, 2]", "e=null", "f=speech", "g=x=y", ' h ="1"', "i=")
    assert read_settings(pairs) == {
        "a": 1, "b": 1.5, "c": True, "d": [1, 2], "e": None, "f": "speech", "g": "x=y", "h": "1",
        "i": "",
    }  # fmt: skip


def test_the_parameters_reach_the_adapter():
    adapter = make_adapter("audio", ("n_mels=32", "preset=speech", "speeds=[0.9, 2]", "fmin_hz=50"))
    assert (adapter.n_mels, adapter.preset, adapter.speeds) == (32, "speech", [0.9, 2])
    assert adapter.fmin_hz == 50
    assert make_adapter("audio", ("n_mels=null",)).n_mels is None


def test_all_wrong_names_are_told_with_the_nearest_right_ones():
    with pytest.raises(click.BadParameter) as caught:
        make_adapter("audio", ("n_mel=32", "presett=speech", "n_fft=256"))
    message = caught.value.message
    assert '"n_mel" (did you mean "n_mels"?); "presett" (did you mean "preset"?)' in message
    assert '"n_fft"' not in message
    assert "It has: cache, " in message


def test_a_value_of_another_type_is_refused_before_anything_is_read():
    pairs = ("n_mels=many", "cache=maybe", "preset=3", "fmin_hz=low", 'speeds=["a"]', "views=1.5")
    with pytest.raises(click.BadParameter) as caught:
        make_adapter("audio", pairs)
    assert caught.value.message.split("; ") == [
        'n_mels="many": expected a whole number',
        'cache="maybe": expected true or false',
        "preset=3: expected a word",
        'fmin_hz="low": expected a number',
        'speeds=["a"]: expected a list [...], each a number',
        "views=1.5: expected a whole number",
    ]


def test_a_pair_without_a_value_is_refused(refused):
    message = refused("fit", "--adapter", "audio", "--set", "n_mels")
    assert "'n_mels': expected NAME=VALUE" in message


@pytest.mark.parametrize(
    ("hint", "right", "wrong"),
    [
        (int, [0, -3], [True, 1.0, "1", None]),
        (float, [1, 2.5], [False, "2.5"]),
        (bool, [True], [1, "true"]),
        (int | None, [None, 1], ["1", [1]]),
        (Optional[str], [None, "a"], [1]),  # noqa: UP045 - the old spelling is meant
        (Sequence[float] | None, [None, [], [1, 0.5]], [1, ["a"], "ab"]),
        (dict[str, int], [{}, 1, "anything"], []),  # a hint that is not looked into
    ],
)
def test_values_are_compared_with_type_hints(hint, right, wrong):
    assert all(is_of_type(value, hint) for value in right)
    assert not any(is_of_type(value, hint) for value in wrong)


def test_an_adapter_whose_hints_cannot_be_looked_up_takes_any_value():
    def create(size: "ForTypeCheckersOnly" = None):  # noqa: F821 - that is the point
        pass

    assert parameter_hints(create) == {}


def test_hints_are_told_in_words():
    assert in_words(Sequence[float] | int | None) == "a list [...], each a number or a whole number"


def test_options_of_molecules_become_settings():
    given = {"max_atoms": 50, "salts": "largest", "ignore_stereo": True}
    pairs = join_settings("molecule", ("side=none",), given)
    assert read_settings(pairs) == {"side": "none", **given}
    adapter = make_adapter("molecule", pairs)
    assert (adapter.max_atoms, adapter.salts, adapter.ignore_stereo) == (50, "largest", True)
    assert join_settings("audio", ("n_mels=32",), {}) == ("n_mels=32",)


@pytest.mark.parametrize("command", ["fit", "preview"])
@pytest.mark.parametrize(
    ("option", "value"), [("--max-atoms", 50), ("--salts", "keep"), ("--ignore-stereo", None)]
)
def test_an_option_of_molecules_is_refused_by_others_and_given_twice(
    refused, tmp_path, command, option, value
):
    written = (option,) if value is None else (option, value)
    out = ("--out", tmp_path / "out")
    name = option[2:].replace("-", "_")
    message = refused(command, "nowhere.csv", "--adapter", "audio", *written, *out)
    assert message == f"{option} is for molecules: adapter audio has no parameter {name}"
    twice = (*written, "--set", f"{name}=false")
    message = refused(command, "nowhere.csv", "--adapter", "molecule", *twice, *out)
    assert message == f"{option} and --set {name}=… set the same parameter: drop one"


@pytest.mark.parametrize(("option", "value"), [("--max-atoms", 0), ("--salts", "kep")])
def test_a_wrong_value_of_an_option_of_molecules_is_refused(refused, option, value):
    message = refused("fit", "nowhere.csv", "--adapter", "molecule", option, value)
    assert message.startswith(f"Invalid value for '{option}'")
