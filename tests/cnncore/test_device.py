from pathlib import Path

import pytest
import torch

from cnnkit.cnncore import device
from cnnkit.cnncore.device import autocast_dtype, choose_device, cpu_has_bfloat16

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def _forget_the_cpu():
    cpu_has_bfloat16.cache_clear()
    yield
    cpu_has_bfloat16.cache_clear()


def without_accelerators(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)


def with_cpu_flags(monkeypatch, text):
    monkeypatch.setattr(Path, "read_text", lambda self, **how: text)


def test_auto_takes_the_cpu_where_there_is_nothing_else(monkeypatch):
    without_accelerators(monkeypatch)
    assert choose_device("auto") == CPU
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert choose_device("auto") == torch.device("mps")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert choose_device("auto") == torch.device("cuda")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("cud", 'did you mean "cuda"'),
        ("gpu", "expected auto, cpu, cuda, cuda:N or mps"),
        ("cuda:x", "expected auto"),
        ("cuda:", "expected auto"),
        ("", "expected auto"),
        ("cuda", "found 0 CUDA devices"),
        ("cuda:1", "found 0 CUDA devices"),
        ("mps", "this machine has none"),
    ],
)
def test_a_device_that_is_not_there_is_refused_with_advice(monkeypatch, name, message):
    without_accelerators(monkeypatch)
    with pytest.raises(ValueError, match=message) as caught:
        choose_device(name)
    assert f'device "{name}"' in str(caught.value)


def test_the_number_of_a_device_is_compared_with_their_count(monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert choose_device("cuda:1") == torch.device("cuda", 1)
    with pytest.raises(ValueError, match="found 2 CUDA devices"):
        choose_device("cuda:2")


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ("flags : fpu avx2 avx512f avx512_bf16 sse", torch.bfloat16),
        ("flags : fpu amx_bf16 amx_tile", torch.bfloat16),
        ("flags : fpu avx2 avx512f avx512bw", None),
    ],
)
def test_autocast_is_on_only_where_the_cpu_multiplies_bfloat16(monkeypatch, flags, expected):
    with_cpu_flags(monkeypatch, flags)
    assert autocast_dtype(CPU) == expected


def test_autocast_is_off_where_the_flags_can_not_be_read(monkeypatch):
    def missing(self, **how):
        raise FileNotFoundError(self)

    monkeypatch.setattr(Path, "read_text", missing)
    assert autocast_dtype(CPU) is None


@pytest.mark.parametrize(("capability", "expected"), [((7, 5), None), ((8, 0), torch.bfloat16)])
def test_autocast_on_cuda_goes_by_its_generation(monkeypatch, capability, expected):
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda which: capability)
    monkeypatch.setattr(device, "cpu_has_bfloat16", lambda: True)
    assert autocast_dtype(torch.device("cuda")) == expected


def test_autocast_is_off_on_mps():
    assert autocast_dtype(torch.device("mps")) is None
