"""Where a network runs, and in which precision."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import torch

from cnnkit.cnncore.errors import did_you_mean


def choose_device(name: str = "auto") -> torch.device:
    """Return the device called `name`; "auto" takes cuda, then mps, then the CPU.

    Raises
    ------
    ValueError
        If `name` is no device, or one that this machine doesn't have.

    Examples
    --------
    >>> choose_device("cpu")
    device(type='cpu')
    """
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    kind, colon, number = name.partition(":")
    if kind not in ("cpu", "cuda", "mps") or (colon and not number.isdigit()):
        advice = did_you_mean(kind, ["auto", "cpu", "cuda", "mps"])
        raise ValueError(f'device "{name}": expected auto, cpu, cuda, cuda:N or mps{advice}')
    if kind == "cuda" and int(number or 0) >= torch.cuda.device_count():
        found = torch.cuda.device_count()
        raise ValueError(f'device "{name}": found {found} CUDA devices; use "auto" or "cpu"')
    if kind == "mps" and not torch.backends.mps.is_available():
        raise ValueError('device "mps": this machine has none; use "auto" or "cpu"')
    return torch.device(name)


@cache
def cpu_has_bfloat16() -> bool:
    """Say whether the CPU multiplies bfloat16 in hardware.

    torch's own answer is True on CPUs that only emulate it, where autocast makes training
    slower, so the flags of the CPU are asked.
    """
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return "avx512_bf16" in flags or "amx_bf16" in flags


def autocast_dtype(device: torch.device) -> torch.dtype | None:
    """Return the low precision that pays on `device`, or None for plain float32."""
    if device.type == "cuda" and torch.cuda.get_device_capability(device) >= (8, 0):
        return torch.bfloat16
    return torch.bfloat16 if device.type == "cpu" and cpu_has_bfloat16() else None
