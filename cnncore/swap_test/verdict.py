"""From figures to words: the verdict on the order, and the advice which model to use."""

from __future__ import annotations

import math
from dataclasses import dataclass

from cnnkit.cnncore.bootstrap import Interval
from cnnkit.cnncore.swap_test.effect import ONE_SIDED_95, Effect
from cnnkit.cnncore.swap_test.result import Advice, Model, Verdict
from cnnkit.cnncore.swap_test.sequential import ENOUGH

FEWEST_UNITS = 5  # 4 columns have 12 orders up to reversal: too few for p <= 0.05
LITTLE = 0.02  # skill of a model that has learnt next to nothing
BEHIND = 0.15  # skill by which the probe may stay behind the best order-free model …
KEPT = 0.75  # … or else the share of that model's skill that it must have
MANY_ORDERS = 999  # more are not advised
MANY_ROWS = 1_000_000
AHEAD = 0.1  # skill by which the probe must lead where no network was trained
CLOSE = 0.01  # scores that differ by less are level: then the simpler model is advised
METRICS = {"r2": "R²", "roc_auc": "ROC AUC"}
ARTICLES = {"linear": "a linear model", "gradient boosting": "gradient boosting", "cnn": "a CNN"}


@dataclass(frozen=True, eq=False)
class Evidence:
    """All that the verdict rests on.

    Parameters
    ----------
    units, rows : int
    pvalue, alpha : float
    draws, asked : int
        Random orders that the p-value rests on, and the most that were allowed.
    alone, beside : Effect
        Statistics A (the convolution alone) and B (beside the raw columns).
    margin : float
    baseline_skills : dict of "linear" and "gradient boosting" to float
        Of the models that know of no order.
    """

    units: int
    rows: int
    pvalue: float
    alpha: float
    draws: int
    asked: int
    alone: Effect
    beside: Effect
    margin: float
    baseline_skills: dict[str, float]

    @property
    def best_baseline(self) -> Model:
        """Name the order-free model with the most skill."""
        skills = self.baseline_skills
        return "linear" if skills["linear"] >= skills["gradient boosting"] else "gradient boosting"

    @property
    def probe_skill(self) -> float:
        """Skill of the probe, whether its columns stand in order or not."""
        return max(float(self.beside.skills[0]), float(self.beside.skills[1:].mean()))

    @property
    def stopped(self) -> bool:
        """Drawing ended early, as it would with more permutations too."""
        return math.isclose(self.pvalue * self.draws, ENOUGH)

    @property
    def bar(self) -> float:
        """The margin; less where there is little skill that an order could add to."""
        return min(self.margin, self.probe_skill / 2)


def judge(found: Evidence) -> tuple[Verdict, str]:
    """Give the verdict and its reason; the p-value alone never decides.

    "order matters": p <= alpha, a convolution has skill in the given order (at its lower bound),
    and that order removes at least `margin` of the error that random orders leave to it. "order
    does not matter": what the given order adds to a model that sees the raw columns too is, at its
    upper bound, below `margin` and below half of that model's skill, and the model learnt
    something. Else "inconclusive".
    """
    if found.units < FEWEST_UNITS:
        return "inconclusive", (
            f"{found.units} usable columns have too few orders to compare; at least {FEWEST_UNITS} "
            "are needed"
        )
    not_random = found.pvalue <= found.alpha
    share = f"{found.alone.gain_share:.0%}"
    skilled = found.alone.reached > 0 and found.alone.skills[0] > LITTLE
    if not_random and skilled and found.alone.gain_share >= found.margin:
        reason = (
            f"a convolution errs {share} less with the columns in the given order than in random "
            f"orders, and {_odds(found)}"
        )
        if found.beside.high < found.bar:
            reason += "; beside the raw columns, whose order is no matter, it adds next to nothing"
        return "order matters", reason
    weak = _too_weak(found)
    if weak:
        return "inconclusive", weak
    if found.beside.high < found.bar:
        bound = f"at most {max(found.beside.high, 0):.3f} of skill (margin {found.bar:.2g})"
        reason = f"the given order adds {bound} to what swapped columns give"
        if not_random:
            reason += f"; it isn't a random order ({_odds(found)}), but it is worth little"
        return "order does not matter", reason
    return "inconclusive", (
        f"the given order may add up to {found.beside.high:.3f} of skill, which isn't below the "
        f"margin of {found.bar:.2g}, but p = {found.pvalue:.3g} {_remedy(found)}"
    )


def _odds(found: Evidence) -> str:
    as_good = ENOUGH if found.stopped else round(found.pvalue * (found.draws + 1)) - 1
    who = "none" if as_good <= 0 else f"{as_good:,}"
    return f"{who} of {found.draws:,} random orders did as well: p = {found.pvalue:.3g}"


def _too_weak(found: Evidence) -> str:
    """Say why the probe can't tell, if it can't."""
    top = found.baseline_skills[found.best_baseline]
    if found.beside.learnt <= 0 and top <= LITTLE:
        best = max(found.probe_skill, top)
        return (
            f"no model learns the target from these columns (the best skill is {best:.3f}), so "
            "that no order can help; more rows or other columns would settle it"
        )
    if found.beside.learnt <= 0 or found.probe_skill < min(top - BEHIND, KEPT * top):
        return (
            f"the convolution beside the raw columns learns too little for its order to tell "
            f"(skill {found.probe_skill:.3f}; {found.best_baseline} {top:.3f}); more rows would "
            "settle it"
        )
    return ""


def _remedy(found: Evidence) -> str:
    """Say about how many more orders or rows would settle an inconclusive test."""
    more_orders = not found.stopped and found.asked < MANY_ORDERS
    if found.pvalue <= found.alpha:
        if found.alone.gain_share < found.margin:
            but = f"the order removes only {found.alone.gain_share:.1%} of a convolution's error"
        else:
            but = f"a convolution alone has too little skill ({found.alone.skills[0]:.3f})"
        return f"and {but}; {_more_rows(found, more_orders)}"
    if found.pvalue <= 2 * found.alpha and more_orders:
        return (
            f"is close to {found.alpha:g}; --permutations {MANY_ORDERS} would settle it, or more "
            "rows"
        )
    return f"says nothing against a random order; {_more_rows(found, more_orders)}"


def _more_rows(found: Evidence, more_orders: bool) -> str:
    """Estimate the rows for which the interval would end at the margin."""
    room = found.bar - max(found.beside.value, 0)
    if room <= 0:
        return "more rows would settle it"
    by_rows, by_orders = (
        (ONE_SIDED_95 * error / room) ** 2
        for error in (found.beside.rows_error, found.beside.orders_error)
    )
    if by_orders > 0.5 and more_orders:  # most of the room is lost to the number of orders
        return f"more random orders (--permutations {MANY_ORDERS}) would settle it"
    needed = by_rows / max(1 - by_orders, 0.1) * found.rows
    if needed > MANY_ROWS:
        return "the effect is so close to the margin that more rows would hardly settle it"
    return f"about {_round_up(max(needed, 1.2 * found.rows)):,} rows would settle it"


def _round_up(number: float) -> int:
    """Round up to two digits."""
    step = 10 ** max(len(str(int(number))) - 2, 0)
    return int(-(-number // step) * step)


def advise(
    verdict: Verdict, found: Evidence, scores: dict[str, Interval], always: str, scoring: str
) -> Advice:
    """Choose the model to use, by the scores that people see.

    Parameters
    ----------
    verdict : Verdict
    found : Evidence
    scores : dict of str to Interval
        Higher is better: "linear", "gradient boosting", always predicting the same, and of the
        trained network "cnn" and "cnn shuffled" unless it was left out.
    always : str
        Which of the scores is that of always predicting the same.
    scoring : str
        What the scores are.
    """
    value = {name: score.value for name, score in scores.items()}
    others = [score.low for name, score in scores.items() if name not in (always, "cnn shuffled")]
    nothing = found.beside.learnt <= 0 and found.baseline_skills[found.best_baseline] <= LITTLE
    if verdict != "order matters" and nothing and max(others) <= value[always]:
        return Advice("none", "No model predicts the target from these columns; look for others.")
    scoring = METRICS.get(scoring, scoring)
    simple = _simplest_best(value)
    named = f"{ARTICLES[simple]} ({scoring} {value[simple]:.3f})"
    if verdict != "order matters":
        opening = "Don't use a CNN" if verdict == "order does not matter" else "Until that is clear"
        return Advice(simple, f"{opening}: use {named}.")
    if "cnn" not in value:
        return _advise_by_probe(found)
    cnn, shuffled = value["cnn"], value["cnn shuffled"]
    rivals = max(value[name] for name in found.baseline_skills)
    reached = f"{scoring} {cnn:.3f} in the given order, {shuffled:.3f} in shuffled ones"
    if cnn > max(rivals, shuffled) + CLOSE:
        return Advice("cnn", f"Use a CNN: {reached} ({ARTICLES[simple]} {value[simple]:.3f}).")
    if cnn > rivals + CLOSE:
        return Advice(
            simple,
            f"The order carries information, but the network doesn't use it ({reached}): use "
            f"{named}, or train networks on more rows.",
        )
    return Advice(
        simple,
        f"The order carries information, but {ARTICLES[simple]} does as well or better here: use "
        f"{named}; the CNN reaches {cnn:.3f}.",
    )


def _advise_by_probe(found: Evidence) -> Advice:
    """Choose by skill, where no network was trained.

    The probe's skill is that of its best strength on the held-out rows, a little too good, so
    that it has to be well ahead.
    """
    probe = max(float(found.alone.skills[0]), float(found.beside.skills[0]))
    best = found.best_baseline
    compared = (
        f"skill {probe:.3f} by random convolutions, {found.baseline_skills[best]:.3f} by {best}"
    )
    if probe > found.baseline_skills[best] + AHEAD:
        return Advice("cnn", f"Train a CNN and compare: {compared}; no network was trained here.")
    return Advice(
        best,
        f"The order carries information, but {ARTICLES[best]} is hard to beat here ({compared}; no "
        "network was trained).",
    )


def _simplest_best(scores: dict[str, float]) -> Model:
    linear, boosting = scores["linear"], scores["gradient boosting"]
    return "linear" if linear >= boosting - CLOSE else "gradient boosting"
