"""What a network must know of the images that it will see."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cnnkit.cnncore.image import ImageSpec

# (channels, rows, columns), None for a length that differs from batch to batch; (features,) once
# the pixels are gone.
Shape = tuple[int | None, ...]


@dataclass(frozen=True)
class Input:
    """What the layers must know of an image.

    Parameters
    ----------
    shape : tuple (channels, rows, columns)
        None for rows or columns whose number differs from batch to batch.
    vocabulary : int or None
        Number of categories of an image of category numbers.
    side : int
        Number of side features.
    sparse : bool
        An item has but a few of them: they can vote, but not be joined.
    vectors : int
        Features that each pixel of category numbers brings along.

    Raises
    ------
    ValueError
        If `shape` has not three lengths of at least 1, or the number of channels is not known.

    Examples
    --------
    >>> Input.of((1, 40, None))
    Input(shape=(1, 40, None), vocabulary=None, side=0, sparse=False, vectors=0)
    """

    shape: Shape
    vocabulary: int | None = None
    side: int = 0
    sparse: bool = False
    vectors: int = 0

    def __post_init__(self) -> None:
        known = [length for length in self.shape if length is not None]
        if len(self.shape) != 3 or self.shape[0] is None or min(known) < 1:
            raise ValueError(
                f"found image shape {self.shape}, expected (channels, rows, columns), each at "
                "least 1, or None for rows or columns whose number differs from batch to batch"
            )

    @classmethod
    def of(cls, image: ImageSpec | Input | Shape) -> Input:
        """Take over an `ImageSpec`, or the bare shape of an intensity image."""
        if isinstance(image, Input):
            return image
        if isinstance(image, tuple):
            return cls(image)
        if image.values == "index" and image.vocabulary is None:
            raise ValueError("an image of category numbers needs `vocabulary`, their number")
        vocabulary = image.vocabulary if image.values == "index" else None
        sparse = image.sparse_side > 0
        side = image.sparse_side if sparse else len(image.side)
        return cls(image.shape, vocabulary, side, sparse, image.vectors)
