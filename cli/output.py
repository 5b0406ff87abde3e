"""What commands show besides words: bars while they work, and JSON."""

from __future__ import annotations

import math
from typing import Any

from tqdm import tqdm


class Bars:
    """Shows a bar on stderr for each step, with the remaining time; nothing off a terminal.

    Parameters
    ----------
    hidden : bool
        Show nothing on a terminal either.
    """

    def __init__(self, hidden: bool) -> None:
        self.hidden = hidden
        self.what = ""
        self.bar: Any = None

    def close(self) -> None:
        """Take the bar away."""
        if self.bar is not None:
            self.bar.close()

    def __call__(self, what: str, done: int, total: int) -> None:
        """Show that `done` of `total` parts of a step are done."""
        if self.bar is None or what != self.what:
            self.close()
            hidden = True if self.hidden else None
            self.bar = tqdm(desc=what, total=total, leave=False, disable=hidden)
            self.what = what
        self.bar.total = total
        self.bar.update(done - self.bar.n)


def without_nan(value: Any) -> Any:
    """Put None, which JSON can hold, in the place of numbers that aren't finite.

    Examples
    --------
    >>> without_nan({"pvalue": math.nan, "scores": [0.5, math.inf]})
    {'pvalue': None, 'scores': [0.5, None]}
    """
    if isinstance(value, dict):
        return {key: without_nan(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [without_nan(entry) for entry in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
