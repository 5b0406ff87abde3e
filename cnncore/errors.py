"""What is said about a network that can't be used as it is written."""

from __future__ import annotations

import difflib
import textwrap
from collections.abc import Sequence


class SpecError(ValueError):
    """A spec that can't be read or doesn't fit its images.

    Parameters
    ----------
    text : str
        The spec.
    problems : sequence of (place in `text`, what is wrong there)
    nearest : str or None
        The nearest spec that works, where one is known.

    Examples
    --------
    >>> print(SpecError("relu | gupp", [(7, "unknown word")], nearest="relu | gap"))
    unknown word
        relu | gupp
               ^
    The nearest spec that works: "relu | gap"
    """

    def __init__(
        self, text: str, problems: Sequence[tuple[int, str]], nearest: str | None = None
    ) -> None:
        self.text, self.problems, self.nearest = text, tuple(problems), nearest
        lines = [message for _, message in problems]
        lines += _marked(text, [place for place, _ in problems])
        if nearest is not None:
            lines.append(f'The nearest spec that works: "{nearest}"')
        super().__init__("\n".join(lines))


def did_you_mean(word: str, known: Sequence[str]) -> str:
    """Return '; did you mean "…"?' for the nearest known word, or an empty string.

    Examples
    --------
    >>> did_you_mean("pol", ["conv", "pool"])
    '; did you mean "pool"?'
    """
    near = difflib.get_close_matches(word, known, n=1)
    return f'; did you mean "{near[0]}"?' if near else ""


def _marked(text: str, places: Sequence[int]) -> list[str]:
    """Fold a spec into lines, with carets under some places."""
    lines, start = [], 0
    for line in textwrap.wrap(text, 90, break_long_words=False, break_on_hyphens=False) or [""]:
        end = start + len(line)
        carets = "".join(" ^"[place in places] for place in range(start, end + 1)).rstrip()
        lines += [f"    {part}" for part in (line, carets) if part]
        start = end + 1
    return lines
