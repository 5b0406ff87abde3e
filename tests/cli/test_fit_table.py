"""`cnnkit fit`, `predict`, `evaluate` and `preview` on a table whose rows are the items."""

import csv
import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import cnnkit as package
from cnnkit.adapters import TableAdapter
from cnnkit.cnncore.bootstrap import Interval
from cnnkit.cnncore.swap_test.result import Advice, SwapTestResult, UnitInfo
from cnnkit.cnncore.swap_test.target import TableError

TINY = ("--epochs", 2, "--device", "cpu", "--network", "conv 4x1x3 | relu | gap", "--no-baseline")
COLUMNS = [f"t{i}" for i in range(10)]

MATTERS = SwapTestResult(
    score=0.5, permutation_scores=np.full(199, 0.3), pvalue=0.005, effect=0.2, interval=(0.1, 0.3),
    score_low=0.2,
    bar=0.05,
    gain_share=0.3, verdict="order matters", reason="a convolution errs 30% less",
    advice=Advice("cnn", "Use a CNN: skill 0.500."), scoring="accuracy",
    scores={"linear": Interval(0.6, 0.5, 0.7)}, network_scores=np.array([]), target="y",
    task="classification", classes=("calm", "jump"), rows=90, rows_total=90,
    units=tuple(UnitInfo(name, "number", 1) for name in COLUMNS), set_aside={}, notes=(),
    settings={"draws": 199}, seconds={"total": float("nan")},
)  # fmt: skip
USELESS = replace(
    MATTERS,
    pvalue=0.6,
    verdict="order does not matter",
    reason="the given order adds at most 0.010 of skill",
    advice=Advice("linear", "Don't use a CNN: use a linear model (accuracy 0.600)."),
)
UNCLEAR = replace(
    MATTERS,
    verdict="inconclusive",
    reason="the rows are too few",
    advice=Advice("linear", "Until that is clear: use a linear model."),
)


def walks(rows, seed=0):
    """Make random walks, some of which jump; patients have three each."""
    steps = np.random.default_rng(seed).normal(size=(rows, len(COLUMNS)))
    frame = pd.DataFrame(steps.cumsum(axis=1).round(6), columns=COLUMNS)
    frame.insert(3, "patient", [f"p{row // 3}" for row in range(rows)])
    frame["state"] = np.where(np.abs(steps).max(axis=1) > 2.1, "jump", "calm")
    return frame


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """A table of walks; the target is its last column."""
    path = tmp_path_factory.mktemp("tables") / "walks.csv"
    walks(120).to_csv(path, index=False)
    return path


@pytest.fixture
def answer(monkeypatch):
    """Let the swap test answer at once; return what it was asked."""
    asked = {}

    def give(result):
        def swap_test(self, items, y, **options):
            asked.update(items=items, y=y, **options)
            if isinstance(result, Exception):
                raise result
            return result

        monkeypatch.setattr(TableAdapter, "swap_test", swap_test)
        return asked

    return give


@pytest.fixture
def fit(cnnkit, tmp_path):
    """Fit a tiny network; it must work. Return what was printed, and the model's folder."""

    def run(*arguments):
        out = tmp_path / "model"
        result = cnnkit("fit", "--adapter", "table", *TINY, "--out", out, *arguments)
        assert (result.exit_code, result.stderr) == (0, "")
        return result.stdout, out

    return run


def metrics_of(folder):
    return json.loads((folder / "metrics.json").read_text(encoding="utf-8"))


def words(text):
    return " ".join(text.split())


# The test before the training


def test_the_verdict_is_printed_and_kept_with_the_model(fit, answer, table):
    answer(MATTERS)
    shown, out = fit(table)
    lines = [words(line) for line in shown.splitlines()]
    asked = lines.index("swap test order matters: a convolution errs 30% less")
    assert "advice" not in shown  # the scores of what is trained now say more
    assert asked < lines.index("network conv 4x1x3 | relu | gap")
    found = metrics_of(out)["swap_test"]
    assert (found["verdict"], found["pvalue"]) == ("order matters", 0.005)
    assert found["effect"] == {"value": 0.2, "low": 0.1, "high": 0.3}
    assert found["seconds"] == {"total": None}
    assert not {"permutation_scores", "units"} & set(found)
    for name in ("README.md", "report.html"):
        text = words((out / name).read_text(encoding="utf-8"))
        assert "order matters" in text
        assert "a convolution errs 30% less." in text
        assert "advice" not in text


def test_nothing_is_trained_where_the_order_does_not_matter(refused, answer, table, tmp_path):
    answer(USELESS)
    out = tmp_path / "model"
    message = refused("fit", table, "--adapter", "table", *TINY, "--out", out)
    assert message == (
        "the order of the columns does not matter: the given order adds at most 0.010 of skill. "
        "Don't use a CNN: use a linear model (accuracy 0.600). "
        "--anyway trains the network all the same."
    )
    assert not out.exists()


def test_it_is_trained_anyway_where_that_is_asked_for(fit, answer, table):
    answer(USELESS)
    shown, out = fit(table, "--anyway")
    assert "order does not matter: the given order adds" in shown
    assert "Don't use a CNN: use a linear model" in shown
    card = words((out / "README.md").read_text(encoding="utf-8"))
    assert "**order does not matter**, the given order adds at most 0.010 of skill." in card
    assert "Its advice: Don't use a CNN" in card
    assert json.loads((out / "config.json").read_text())["options"]["anyway"] is True


def test_an_inconclusive_test_stops_nobody(fit, answer, table):
    answer(UNCLEAR)
    shown, out = fit(table)
    assert "inconclusive: the rows are too few" in shown
    assert "advice      Until that is clear: use a linear model." in shown
    assert metrics_of(out)["swap_test"]["verdict"] == "inconclusive"


def test_json_alone_is_printed_where_json_is_asked_for(fit, answer, table):
    answer(MATTERS)
    shown, out = fit(table, "--json")
    assert json.loads(shown) == {**metrics_of(out), "model": str(out)}


def test_rows_that_cannot_be_tested_are_refused_or_trained_on_anyway(refused, fit, answer, table):
    answer(TableError("class 'jump' has 1 row."))
    message = refused("fit", table, "--adapter", "table", *TINY)
    assert message == "the swap test: class 'jump' has 1 row. --anyway trains without it."
    shown, out = fit(table, "--anyway")
    assert "not tested: class 'jump' has 1 row\n" in shown
    assert metrics_of(out)["swap_test"] == {
        "verdict": "not tested",
        "reason": "class 'jump' has 1 row",
    }
    assert "**not tested**" in (out / "README.md").read_text(encoding="utf-8")


def test_the_test_sees_training_rows_only(fit, answer, table):
    asked = answer(MATTERS)
    _, out = fit(table, "--seed", 3)
    sizes = metrics_of(out)["split"]["sizes"]
    assert len(asked["items"]) == len(asked["y"]) == sizes["train"] < 120
    learnt = set((out / "training_items.txt").read_text().split())
    assert set(TableAdapter().fingerprints(asked["items"])) < learnt
    assert len(learnt) == sizes["train"] + sizes["val"]
    assert (asked["task"], asked["seed"], asked["device"]) == ("classification", 3, "cpu")
    assert asked["groups"] is None


def test_in_cross_validation_the_test_sees_all_rows(fit, answer, table):
    asked = answer(MATTERS)
    fit(table, "--cv", "2")
    assert len(asked["items"]) == 120


@pytest.mark.parametrize("option", ["--split", "--cv"])
def test_groups_are_kept_together_in_the_test_and_are_no_part_of_a_row(
    fit, answer, table, option, tmp_path
):
    few = pd.read_csv(table).assign(patient=[f"p{row % 4}" for row in range(120)])
    few.to_csv(tmp_path / "few.csv", index=False)
    asked = answer(MATTERS)
    shown, _ = fit(tmp_path / "few.csv", option, "group:patient")
    assert "rows of 10 columns, without 'patient'" in shown
    patients = few.set_index("t0")["patient"]
    assert list(asked["items"][0]) == COLUMNS
    assert asked["groups"] == [patients[float(item["t0"])] for item in asked["items"]]


def test_only_tables_are_trained_on_anyway(refused):
    message = refused("fit", "nowhere", "--adapter", "audio", "--anyway")
    assert message == "--anyway is for tables: adapter audio trains without a swap test; drop it"


def test_the_real_test_lets_ordered_columns_pass_and_refuses_the_others(
    fit, refused, tmp_path, monkeypatch
):
    monkeypatch.setattr("cnnkit.adapters.table.adapter.PERMUTATIONS", 19)
    generator = np.random.default_rng(0)
    steps = pd.DataFrame(generator.normal(size=(300, 16))).add_prefix("t")
    jumps = np.where(steps.abs().max(axis=1) > 2.3, "jump", "calm")
    steps.cumsum(axis=1).assign(state=jumps).to_csv(tmp_path / "walks.csv", index=False)
    shown, _ = fit(tmp_path / "walks.csv")
    assert "order matters: a convolution errs" in shown
    customers = pd.DataFrame(generator.normal(size=(300, 8)), columns=list("abcdefgh"))
    customers["paid"] = customers @ generator.normal(size=8)
    customers.to_csv(tmp_path / "customers.csv", index=False)
    message = refused("fit", tmp_path / "customers.csv", "--adapter", "table", *TINY)
    assert message.startswith("the order of the columns does not matter: ")
    assert "Don't use a CNN: use a linear model" in message


# Items and targets


def test_columns_and_target_are_told(fit, answer, table):
    answer(MATTERS)
    lines = [words(line) for line in fit(table)[0].splitlines()]
    assert "target column 'state' (the last one)" in lines
    assert "items rows of 11 columns" in lines
    assert "columns 11: 10 numbers, 1 category" in lines
    assert "image 1 × 11 pixels, one for each column" in lines


def test_columns_may_fill_an_image(fit, answer, table):
    answer(MATTERS)
    out = fit(table, "--split", "group:patient", "--set", "shape=2x5")[1]
    assert package.load(out).adapter_.spec_.shape == (1, 2, 5)


def test_numbers_are_predicted(fit, answer, table):
    answer(MATTERS)
    out = fit(table, "--target", "t9")[1]
    assert metrics_of(out)["task"] == "regression"


def test_parts_may_be_tables_of_their_own(fit, refused, answer, table, tmp_path):
    answer(MATTERS)
    test = walks(30, seed=1)
    test[["state", *COLUMNS[::-1], "patient"]].to_csv(tmp_path / "test.csv", index=False)
    out = fit(table, "--test-data", tmp_path / "test.csv")[1]
    assert metrics_of(out)["split"]["sizes"]["test"] == 30
    test.drop(columns=["t4", "t6"]).to_csv(tmp_path / "less.csv", index=False)
    message = refused("fit", table, "--adapter", "table", "--test-data", tmp_path / "less.csv")
    assert "less.csv lacks columns that a row must have: 't4', 't6'." in message


def test_rows_that_say_nothing_and_cells_that_are_odd_are_listed(fit, answer, tmp_path):
    answer(MATTERS)
    frame = walks(90).drop(columns="patient").astype(object)
    frame.loc[5, COLUMNS] = ""
    frame.loc[7, "t3"] = "many"
    frame.to_csv(tmp_path / "odd.csv", index=False)
    out = fit(tmp_path / "odd.csv")[1]
    with (out / "rejects.csv").open(encoding="utf-8", newline="") as file:
        empty, odd = csv.DictReader(file)
    assert (empty["place"], empty["value"], empty["status"]) == ("odd.csv:7", "row 6", "rejected")
    assert empty["reason"] == "all its columns are empty"
    assert (odd["place"], odd["status"]) == ("odd.csv:9", "warning")
    assert odd["reason"] == "taken as missing: 't3' is no number like those in training ('many')"


def test_without_data_the_demo_set_is_trained_on(fit, answer, monkeypatch):
    answer(MATTERS)
    demo = walks(60).drop(columns="state").to_dict("records"), walks(60)["state"].tolist()
    monkeypatch.setattr(TableAdapter, "demo", lambda self: demo)
    shown, out = fit()
    assert shown.startswith("cnnkit fit: table demo, 60 items\n")
    assert "row 1" in (out / "report.html").read_text(encoding="utf-8") or "60" in shown


# What is done with the model


@pytest.fixture
def model(fit, answer, table):
    """A model of the walks, which also saw a column that it doesn't use."""
    answer(MATTERS)
    frame = pd.read_csv(table).drop(columns="patient")
    frame.insert(0, "name", [f"walk {row}" for row in range(len(frame))])
    path = table.parent / "named.csv"
    frame.to_csv(path, index=False)
    return path, fit(path)[1]


def test_new_rows_are_predicted_by_the_names_of_their_columns(cnnkit, model, tmp_path):
    path, folder = model
    new = pd.read_csv(path).head(6)
    expected = package.load(folder, device="cpu").predict_proba(new.astype(str).to_dict("records"))
    new[["more", *COLUMNS[::-1]]] = new.assign(more=1)[["more", *COLUMNS[::-1]]]
    new[["more", *COLUMNS[::-1]]].to_csv(tmp_path / "new.csv", index=False)
    result = cnnkit("predict", folder, tmp_path / "new.csv", "--json")
    assert result.stderr == "items: rows of 10 columns, without 'more'\n"
    rows = json.loads(result.stdout)["predictions"]
    assert [row["item"] for row in rows] == [f"row {number}" for number in range(1, 7)]
    assert {row["status"] for row in rows} == {"ok"}
    found = [[row["p(calm)"], row["p(jump)"]] for row in rows]
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_rows_that_cannot_be_predicted_have_a_row_too(cnnkit, model, tmp_path):
    lines = [",".join(COLUMNS), ",".join("1" * 10), "," * 9, "many," + ",".join("2" * 9)]
    (tmp_path / "new.csv").write_text("\n".join(lines), encoding="utf-8")
    rows = json.loads(cnnkit("predict", model[1], tmp_path / "new.csv", "--json").stdout)
    rows = rows["predictions"]
    assert [row["status"] for row in rows] == ["ok", "rejected", "warning"]
    assert [row["prediction"] is None for row in rows] == [False, True, False]
    assert "'t0' is no number" in rows[2]["reason"]


def test_all_columns_that_new_rows_lack_are_named(refused, model, tmp_path):
    pd.read_csv(model[0]).drop(columns=["t1", "t8"]).to_csv(tmp_path / "new.csv", index=False)
    message = refused("predict", model[1], tmp_path / "new.csv")
    assert "new.csv lacks columns that a row must have: 't1', 't8'." in message
    assert "not those of column 't0'" in refused("predict", model[1], model[0], "--item", "t0")


def test_training_rows_are_recognised_and_left_out_of_the_score(cnnkit, model):
    path, folder = model
    sizes = metrics_of(folder)["split"]["sizes"]
    result = cnnkit("evaluate", folder, path, "--json")
    assert result.stderr == "items: rows of 11 columns\n"
    found = json.loads(result.stdout)
    assert (found["scored"], found["seen_in_training"]) == (sizes["test"], 120 - sizes["test"])
    test = metrics_of(folder)["cnn"]["test"]
    assert found["scores"]["accuracy"]["value"] == pytest.approx(test["accuracy"]["value"])


def test_rows_without_a_column_of_the_training_rows_cannot_be_recognised(cnnkit, model, tmp_path):
    frame = pd.read_csv(model[0])[["state", *COLUMNS]]  # the target isn't the last one here
    frame.to_csv(tmp_path / "nameless.csv", index=False)
    found = json.loads(cnnkit("evaluate", model[1], tmp_path / "nameless.csv", "--json").stdout)
    assert (found["scored"], found["seen_in_training"]) == (120, None)
    shown = cnnkit("evaluate", model[1], tmp_path / "nameless.csv").stdout
    assert "or these lack columns of them" in shown


def test_a_target_that_the_model_predicts_from_is_refused(refused, model):
    message = refused("evaluate", model[1], model[0], "--target", "t3")
    assert "column 't3' is one that targets are predicted from" in message


def test_rows_are_drawn_without_the_target(cnnkit, table, tmp_path):
    out = tmp_path / "p.png"
    result = cnnkit("preview", table, "--adapter", "table", "--out", out)
    assert (result.exit_code, result.stderr) == (0, "")
    assert "image: 1 × 11 pixels" in result.stdout
    assert out.read_bytes().startswith(b"\x89PNG")
