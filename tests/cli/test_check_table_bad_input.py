"""Tables as they shouldn't be: each ends with a clear message, or with an honest verdict."""

import json

import numpy as np
import pandas as pd
import pytest

QUICK = ("--permutations", 19, "--time-limit", 0, "--device", "cpu")


def numbers(rows=60, columns=8):
    """Columns of noise, of which the first decides the target."""
    generator = np.random.default_rng(3)
    values = generator.normal(size=(rows, columns)).round(3)
    frame = pd.DataFrame(values, columns=[f"c{number}" for number in range(columns)])
    frame["kind"] = np.where(values[:, 0] > 0, "high", "low")
    return frame


@pytest.fixture
def write(tmp_path):
    def run(frame, name="data.csv", **options):
        frame.to_csv(tmp_path / name, index=False, **options)
        return tmp_path / name

    return run


@pytest.fixture(scope="module")
def found(cnnkit):
    """Check a table, which must work; return what was found."""

    def run(*arguments):
        result = cnnkit("check-table", *arguments, *QUICK, "--json")
        assert (result.exit_code, result.stderr) == (0, "")
        return json.loads(result.stdout)

    return run


@pytest.fixture(scope="module")
def control(found, tmp_path_factory):
    """What is found in a good table."""
    path = tmp_path_factory.mktemp("good") / "data.csv"
    numbers().to_csv(path, index=False)
    return found(path)


def test_a_good_table_is_the_control(control):
    assert control["rows"] == 60
    assert len(control["units"]) == 8
    assert control["set_aside"] == {}


GOOD = "a,b,c,d,e,f\n1,2,3,4,5,x\n2,3,4,5,6,y\n"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            "a,b,,d,e,f\n1,2,3,4,5,6\n",
            "the header has columns without a name: number 3",
        ),
        (
            ",a,b,c,d,e\n0,2,3,4,5,x\n",
            "the header has columns without a name: number 1",
        ),
        ("a,b,a,d,e,f\n1,2,3,4,5,6\n", "names that stand there more than once: 'a'"),
        (GOOD + "3,4\n", "1 of 3 rows don't have the 6 fields of the header: line 4 has 2"),
        (
            GOOD + '3,4,"5,6,7,z\n3,4,5,6,7,x\n',
            "data.csv:4: the quotes in the row that",
        ),
        ("a,b,c,d,e,f\n", "has a header but no rows"),
        ("", "is empty; expected a table"),
        (
            GOOD.replace(",", " "),
            "data.csv:1: found one column: 'a b c d e f'; expected at",
        ),
        (GOOD.replace(",", ":"), "Is the delimiter something else than a comma, semicolon, tab or"),
        ("x" * 99 + "\n1\n", f"found one column: '{'x' * 60}…'"),
        ('{"a": [1, 2], "b": [3, 4]}', "isn't a table, it is JSON"),
        ("<html><p>a, b</p></html>", "isn't a table, it is HTML"),
        (bytes(range(256)), "isn't a table: it holds binary data, not text"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "isn't a table: it holds binary data, not text"),
        (b"PK\x03\x04\0\0", "it is a ZIP archive (as Excel's .xlsx files are)"),
        (b"PAR1 not really", "can't be read as Parquet"),
    ],
)
def test_what_is_no_good_table_is_refused_with_the_place(refused, tmp_path, content, message):
    path = tmp_path / "data.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    assert message in refused("check-table", path)


def test_a_folder_is_no_table(refused, tmp_path):
    assert refused("check-table", tmp_path) == f"{tmp_path} is a folder; expected a file."


def test_a_file_that_is_not_there_is_refused_with_the_nearest(refused, write):
    path = write(numbers(rows=3))
    message = refused("check-table", path.with_name("dta.csv"))
    assert message.endswith("doesn't exist. Did you mean 'data.csv'?")


@pytest.mark.parametrize("columns", [1, 4])
def test_too_few_columns_are_inconclusive_and_the_reason_is_told(found, write, columns):
    outcome = found(write(numbers(columns=columns)))
    assert outcome["verdict"] == "inconclusive"
    assert f"{columns} usable column" in outcome["reason"]
    assert "at least 5" in outcome["reason"]


def test_columns_that_cannot_be_used_do_not_count(found, write):
    frame = numbers(columns=4)
    frame.insert(0, "id", [f"customer-{number:04}" for number in range(60)])
    frame.insert(0, "country", "Peru")
    outcome = found(write(frame))
    assert outcome["set_aside"].keys() == {"id", "country"}
    assert "4 usable columns" in outcome["reason"]


def test_a_table_of_identifiers_and_constants_is_refused_with_the_reasons(refused, write):
    frame = numbers()[["kind"]]
    frame.insert(0, "id", [f"customer-{number:04}" for number in range(60)])
    frame.insert(0, "country", "Peru")
    message = refused("check-table", write(frame), *QUICK)
    assert "no column can be used" in message
    assert "'country'" in message
    assert "'id'" in message


def test_one_class_is_refused(refused, write):
    message = refused("check-table", write(numbers().assign(kind="high")), *QUICK)
    assert "'kind'" in message
    assert "'high'" in message


def test_a_class_with_a_single_row_is_told(found, write):
    frame = numbers()
    frame.loc[7, "kind"] = "odd"
    outcome = found(write(frame))
    assert "odd" in " ".join(outcome["notes"])


def test_a_target_without_any_value_is_refused(refused, write):
    message = refused("check-table", write(numbers().assign(kind="")), *QUICK)
    assert "'kind'" in message


def test_rows_without_a_target_are_left_out_and_counted(found, write):
    frame = numbers()
    frame.loc[:4, "kind"] = ""
    outcome = found(write(frame))
    assert outcome["rows_total"] == 55
    assert "5 " in " ".join(outcome["notes"])


def test_a_target_that_is_an_identifier_is_refused(refused, write):
    frame = numbers().assign(kind=[f"customer-{number:04}" for number in range(60)])
    assert "'kind'" in refused("check-table", write(frame), *QUICK)


def test_utf_16_is_found(found, write):
    frame = numbers().rename(columns={"c0": "Größe", "kind": "Käse"})
    outcome = found(write(frame, encoding="utf-16"))
    assert outcome["target"] == "Käse"
    assert outcome["units"][0]["name"] == "Größe"


def test_an_encoding_that_does_not_fit_is_refused_with_the_line(refused, write):
    path = write(numbers().assign(kind="Käse"), encoding="latin-1")
    message = refused("check-table", path, "--encoding", "utf-8")
    assert message.startswith("data.csv:2: byte 0xE4 isn't UTF-8")


def test_values_that_are_no_finite_numbers_are_missing_ones(found, write):
    frame = numbers().astype(object)
    for column, odd in enumerate(["nan", "inf", "-inf", "NA", "?", ""], start=1):
        frame.iloc[3:9, column] = odd
    outcome = found(write(frame))
    assert [unit["kind"] for unit in outcome["units"]] == ["number"] * 8
    assert all(np.isfinite(score) for score in outcome["permutation_scores"])


def test_numbers_as_people_write_them_are_numbers(found, write, control):
    frame = numbers()
    points_and_commas = str.maketrans(",.", ".,")
    forms = {
        "c0": lambda value: f"{1e5 * value:,.1f}",  # 123,456.7
        "c1": lambda value: f"{1e5 * value:.1f}".replace(".", ","),  # 123456,7
        "c2": lambda value: f"{1e5 * value:,.1f}".translate(points_and_commas),  # 123.456,7
        "c3": lambda value: f"$ {1e5 * value:,.1f}",
        "c4": lambda value: f"{1e2 * value:.1f} %",
    }
    for name, form in forms.items():
        frame[name] = frame[name].map(form)
    outcome = found(write(frame, sep=";"))
    assert [unit["kind"] for unit in outcome["units"]] == ["number"] * 8
    scores = outcome["permutation_scores"]
    np.testing.assert_allclose(scores, control["permutation_scores"], rtol=1e-3)


def test_ten_thousand_columns_can_be_tested(found, write):
    outcome = found(write(numbers(rows=20, columns=10_000)))
    assert len(outcome["units"]) + len(outcome["set_aside"]) == 10_000
    assert outcome["rows"] == 20


def test_a_table_of_three_rows_is_refused_or_inconclusive(cnnkit, write):
    result = cnnkit("check-table", write(numbers(rows=3)), *QUICK)
    assert result.exit_code == 2
    assert "Error: " in result.stderr
