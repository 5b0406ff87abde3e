"""What the terminal shows of a swap test: at most 25 lines of at most 100 columns."""

from __future__ import annotations

import itertools
import textwrap
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from cnnkit.cnncore.image import IntArray
from cnnkit.cnncore.objective import Float64Array
from cnnkit.cnncore.swap_test.result import SwapTestResult, Verdict

QUESTION = "Is this table just as useful after its columns change places?"
ANSWERS: dict[Verdict, str] = {
    "order matters": "No: order matters.",
    "order does not matter": "Yes: order does not matter.",
    "inconclusive": "Can't tell: inconclusive.",
}
SKILL = "of a convolution; a point (0.01) is 1 % of the error of always predicting the mean"
MODELS = {
    "cnn": "CNN, given order",
    "cnn shuffled": "CNN, shuffled orders",
    "gradient boosting": "gradient boosting",
    "linear": "linear model",
    "majority class": "majority class",
    "mean": "always the mean",
}
METRICS = {"r2": "R²", "roc_auc": "ROC AUC"}
PLURALS = {"category": "categories"}
MOST_LINES = 24  # and the command adds one
WIDTH = 100
LABEL = 12  # width of the left column
ROOM = WIDTH - LABEL - 3  # a wide letter at the end of a line may stick out by one column
MOST_NOTES = 3
NAME_WIDTH = 24
REASON_WIDTH = 60
BAR_WIDTH = 2
MOST_BARS = 24
BLOCKS = " ▁▂▃▄▅▆▇█"


def summary(result: SwapTestResult) -> str:
    """Write what `cnnkit check-table` prints: verdict, table, evidence, scores, notes.

    Parameters
    ----------
    result : SwapTestResult

    Returns
    -------
    str
        At most 25 lines, each at most 100 columns wide, however large the table is.
    """
    sections = [
        [QUESTION, ANSWERS[result.verdict]],
        [
            *_row("why", result.reason, 3),
            *_row("advice", result.advice.text, 2),
            *_row("tested", what_was_tested(result), 2),
            *_set_aside(result.set_aside),
        ],
        _evidence(result),
        _scores(result),
    ]
    blanks = len(sections) - 1
    free = MOST_LINES - sum(map(len, sections))
    sections[-1] += _notes(result.notes, max(free - blanks, min(2, free)))
    lines = [line for section in sections for line in ("", *section)][1:]
    while (
        len(lines) > MOST_LINES and "" in lines
    ):  # what is said counts more than the space around it
        del lines[len(lines) - 1 - lines[::-1].index("")]
    return "\n".join(lines[:MOST_LINES])


def what_was_tested(result: SwapTestResult) -> str:
    """Say in one sentence which rows and columns were tested, and what they are to predict."""
    rows = f"{result.rows:,} of " if result.rows < result.rows_total else ""
    kinds = Counter(unit.kind for unit in result.units)
    mixed = ", ".join(count(number, kind) for kind, number in kinds.items())
    shown = f"({mixed})" if len(kinds) > 1 else "".join(f"of {plural(kind)}" for kind in kinds)
    height, width = result.settings["shape"]
    shape = f" as an image of {height} × {width}" if height > 1 else ""
    classes = "numbers" if result.classes is None else f"{len(result.classes):,} classes"
    return (
        f"{rows}{count(result.rows_total, 'row')}, {count(len(result.units), 'column')} {shown}"
        f'{shape}, target "{shorten(result.target, NAME_WIDTH)}": {classes}'
    )


def pvalue_in_words(result: SwapTestResult) -> str:
    """Say what the p-value counted.

    The text reads like "0.005: none of 199 random orders scored as well as the given one".
    """
    draws = result.settings["draws"]
    as_good = int((result.permutation_scores[:draws] >= result.score).sum())
    found = f"{as_good:,} of {count(draws, 'random order')} scored at least as well as"
    if not as_good:
        found = f"none of {count(draws, 'random order')} scored as well as"
    return f"{result.pvalue:.3g}: {found} the given one"


def gain_in_words(result: SwapTestResult) -> str:
    """Say how much of the error that shuffled orders leave the given order removes."""
    verb = "removes" if result.gain_share >= 0 else "adds"
    link = "of" if result.gain_share >= 0 else "to"
    share = f"{100 * abs(result.gain_share):.1f} %"
    return f"the given order {verb} {share} {link} the error that shuffled orders leave"


def effect_in_words(result: SwapTestResult) -> str:
    """Say what the given order adds where the model sees the raw columns too."""
    value, low, high = (f"{100 * x:+z.1f}" for x in (result.effect, *result.interval))
    return f"{value} points of skill [{low}, {high}] over shuffled orders, beside the raw columns"


def metric_name(result: SwapTestResult) -> str:
    """Return the name of what the models' scores are, for people."""
    return METRICS.get(result.scoring, result.scoring.replace("_", " "))


def ranked_models(result: SwapTestResult) -> list[str]:
    """List the models that have a score: the CNN first, always guessing the same last."""
    return sorted(result.scores, key=list(MODELS).index)


def score_table(result: SwapTestResult) -> dict[str, str]:
    """Return every model's score as text, by the name that people read, the CNN first."""
    table = {MODELS["cnn"]: "not trained"} if "cnn" not in result.scores else {}
    for model in ranked_models(result):
        table[MODELS[model]] = str(result.scores[model])
    orders = len(result.network_scores)
    if orders:
        spread = result.network_scores.std(ddof=min(1, orders - 1))
        mean = f"{result.network_scores.mean():.3f} ± {spread:.3f}"
        table[MODELS["cnn shuffled"]] = f"{mean} (sd over {count(orders, 'order')})"
    return table


def histogram(scores: Float64Array, given: float, room: int) -> list[str]:
    """Draw the scores of shuffled orders as blocks, and below them a mark for the given order.

    Parameters
    ----------
    scores : float64 array [K]
        K is 1 or more.
    given : float
    room : int
        Most columns of a line, at least 40.

    Returns
    -------
    list of two str

    Examples
    --------
    >>> for line in histogram(np.array([0.0, 0.1, 0.1, 0.2]), 0.8, 40):
    ...     print(line)
    0.000 │▄▄██  ▄▄                  │ 0.800
                  given order 0.800 ▲
    """
    low, high = float(min(scores.min(), given)), float(max(scores.max(), given))
    left, right = f"{low:.3f} │", f"│ {high:.3f}"
    bins = min(MOST_BARS, (room - len(left) - len(right)) // BAR_WIDTH)
    heights = np.bincount(_cells(scores, low, high, bins), minlength=bins)
    heights = -(-heights * (len(BLOCKS) - 1) // heights.max())  # a single order is seen as well
    bars = "".join(BLOCKS[height] * BAR_WIDTH for height in heights)
    mark = len(left) + int(_cells(np.array([given]), low, high, len(bars))[0])
    label = f"given order {given:.3f}"
    beside = f"▲ {label}".rjust(mark + len(label) + 2)
    if len(beside) > room:
        beside = f"{label} ▲".rjust(mark + 1)
    return [left + bars + right, beside]


def shorten(text: str, width: int) -> str:
    """Return one line of printable letters, cut to a width in terminal columns.

    Examples
    --------
    >>> shorten("a very\\nlong name", 10)
    'a very lo…'
    """
    text = _printable(text)
    if _width(text) <= width:
        return text
    text = text[:width]
    while _width(text) >= width:
        text = text[:-1]
    return text + "…"


def count(number: int, word: str) -> str:
    """Write a number before its noun.

    Examples
    --------
    >>> count(1, "category"), count(2000, "category"), count(3, "date")
    ('1 category', '2,000 categories', '3 dates')
    """
    return f"{number:,} {word if number == 1 else plural(word)}"


def plural(word: str) -> str:
    """Return the plural of a noun.

    Examples
    --------
    >>> plural("category"), plural("date")
    ('categories', 'dates')
    """
    return PLURALS.get(word, f"{word}s")


def _cells(scores: Float64Array, low: float, high: float, cells: int) -> IntArray:
    """Find the cell of each score where `cells` of them stand from low to high: int64 [K]."""
    if high == low:
        return np.full(len(scores), cells // 2)
    return np.minimum((scores - low) / (high - low) * cells, cells - 1).astype(np.int64)


def _evidence(result: SwapTestResult) -> list[str]:
    """Draw the shuffled orders' scores, and say what p-value, gain and effect are."""
    bars, mark = histogram(result.permutation_scores, result.score, ROOM)
    return [
        *_row("skill", SKILL, 1),
        f"  {'shuffled':<{LABEL}}{bars}",
        f"  {'':<{LABEL}}{mark}",
        *_row("p-value", pvalue_in_words(result), 1),
        *_row("gain", gain_in_words(result), 1),
        *_row("effect", effect_in_words(result), 2),
    ]


def _scores(result: SwapTestResult) -> list[str]:
    """Line the models' scores up at the decimal point."""
    metric = shorten(metric_name(result), NAME_WIDTH)
    table = score_table(result)
    point = max(text.find(".") for text in table.values())
    lines = _row("scores", f"{metric} on held-out rows [95 % interval]", 1)
    for name, text in table.items():
        space = " " * (point - text.find(".")) if "." in text else ""
        lines.append(f"{'':{LABEL + 2}}{name:<{NAME_WIDTH}}{space}{text}")
    return lines


def _set_aside(reasons: Mapping[str, str]) -> list[str]:
    """List as many of the columns as fit on two lines, those of one reason together."""
    columns = [
        (shorten(name, NAME_WIDTH), shorten(reason, REASON_WIDTH))
        for name, reason in itertools.islice(reasons.items(), ROOM)
    ]
    for shown in range(len(columns), 0, -1):
        groups: dict[str, list[str]] = {}
        for name, reason in columns[:shown]:
            groups.setdefault(reason, []).append(name)
        parts = [f"{', '.join(names)} ({reason})" for reason, names in groups.items()]
        if shown < len(reasons):
            parts.append(f"… and {len(reasons) - shown:,} more")
        text = ", ".join(parts)
        if len(text) <= 2 * ROOM and len(lines := _row("set aside", text)) <= 2:
            return lines
    return []


def _notes(notes: Sequence[str], room: int) -> list[str]:
    """List the first notes on at most `room` lines, and say how many more there are."""
    lines: list[str] = []
    for shown, note in enumerate(notes):
        label = "" if lines else "notes"
        left = room - len(lines) - (shown < len(notes) - 1)
        if shown == MOST_NOTES or not left:
            more = count(len(notes) - shown, "more note")
            return lines + _row(label, f"… and {more}: --json or --report", 1)
        lines += _row(label, note, min(left, 2))
    return lines


def _row(label: str, text: str, most: int | None = None) -> list[str]:
    """Wrap a text beside its label, and cut it after `most` lines."""
    # textwrap counts letters, a terminal columns: a NUL makes a wide letter two letters long.
    spaced = "".join(c if _width(c) == 1 else f"{c}\0" for c in _printable(text))
    lines = textwrap.wrap(spaced, ROOM, max_lines=most, placeholder=" …", break_on_hyphens=False)
    lines = [line.replace("\0", "") for line in lines]
    return [f"  {'' if n else label:<{LABEL}}{line}" for n, line in enumerate(lines)]


def _printable(text: str) -> str:
    """Return the text on one line, without letters that steer a terminal."""
    return "".join(c for c in " ".join(text.split()) if c.isprintable())


def _width(text: str) -> int:
    """Count the terminal columns that a text takes at most."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)
