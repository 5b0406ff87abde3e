from importlib.metadata import EntryPoint

import pytest

from cnnkit.adapters import AudioAdapter
from cnnkit.cnncore import plugins
from cnnkit.cnncore.plugins import (
    UnknownAdapterError,
    adapter_class,
    adapter_entries,
    adapter_names,
)

BROKEN = EntryPoint("broken", "no_such_package_anywhere:Adapter", plugins.GROUP)
OTHER = EntryPoint("another", "collections:OrderedDict", plugins.GROUP)


def with_entries(monkeypatch, *entries):
    monkeypatch.setattr(plugins, "entry_points", lambda group: list(entries))


def test_the_built_in_adapter_is_found_like_any_other():
    assert adapter_class("audio") is AudioAdapter


def test_adapters_are_listed_in_alphabetical_order_without_importing_them(monkeypatch):
    with_entries(monkeypatch, BROKEN, OTHER)
    assert list(adapter_entries()) == ["another", "broken"]


def test_entry_points_of_one_class_are_names_of_one_adapter(monkeypatch):
    again = [EntryPoint(name, OTHER.value, plugins.GROUP) for name in ("ordered", "a dict")]
    with_entries(monkeypatch, again[0], BROKEN, OTHER, again[1])
    assert adapter_names() == {"a dict": ["another", "ordered"], "broken": []}


def test_an_unknown_name_is_answered_with_the_nearest_one():
    with pytest.raises(UnknownAdapterError, match='did you mean "audio"'):
        adapter_class("audoi")
    with pytest.raises(UnknownAdapterError, match="installed ones are") as caught:
        adapter_class("zzz")
    assert "did you mean" not in str(caught.value)


def test_without_any_adapter_the_message_says_so(monkeypatch):
    with_entries(monkeypatch)
    with pytest.raises(UnknownAdapterError, match="installed ones are none"):
        adapter_class("audio")


def test_an_adapter_that_can_not_be_imported_names_the_reason(monkeypatch):
    with_entries(monkeypatch, BROKEN)
    with pytest.raises(UnknownAdapterError, match="no_such_package_anywhere") as caught:
        adapter_class("broken")
    assert "ModuleNotFoundError" in str(caught.value)
