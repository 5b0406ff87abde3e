"""What a swap test leaves for people: one page that opens offline."""

from __future__ import annotations

import json
from dataclasses import dataclass

import jinja2
from markupsafe import Markup

from cnnkit.cnncore.figures import as_svg
from cnnkit.cnncore.report import TEMPLATES
from cnnkit.cnncore.swap_test.pictures import correlation_figure, draw_scores, scores_figure
from cnnkit.cnncore.swap_test.result import SwapTestResult
from cnnkit.cnncore.swap_test.summary import (
    ANSWERS,
    QUESTION,
    effect_in_words,
    gain_in_words,
    metric_name,
    pvalue_in_words,
    score_table,
    what_was_tested,
)
from cnnkit.cnncore.swap_test.verdict import FEWEST_UNITS, LITTLE

MOST_OPEN = 30  # a longer list of columns is folded


@dataclass(frozen=True)
class Condition:
    """One condition of the verdict's rule.

    Parameters
    ----------
    asks : str
        What has to hold.
    found : str
        The figure that was found.
    holds : bool
    """

    asks: str
    found: str
    holds: bool


def swap_report(result: SwapTestResult, name: str) -> str:
    """Write one self-contained HTML page: verdict, evidence, pictures, columns, all figures.

    Parameters
    ----------
    result : SwapTestResult
    name : str
        Of the table.

    Returns
    -------
    str
        Without scripts and links; whatever the user brought is escaped.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=jinja2.StrictUndefined,
    )
    figures = result.to_dict()
    return environment.get_template("swap_test.html").render(
        name=name,
        result=result,
        question=QUESTION,
        answer=ANSWERS[result.verdict],
        reason=sentence(result.reason),
        advice=sentence(result.advice.text),
        tested=what_was_tested(result),
        pvalue=pvalue_in_words(result),
        gain=gain_in_words(result),
        effect=effect_in_words(result),
        metric=metric_name(result),
        scores=score_table(result),
        pictures=pictures(result),
        order_matters=order_matters(result),
        order_does_not_matter=order_does_not_matter(result),
        guess="the mean" if result.classes is None else "the share of each class",
        is_long=len(result.units) > MOST_OPEN,
        notes=[sentence(note) for note in result.notes],
        versions=figures["versions"],
        dump=json.dumps(figures, indent=1, ensure_ascii=False),
    )


def pictures(result: SwapTestResult) -> dict[str, Markup]:
    """Draw what the page shows: "orders", "models", and "correlation" where it was kept."""
    drawn = {
        "orders": draw_scores(result).get_figure(root=True),
        "models": scores_figure(result),
        "correlation": correlation_figure(result),
    }
    return {name: as_svg(figure) for name, figure in drawn.items() if figure is not None}


def order_matters(result: SwapTestResult) -> list[Condition]:
    """List what has to hold for "order matters"."""
    alpha, margin = result.settings["alpha"], result.settings["margin"]
    return [
        Condition(
            f"at least {FEWEST_UNITS} usable columns",
            f"{len(result.units)}",
            len(result.units) >= FEWEST_UNITS,
        ),
        Condition(
            f"the p-value is at most {alpha:g}", f"{result.pvalue:.3g}", result.pvalue <= alpha
        ),
        Condition(
            f"the given order removes at least {100 * margin:g} % of the error that shuffled "
            "orders leave to a convolution",
            f"{100 * result.gain_share:.1f} %",
            result.gain_share >= margin,
        ),
        Condition(
            "in the given order the convolution has skill, also at its lower 95 % bound",
            f"{result.score:.3f}, lower bound {result.score_low:.3f}",
            result.score_low > 0 and result.score > LITTLE,
        ),
    ]


def order_does_not_matter(result: SwapTestResult) -> list[Condition]:
    """List what has to hold for "order does not matter", but for what the model learnt."""
    high = result.interval[1]
    return [
        Condition(
            f"the upper bound of the effect is below {100 * result.bar:.2g} points: the margin, or "
            "half of the skill if that is less",
            f"{100 * high:+z.1f} points",
            high < result.bar,
        )
    ]


def sentence(text: str) -> str:
    """Write a text as a sentence.

    Examples
    --------
    >>> sentence("two rows are empty")
    'Two rows are empty.'
    """
    text = text.strip()
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")
