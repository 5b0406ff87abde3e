"""What an author of an adapter runs: does it keep the rules that all of cnnkit relies on?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cnnkit.adapters.base import Adapter
from cnnkit.testing_case import FEWEST_ITEMS, Case
from cnnkit.testing_rules import RULES


def check_adapter(
    adapter: Adapter, items: Sequence[Any], labels: Sequence[Any], *, bad_item: Any = None
) -> None:
    """Check that an adapter keeps all rules of the contract; a test of your package may call it.

    A rule is a function of `cnnkit.testing_rules` whose name says it, `locate_answers_inside_only`
    for example. The adapter that is given stays as it is.

    Parameters
    ----------
    adapter : Adapter
        With the parameters to check it with. It needn't be fitted.
    items : sequence
        At least four good items, of different lengths where items have one. Some twenty are
        enough: they are read a dozen times.
    labels : sequence
        A class for each item; two or more classes.
    bad_item : object
        What can't be read. Most kinds of item have nothing worse than None.

    Raises
    ------
    AssertionError
        With every broken rule and what was found.
    ValueError
        If there are too few items or classes.

    Examples
    --------
    >>> from cnnkit.adapters import AudioAdapter
    >>> adapter = AudioAdapter(n_mels=16, speeds=[])
    >>> paths, labels = adapter.demo()
    >>> check_adapter(adapter, paths[:120:20], labels[:120:20])
    """
    if len(items) < FEWEST_ITEMS or len(items) != len(labels) or len(set(labels)) < 2:
        raise ValueError(
            f"{len(items)} items, {len(labels)} labels, {len(set(labels))} classes: expected at "
            f"least {FEWEST_ITEMS} items with a label each, and two classes"
        )
    case = Case(adapter, list(items), list(labels), bad_item)
    found: dict[str, str] = {}
    errors = []
    for rule in RULES:
        try:
            rule(case)
        except Exception as error:
            errors.append(error)
            kind = "" if isinstance(error, AssertionError) else f"{type(error).__name__}: "
            # What breaks `fit` breaks most rules: it is told once.
            found.setdefault(f"{kind}{error}", rule.__name__.replace("_", " "))
    if errors:
        lines = [f"  {rule}: {reason}" for reason, rule in found.items()]
        title = f"{type(adapter).__name__} breaks {len(lines)} of {len(RULES)} rules:"
        raise AssertionError("\n".join([title, *lines])) from errors[0]
