"""`cnnkit check-table` on tiny tables: what it tests, what it says, what it writes."""

import json

import numpy as np
import pandas as pd
import pytest

QUICK = ("--permutations", 19, "--time-limit", 0, "--device", "cpu")
KEYS = {
    "target", "task", "rows", "units", "set_aside", "pvalue", "effect", "verdict", "reason",
    "advice", "scores", "permutation_scores", "seconds", "settings", "versions", "notes", "file",
}  # fmt: skip


def write(path, frame, **options):
    frame.to_csv(path, index=False, **options)
    return path


class CalledError(Exception):
    """Holds the arguments of a function that needn't run."""


def stop(*tables, **settings):
    raise CalledError(tables, settings)


def curves(rows=90, columns=12):
    """Smooth curves; whether one has a jump is seen only where its columns stand in order."""
    generator = np.random.default_rng(0)
    values = generator.normal(size=(rows, columns)).cumsum(axis=1)
    frame = pd.DataFrame(values.round(3), columns=[f"t{number}" for number in range(columns)])
    frame["kind"] = np.where(np.abs(np.diff(values)).max(axis=1) > 2, "jump", "calm")
    return frame


@pytest.fixture(scope="session")
def table(tmp_path_factory):
    return write(tmp_path_factory.mktemp("tables") / "curves.csv", curves())


@pytest.fixture(scope="session")
def check(cnnkit):
    """Check a table in little time; it must work, and be silent on stderr."""

    def run(*arguments):
        result = cnnkit("check-table", *arguments, *QUICK)
        assert (result.exit_code, result.stderr) == (0, "")
        return result.stdout

    return run


@pytest.fixture(scope="session")
def found(check):
    def run(*arguments):
        return json.loads(check(*arguments, "--json"), parse_constant=pytest.fail)

    return run


@pytest.fixture
def tested(monkeypatch, cnnkit):
    """Return what the test was called with: (features, target), and the settings."""

    monkeypatch.setattr("cnnkit.cli.check_table_run.swap_test", stop)

    def run(*arguments):
        with pytest.raises(CalledError) as caught:
            cnnkit("check-table", *arguments)
        return caught.value.args

    return run


@pytest.fixture(scope="session")
def outcome(found, table):
    return found(table, "--columns", "t1:kind", "--rows")


@pytest.fixture(scope="session")
def page(tmp_path_factory):
    return tmp_path_factory.mktemp("report") / "out.html"


@pytest.fixture(scope="session")
def shown(check, table, page):
    """The same for people."""
    return check(table, "--columns", "t1:kind", "--rows", "--report", page).splitlines()


def test_json_holds_all_that_was_found(outcome):
    assert outcome.keys() >= KEYS
    assert outcome["file"] == "curves.csv"
    assert outcome["target"] == "kind"
    assert outcome["task"] == "classification"
    assert outcome["rows"] == 90
    assert [unit["name"] for unit in outcome["units"]] == [f"t{number}" for number in range(1, 12)]
    assert outcome["effect"].keys() == {"value", "low", "high"}
    assert outcome["verdict"] in {"order matters", "order does not matter", "inconclusive"}
    assert len(outcome["permutation_scores"]) == 19
    assert outcome["settings"]["seed"] == 0


def test_the_p_value_counts_the_orders_that_did_as_well(outcome):
    as_good = sum(score >= outcome["score"] for score in outcome["permutation_scores"])
    assert outcome["pvalue"] == pytest.approx((1 + as_good) / 20)


def test_what_was_guessed_is_noted_first(outcome):
    assert outcome["notes"][:2] == [
        "target: column 'kind' (the last one; --target names another)",
        "columns: 11 of 13 (t1:kind)",
    ]


def test_people_are_told_the_same(shown, outcome):
    assert shown[0] == "Is this table just as useful after its columns change places?"
    assert outcome["verdict"] in shown[1]
    assert sum(outcome["advice"]["text"][:40] in line for line in shown) == 1


def test_the_order_of_rows_is_told_too_and_called_experimental(shown, outcome):
    row_order = outcome["row_order"]
    (place,) = [place for place, line in enumerate(shown) if "experimental" in line]
    told = " ".join(" ".join(shown[place:]).split())
    said = f"rows experimental, on 90 rows: {row_order['verdict']}: {row_order['reason']}"
    assert told.startswith(f"{said} {' '.join(row_order['text'].split())}")
    assert row_order["experimental"]


def test_the_report_is_written_where_it_is_wanted(shown, page):
    assert shown[-1] == f"Report: {page}"
    html = page.read_text(encoding="utf-8")
    assert html.lstrip().lower().startswith("<!doctype html>")
    assert "curves.csv" in html


def test_without_options_a_table_is_tested_and_a_report_is_offered(check, table):
    lines = check(table).splitlines()
    assert len(lines) <= 27
    assert lines[-1] == "--report out.html writes the pictures"
    assert not any("experimental" in line for line in lines)


def test_the_same_seed_finds_the_same_and_another_seed_other_orders(found, table, outcome):
    arguments = (table, "--columns", "t1:kind")
    again, other = found(*arguments), found(*arguments, "--seed", 1)
    assert again.keys() == outcome.keys() - {"row_order"}
    for key in again.keys() - {"seconds"}:
        assert again[key] == outcome[key]
    assert other["permutation_scores"] != again["permutation_scores"]


def test_a_report_is_replaced_only_when_asked_which_is_known_before_the_work(
    check, tested, refused, table, tmp_path
):
    page = tmp_path / "out.html"
    page.write_text("mine")
    assert "exists; choose another" in refused("check-table", table, "--report", page)
    assert page.read_text() == "mine"
    assert tested(table, "--report", page, "--overwrite")


def test_a_report_needs_a_folder(refused, table, tmp_path):
    message = refused("check-table", table, "--report", tmp_path / "none" / "out.html")
    assert "there is no folder" in message


def test_every_option_reaches_the_test(tested, table):
    words = (
        "--shape 3x4 --permutations 39 --folds 4 --margin 0.1 --engine cnn --time-limit 7 "
        "--max-rows 50 --scoring roc_auc --task classification --device cpu --seed 5"
    )
    _, settings = tested(table, *words.split())
    assert callable(settings.pop("on_progress"))
    assert settings == {
        "shape": (3, 4), "n_permutations": 39, "cv": 4, "margin": 0.1, "engine": "cnn",
        "time_limit": 7, "max_rows": 50, "scoring": "roc_auc", "task": "classification",
        "device": "cpu", "random_state": 5, "target_name": "kind", "groups": None, "time": None,
    }  # fmt: skip


def test_the_values_are_the_texts_of_the_file(tested, table):
    (features, target), _ = tested(table)
    expected = pd.read_csv(table, dtype=str)
    pd.testing.assert_frame_equal(features, expected.drop(columns="kind"), check_dtype=False)
    assert target.tolist() == expected["kind"].tolist()


def test_a_column_with_the_name_of_a_target_is_taken_wherever_it_stands(tested, tmp_path):
    frame = curves().rename(columns={"t3": "Outcome"})
    (features, target), settings = tested(write(tmp_path / "a.csv", frame))
    assert target.name == settings["target_name"] == "Outcome"
    assert list(features) == [name for name in frame if name != "Outcome"]


def test_a_named_target_is_taken(tested, refused, table):
    (features, target), _ = tested(table, "--target", "t2")
    assert target.name == "t2"
    assert list(features)[-1] == "kind"
    assert "Did you mean 'kind'?" in refused("check-table", table, "--target", "Kinds")


@pytest.mark.parametrize(
    ("text", "columns"), [("t3:t6", "t3 t4 t5 t6"), ("2:3", "t1 t2"), ("t9:", "t9 t10 t11")]
)
def test_a_range_of_columns_is_tested_without_the_target(tested, table, text, columns):
    (features, target), _ = tested(table, "--columns", text)
    assert " ".join(features) == columns
    assert target.name == "kind"


def test_a_range_of_unknown_columns_is_refused(refused, table):
    message = refused("check-table", table, "--columns", "kin:t3")
    assert message.startswith("curves.csv has no column 'kin'. Did you mean 'kind'?")


def test_a_range_of_nothing_but_the_target_is_refused(refused, table):
    message = refused("check-table", table, "--columns", "kind:kind")
    assert message == "curves.csv: no column is left to test beside the target, 'kind'"


def test_a_table_of_nothing_but_groups_and_targets_is_refused(refused, tmp_path):
    path = write(tmp_path / "a.csv", curves()[["t0", "kind"]])
    message = refused("check-table", path, "--target", "t0", "--group", "kind")
    assert message == "a.csv: no column is left beside 't0', 'kind'"


def test_groups_are_no_column_to_test(tested, tmp_path):
    frame = curves()
    frame["patient"] = [f"p{row % 15}" for row in range(90)]
    (features, target), settings = tested(write(tmp_path / "a.csv", frame), "--group", "patient")
    assert list(features) == [f"t{number}" for number in range(12)]
    assert target.name == "kind"
    assert settings["groups"].tolist() == frame["patient"].tolist()


def test_times_are_no_column_to_test(tested, tmp_path):
    frame = curves()
    frame["day"] = [f"2024-{1 + row % 9:02}-{1 + row // 9:02}" for row in range(90)]
    (features, target), settings = tested(write(tmp_path / "a.csv", frame), "--time", "day")
    assert list(features) == [f"t{number}" for number in range(12)]
    assert target.name == "kind"
    days = (pd.to_datetime(frame["day"]) - pd.Timestamp("1970-01-01")).dt.days
    np.testing.assert_array_equal(settings["time"], days)


def test_groups_can_be_used(found, tmp_path):
    frame = curves()
    frame["patient"] = np.arange(90) // 6
    assert found(write(tmp_path / "a.csv", frame), "--group", "patient")["rows"] == 90


def test_times_can_be_used_and_how_they_were_read_is_noted(found, tmp_path):
    frame = curves()
    frame.insert(0, "day", [f"{1 + row % 28:02}.{1 + row // 28:02}.2024" for row in range(90)])
    outcome = found(write(tmp_path / "a.csv", frame), "--time", "day")
    assert outcome["rows"] == 90
    assert outcome["notes"][1] == "time 'day': the day comes first ('01.01.2024' is 2024-01-01)"


def test_times_may_be_numbers(tested, tmp_path):
    frame = curves()
    frame["second"] = np.arange(90)[::-1] / 8
    _, settings = tested(write(tmp_path / "a.csv", frame), "--time", "second")
    np.testing.assert_array_equal(settings["time"], frame["second"])


def test_a_time_that_is_none_is_refused_with_its_line(refused, tmp_path):
    frame = curves()
    frame["second"] = [*range(80), "soon", *range(81, 90)]
    message = refused("check-table", write(tmp_path / "a.csv", frame), "--time", "second")
    assert message == (
        "a.csv: column 'second': expected a number or a date like the others in every row, found "
        "line 82: 'soon'."
    )


@pytest.mark.parametrize("option", ["--group", "--time"])
def test_a_row_without_a_group_or_a_time_is_refused_with_its_line(refused, tmp_path, option):
    frame = curves()
    frame["which"] = [1.0] * 20 + [np.nan] * 7 + [2.0] * 63
    message = refused("check-table", write(tmp_path / "a.csv", frame), option, "which")
    assert "expected a value in every row, found line 22: '', line 23: ''" in message
    assert message.endswith(", … and 2 more.")


def test_one_column_can_serve_only_once(refused, table):
    message = refused("check-table", table, "--group", "t1", "--target", "t1")
    assert message == "curves.csv: column 't1' can't be both --target and --group"


def test_rows_are_held_out_by_group_or_by_time(refused, table):
    message = refused("check-table", table, "--group", "t1", "--time", "t2")
    assert message == "--group can't go with --time: rows are held out by one of them"


def test_a_file_without_a_header_is_tested_and_that_is_noted(found, tmp_path):
    outcome = found(write(tmp_path / "a.csv", curves(), header=False))
    assert outcome["rows"] == 90
    assert outcome["target"] == "column 13"
    assert outcome["notes"][0] == "a.csv: no header: the first line is a row like the others"


def test_too_few_rows_for_their_order_leave_the_rest_as_it_is(found, tmp_path):
    outcome = found(write(tmp_path / "a.csv", curves(rows=40)), "--rows")
    assert outcome["rows"] == 40
    assert outcome["row_order"]["verdict"] == "inconclusive"
    assert "40 rows: at least 80 are needed" in outcome["row_order"]["reason"]


def test_rows_are_taken_in_the_order_of_time(cnnkit, monkeypatch, tmp_path):
    monkeypatch.setattr("cnnkit.cli.check_table_run.row_order_test", stop)
    frame = curves()
    frame["second"] = np.random.default_rng(1).permutation(90)
    path = write(tmp_path / "a.csv", frame)
    with pytest.raises(CalledError) as caught:
        cnnkit("check-table", path, "--time", "second", "--rows", "--max-rows", 40, *QUICK)
    (values, target), settings = caught.value.args
    sorted_frame = frame.sort_values("second").head(40)
    expected = sorted_frame[[f"t{number}" for number in range(12)]]
    expected = ((expected - expected.mean()) / expected.std(ddof=0)).clip(-5, 5)
    np.testing.assert_allclose(values, expected, atol=1e-4)
    assert [target.classes[number] for number in target.values] == sorted_frame["kind"].tolist()
    assert settings == {"n_permutations": 19, "random_state": 0}
