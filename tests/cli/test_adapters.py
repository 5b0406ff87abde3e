"""`cnnkit adapters`."""

import json

from cnnkit.adapters.audio.adapter import AudioAdapter


def test_the_list_names_adapter_and_package(cnnkit):
    assert "audio        from cnnkit\n" in cnnkit("adapters").stdout
    assert json.loads(cnnkit("adapters", "--json").stdout)["audio"] == "cnnkit"


def test_an_adapter_of_two_names_is_listed_once(cnnkit):
    lines = cnnkit("adapters").stdout.splitlines()
    assert [line for line in lines if "molecule" in line] == [
        "molecule     from cnnkit (also: molecules)"
    ]
    listed = json.loads(cnnkit("adapters", "--json").stdout)
    assert list(listed) == ["audio", "molecule", "table", "text"]


def test_an_adapter_is_shown_under_each_of_its_names(cnnkit):
    shown = cnnkit("adapters", "molecule").stdout
    assert "max_atoms" in shown
    assert cnnkit("adapters", "molecules").stdout == shown


def test_one_adapter_is_shown_with_all_that_can_be_set(cnnkit):
    shown = cnnkit("adapters", "audio").stdout
    known = AudioAdapter().get_params()
    assert all(name in shown for name in known)
    assert json.loads(cnnkit("adapters", "audio", "--json").stdout) == known


def test_an_unknown_adapter_is_refused_with_the_nearest(refused):
    assert refused("adapters", "audoi").endswith('did you mean "audio"?')
