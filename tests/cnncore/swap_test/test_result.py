import dataclasses
import json

import numpy as np
import pytest

from cnnkit.cnncore.swap_test.summary import summary


def test_the_result_is_json_and_comes_back_whole(outcome):
    found = json.loads(json.dumps(outcome.to_dict(), allow_nan=False))
    names = {field.name for field in dataclasses.fields(outcome)}
    for name in names - {"interval", "correlation"}:
        value = getattr(outcome, name)
        if name in ("permutation_scores", "network_scores"):
            assert np.array_equal(found[name], value)
        elif name == "effect":
            low, high = outcome.interval
            assert found[name] == {"value": value, "low": low, "high": high}
        elif name == "units":
            assert [tuple(unit.values()) for unit in found[name]] == [
                dataclasses.astuple(unit) for unit in value
            ]
        elif name == "scores":
            assert found[name] == {key: dataclasses.asdict(one) for key, one in value.items()}
        elif name == "advice":
            assert found[name] == {"model": value.model, "text": value.text}
        else:
            assert found[name] == (list(value) if isinstance(value, tuple) else value)
    assert set(found) == names - {"interval", "correlation"} | {"versions"}


def test_baselines_are_the_models_that_know_of_no_order(changed):
    assert set(changed("signals").baselines) == {"linear", "gradient boosting", "majority class"}
    assert set(changed("numbers").baselines) == {"linear", "gradient boosting", "mean"}


def test_the_result_reads_as_what_the_terminal_shows(outcome):
    assert repr(outcome) == str(outcome) == summary(outcome)


def test_a_result_plots_itself(outcome):
    axes = outcome.plot()
    assert sum(bar.get_height() for bar in axes.patches) == len(outcome.permutation_scores)


def test_a_result_cannot_be_changed(changed):
    with pytest.raises(dataclasses.FrozenInstanceError):
        changed("signals").verdict = "inconclusive"
