"""The check for authors of adapters counts the images of items that have several."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch

from cnnkit.adapters import TextAdapter
from cnnkit.adapters.text.renderer import TextRenderer
from cnnkit.testing import check_adapter

TEXTS = [f"{word} " * 90 for word in ("tick", "tock", "tickle", "octet", "to", "it")]
LABELS = ["i", "o", "i", "o", "o", "i"]


def test_items_of_several_images_pass() -> None:
    check_adapter(TextAdapter(unit="bytes"), TEXTS, LABELS, bad_item=None)


@pytest.mark.parametrize("told", [lambda count: count + 1, lambda count: count[:-1] * 2])
def test_an_adapter_that_miscounts_them_is_told_so(
    monkeypatch: pytest.MonkeyPatch, told: Callable[[torch.Tensor], torch.Tensor]
) -> None:
    draw = TextRenderer.forward

    def miscounted(self: TextRenderer, *given: object) -> object:
        images = draw(self, *given)
        return replace(images, windows=told(images.windows))

    monkeypatch.setattr(TextRenderer, "forward", miscounted)
    with pytest.raises(AssertionError, match="images are what spec says"):
        check_adapter(TextAdapter(unit="bytes"), TEXTS, LABELS, bad_item=None)
