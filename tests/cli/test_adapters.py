"""`cnnkit adapters`."""

import json

from cnnkit.adapters.audio.adapter import AudioAdapter


def test_the_list_names_adapter_and_package(cnnkit):
    assert "audio        from cnnkit\n" in cnnkit("adapters").stdout
    assert json.loads(cnnkit("adapters", "--json").stdout)["audio"] == "cnnkit"


def test_one_adapter_is_shown_with_all_that_can_be_set(cnnkit):
    shown = cnnkit("adapters", "audio").stdout
    known = AudioAdapter().get_params()
    assert all(name in shown for name in known)
    assert json.loads(cnnkit("adapters", "audio", "--json").stdout) == known


def test_an_unknown_adapter_is_refused_with_the_nearest(refused):
    assert refused("adapters", "audoi").endswith('did you mean "audio"?')
