import numpy as np
import pytest
from sklearn.metrics import accuracy_score, balanced_accuracy_score, r2_score, roc_auc_score

from cnnkit.cnncore.swap_test.folds import make_folds
from cnnkit.cnncore.swap_test.prepared import PreparedTable
from cnnkit.cnncore.swap_test.scoring import (
    choose_scoring,
    prior_losses,
    row_losses,
    score,
    score_interval,
    score_prior,
    skill,
)
from cnnkit.cnncore.swap_test.target import Target


def classes(*rows: int) -> Target:
    values = np.random.default_rng(0).permutation(np.repeat(np.arange(len(rows)), rows))
    return Target("y", "classification", values, tuple("abcdefgh"[: len(rows)]))


def table(target: Target, **options) -> PreparedTable:
    folds, _ = make_folds(target, folds=3, seed=0, **options)
    design = np.zeros((len(target), 1), np.float32)
    return PreparedTable((design,) * 3, (1,), folds, target, (1, 1))


TWO, FOUR = table(classes(50, 31)), table(classes(40, 30, 20, 7))
NUMBERS = table(Target("y", "regression", np.random.default_rng(1).gamma(2.0, size=90)))


def guesses(of: PreparedTable, seed: int = 0) -> np.ndarray:
    """Return predictions that know something: noise leaning to the truth."""
    truth = of.target.matrix()
    noise = np.random.default_rng(seed).normal(size=truth.shape)
    if of.target.classes is None:
        return (0.6 * truth + 0.5 * noise).astype(np.float32)
    powers = np.exp(truth + noise)
    return (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)


def test_numbers_get_r2_and_even_classes_accuracy():
    assert choose_scoring(NUMBERS.target) == ("r2", "")
    assert choose_scoring(classes(50, 31)) == ("accuracy", "")
    assert choose_scoring(classes(60, 30)) == ("accuracy", "")
    assert choose_scoring(classes(20, 10, 10, 10)) == ("accuracy", "")


def test_where_one_class_prevails_the_roc_curve_is_measured_and_said_why():
    for rows, share in (((61, 30), "67 %"), ((21, 10, 10, 10), "41 %"), ((94, 6), "94 %")):
        name, note = choose_scoring(classes(*rows))
        assert name == "roc_auc"
        assert note.startswith(f"{share} of the rows are of class 'a'")


def test_the_user_may_choose():
    assert choose_scoring(classes(94, 6), "balanced_accuracy") == ("balanced_accuracy", "")
    assert choose_scoring(NUMBERS.target, "skill") == ("skill", "")


def test_an_unknown_score_or_one_of_another_task_is_refused():
    with pytest.raises(ValueError, match='did you mean "accuracy"'):
        choose_scoring(classes(5, 5), "acuracy")
    with pytest.raises(ValueError, match="'roc_auc': expected, for regression, one of r2, skill"):
        choose_scoring(NUMBERS.target, "roc_auc")


@pytest.mark.parametrize("of", [TWO, FOUR], ids=["two classes", "four classes"])
def test_scores_of_classes_are_those_of_scikit_learn(of):
    said, y = guesses(of), of.target.values
    chosen = said.argmax(axis=1)
    assert score("accuracy", of, said) == pytest.approx(accuracy_score(y, chosen))
    expected = balanced_accuracy_score(y, chosen)
    assert score("balanced_accuracy", of, said) == pytest.approx(expected)
    votes = said[:, 1] if of is TWO else said / said.sum(axis=1, keepdims=True, dtype=float)
    expected = roc_auc_score(y, votes, multi_class="ovr")
    assert score("roc_auc", of, said) == pytest.approx(expected)


def test_r2_of_numbers_is_that_of_scikit_learn_in_any_unit():
    said, y = guesses(NUMBERS), NUMBERS.target.values
    expected = r2_score(y, said[:, 0] * y.std() + y.mean())
    assert score("r2", NUMBERS, said) == pytest.approx(expected, abs=1e-6)


def test_skill_compares_with_the_training_shares_of_each_fold():
    said, y = guesses(FOUR), FOUR.target.values
    error = prior = 0.0
    for train, test in FOUR.folds:
        shares = [np.mean(y[train] == k) for k in range(4)]
        for row in test:
            error += sum((said[row, k] - (y[row] == k)) ** 2 for k in range(4))
            prior += sum((shares[k] - (y[row] == k)) ** 2 for k in range(4))
    assert prior_losses(FOUR).sum() == pytest.approx(prior, rel=1e-6)
    assert row_losses(FOUR, said).sum() == pytest.approx(error, rel=1e-6)
    for found in (skill(FOUR, said), score("skill", FOUR, said)):
        assert found == pytest.approx(1 - error / prior, rel=1e-6)


def test_row_losses_are_summed_over_the_columns():
    one = np.tile(np.float32([0.5, 0.3, 0.2, 0.0]), (97, 1))
    expected = np.array([0.38, 0.78, 0.98, 1.38])[FOUR.target.values]
    losses = row_losses(FOUR, one)
    assert losses.dtype == np.float64
    np.testing.assert_allclose(losses, expected, rtol=1e-6)


@pytest.mark.parametrize("scoring", ["accuracy", "balanced_accuracy", "roc_auc", "skill"])
def test_a_score_is_the_value_of_its_interval(scoring):
    said = guesses(FOUR)
    interval = score_interval(scoring, FOUR, said, seed=3)
    assert score(scoring, FOUR, said) == interval.value
    assert interval.low < interval.value < interval.high


def test_a_score_needs_no_luck_where_a_class_is_rare():
    of = table(classes(30, 3))
    for seed in range(150):  # drawn with replacement, 5 % of these would lack the rare class
        values = np.random.default_rng(seed).permutation(of.target.values)
        target = Target("y", "classification", values, ("a", "b"))
        shuffled = PreparedTable(of.designs, of.widths, of.folds, target, of.shape)
        said = guesses(shuffled, seed)
        expected = roc_auc_score(values, said[:, 1])
        assert score("roc_auc", shuffled, said) == pytest.approx(expected)


def test_the_interval_of_skill_is_that_of_rows_drawn_again():
    losses, prior = row_losses(NUMBERS, guesses(NUMBERS)), prior_losses(NUMBERS)
    drawn = np.random.default_rng(9).integers(90, size=(4000, 90))
    ends = np.percentile(1 - losses[drawn].sum(axis=1) / prior[drawn].sum(axis=1), [2.5, 97.5])
    found = score_interval("skill", NUMBERS, guesses(NUMBERS), seed=0, resamples=4000)
    assert [found.low, found.high] == pytest.approx(ends.tolist(), abs=0.02)


def test_groups_widen_the_interval():
    of = table(Target("y", "regression", np.repeat(NUMBERS.target.values[:10], 9)))
    noise = np.repeat(np.random.default_rng(2).normal(size=(10, 1)), 9, axis=0)
    said, groups = of.target.matrix() + 0.5 * noise, np.repeat(list("abcdefghij"), 9)
    for scoring in ("r2", "skill"):
        alone = score_interval(scoring, of, said, seed=0)
        grouped = score_interval(scoring, of, said, seed=0, groups=groups)
        assert alone.value == grouped.value
        assert grouped.high - grouped.low > 2 * (alone.high - alone.low)


def test_a_model_without_a_mistake_may_still_make_some():
    perfect = score_interval("accuracy", TWO, TWO.target.matrix(), seed=0)
    assert (perfect.value, perfect.high) == (1.0, 1.0)
    assert perfect.low == pytest.approx(0.025 ** (1 / 81))


def test_the_majority_class_scores_what_its_shares_give():
    for scoring, expected in (("accuracy", 40 / 97), ("balanced_accuracy", 1 / 4)):
        name, found = score_prior(scoring, FOUR, seed=0)
        assert name == "majority class"
        assert found.value == pytest.approx(expected)


def test_the_majority_class_ranks_no_rows_though_the_folds_differ():
    assert score("roc_auc", FOUR, FOUR.prior()) != 0.5
    for of in (TWO, FOUR):
        found = score_prior("roc_auc", of, seed=0)[1]
        assert (found.value, found.low, found.high) == (0.5, 0.5, 0.5)


def test_the_mean_has_no_skill_even_where_the_folds_drift():
    drifting = table(Target("y", "regression", np.arange(30.0)), time=np.arange(30))
    for scoring in ("r2", "skill"):
        for of in (NUMBERS, drifting):
            name, found = score_prior(scoring, of, seed=0)
            assert name == "mean"
            assert (found.value, found.low, found.high) == (0.0, 0.0, 0.0)


def test_predictions_that_are_not_finite_are_refused():
    said = guesses(TWO)
    said[3] = np.nan
    with pytest.raises(ValueError, match="finite"):
        score("accuracy", TWO, said)
