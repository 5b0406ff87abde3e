import re
from html.parser import HTMLParser

import numpy as np
import pytest

from cnnkit.cnncore import results
from cnnkit.cnncore.estimator import CNNClassifier, CNNRegressor
from cnnkit.cnncore.experiment import Experiment
from cnnkit.cnncore.report import model_card, report, worst_mistakes
from cnnkit.cnncore.scores import Predictions

RNG = np.random.default_rng(0)
WORDS = ["".join(RNG.permutation(list("aabb" if row % 2 else "ccdd"))) for row in range(30)]
NASTY = np.array(["<b>&", 'x"y'] * 15, dtype=object)
NUMBERS = np.array([float(word.index(max(word))) for word in WORDS])
TITLES = {"majority": "majority class", "baseline": "letter shares", "cnn": "CNN"}
TRAIN, VAL, TEST = np.arange(16), np.arange(16, 23), np.arange(23, 30)
VOID = {"meta", "br", "hr", "img", "link", "input"}


class Page(HTMLParser):
    """Reads a page, and notices what isn't closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.links: list[str] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.links += [
            value or "" for name, value in attrs if name in ("src", "href", "xlink:href")
        ]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)


@pytest.fixture
def written(letter_adapter):
    """Return a function that fits on some targets and writes report and model card."""

    def write(targets, task, *, with_baseline=True, test=TEST):
        kind = CNNClassifier if task == "classification" else CNNRegressor
        run = Experiment(
            letter_adapter(), kind(epochs=2), WORDS, targets, task, with_baseline=with_baseline
        )
        fitted = run.fit(TRAIN, VAL, test)
        metrics = {
            **results.metrics_json(run, results.score_parts(run, fitted), "letter shares"),
            "split": {"name": "random", "sizes": {"train": 16, "val": 7, "test": len(test)}},
            "verdict": "The <i>CNN</i> & others",
        }
        page = report(
            fitted.model, "my <data>", TITLES, metrics,
            experiment=run, shown=fitted, places=[f"<row> {n}" for n in range(30)],
        )  # fmt: skip
        return page, model_card(fitted.model, "my data", TITLES, metrics), metrics

    return write


@pytest.mark.parametrize(
    ("targets", "task", "pictures"),
    [
        (NASTY, "classification", ["Learning curve", "Confusion matrix", "Calibration"]),
        (NUMBERS, "regression", ["Learning curve", "Predicted against true"]),
    ],
)
def test_the_report_is_one_page_with_its_pictures_inside(written, targets, task, pictures):
    text, _, metrics = written(targets, task)
    page = Page(text)
    assert page.open == []
    assert page.tags.count("svg") == len(pictures)
    for title in pictures:
        assert any(title in words for words in page.words)
    assert all(link.startswith(("#", "data:")) for link in page.links)
    assert not {"script", "link", "iframe", "img"} & set(page.tags)
    assert not re.search(r"@import|url\((?!#|\"#|'#|data:)", text)
    assert len(text.encode()) < 1_000_000
    value = metrics["cnn"]["test"][metrics["metric"]]["value"]
    assert any(f"{value:.3f}" in words for words in page.words)


def test_whatever_the_user_brings_is_escaped(written):
    text, _, _ = written(NASTY, "classification")
    for raw in ("<b>", "<i>CNN", "<row>", "my <data>"):
        assert raw not in text
    page = Page(text)
    assert not {"b", "i", "row", "data"} & set(page.tags)
    assert "my <data>" in page.words
    assert any("<b>&" in words for words in page.words)


def test_a_report_without_a_test_part_shows_the_validation_part(written):
    text, card, _ = written(NASTY, "classification", test=np.array([], dtype=np.int64))
    page = Page(text)
    assert any("Confusion matrix (val)" in words for words in page.words)
    assert table(card)[0] == ["accuracy", "val"]


def table(card: str) -> list[list[str]]:
    """Read the card's only table; its rows stand together and are equally wide."""
    lines = card.splitlines()
    inside = [number for number, line in enumerate(lines) if line.startswith("|")]
    assert inside == list(range(inside[0], inside[-1] + 1))
    assert lines[inside[0] - 1] == lines[inside[-1] + 1] == ""
    rows = [[cell.strip() for cell in lines[n].strip().strip("|").split("|")] for n in inside]
    assert {len(row) for row in rows} == {len(rows[0])}
    assert set(rows.pop(1)) == {"---"}
    return rows


def test_the_model_card_holds_a_table_of_all_models(written):
    _, card, metrics = written(NASTY, "classification")
    header, *rows = table(card)
    assert header == ["accuracy", "val", "test"]
    assert [row[0] for row in rows] == list(TITLES.values())
    for kind, row in zip(TITLES, rows, strict=True):
        for part, cell in zip(("val", "test"), row[1:], strict=True):
            assert cell.startswith(f"{metrics[kind][part]['accuracy']['value']:.3f} [")
    assert card.startswith("# cnnkit model: my data\n")
    assert metrics["verdict"] in card


def test_without_a_baseline_the_card_has_no_row_for_it(written):
    _, card, _ = written(NUMBERS, "regression", with_baseline=False)
    header, *rows = table(card)
    assert header == ["rmse", "val", "test"]
    assert [row[0] for row in rows] == ["majority class", "CNN"]


def test_the_most_confident_mistakes_come_first():
    p = np.array([[0.9, 0.1], [0.3, 0.7], [0.6, 0.4], [0.2, 0.8]])
    said = Predictions(np.array([3, 5, 7, 9]), p)
    places = [f"place {n}" for n in range(10)]
    found = worst_mistakes(said, np.array([1, 1, 1, 0]), ["a", "b"], places)
    assert found == [
        {"place": "place 3", "truth": "b", "said": "a", "probability": "0.90"},
        {"place": "place 9", "truth": "a", "said": "b", "probability": "0.80"},
        {"place": "place 7", "truth": "b", "said": "a", "probability": "0.60"},
    ]


def test_a_confusion_matrix_that_nobody_could_read_is_left_out(letter_adapter):
    classes = np.array([f"class {n:02d}" for n in range(31)], dtype=object)
    run = Experiment(None, CNNClassifier(), WORDS, classes, "classification")
    model = CNNClassifier(letter_adapter(), epochs=1).fit(WORDS, NASTY)
    rows = np.arange(31)
    shown = type("Shown", (), {"network": {"test": Predictions(rows, np.eye(31))}})
    scores = {"test": {"accuracy": {"value": 1.0, "low": 1.0, "high": 1.0}}}
    metrics = {"metric": "accuracy", "cnn": scores, "split": {"name": "x", "sizes": {}}}
    metrics["verdict"] = ""
    text = report(
        model, "many", {"cnn": "CNN"}, metrics, experiment=run, shown=shown, places=[""] * 31
    )
    assert "Confusion matrix" not in text
    assert "Calibration" in text
