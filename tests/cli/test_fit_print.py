"""What `cnnkit fit` tells people."""

import pytest

from cnnkit.cli.fit_print import Printer


@pytest.fixture
def printer():
    printer = Printer(silent=False)
    printer.metric = "accuracy"
    return printer


def test_a_silent_printer_says_nothing(capsys):
    silent = Printer(silent=True)
    silent.line("one")
    silent.fact("label: text")
    silent.epoch({"epoch": 1, "train_loss": 0.5, "seconds": 0.1})
    assert capsys.readouterr() == ("", "")


def test_facts_stand_in_two_columns(printer, capsys):
    printer.fact("rate: 8,000 Hz: as most files")
    printer.fact("a long beginning: is no label")
    printer.fact("nor is this one")
    assert capsys.readouterr().out.splitlines() == [
        "  rate        8,000 Hz: as most files",
        "              a long beginning: is no label",
        "              nor is this one",
    ]


@pytest.mark.parametrize("validation", [{}, {"val_loss": 12.5, "val_metric": 0.75}])
def test_every_epoch_is_one_row_below_the_heading(printer, capsys, validation):
    for epoch in (1, 20):
        printer.epoch({"epoch": epoch, "train_loss": 0.5, "seconds": 1.0, **validation})
    head, first, last = capsys.readouterr().out.splitlines()
    assert len(head) == len(first) == len(last)
    assert ("val accuracy" in head) == bool(validation)
    assert last.split() == ["20", "0.5000", *(["12.5000", "0.7500"] if validation else []), "1.0"]


def test_epochs_of_folds_are_not_shown(printer, capsys):
    record = {"epoch": 2, "train_loss": 0.5, "seconds": 1.0}
    with printer.without_epochs():
        printer.epoch(record)
    assert capsys.readouterr().out == ""
    printer.epoch(record)
    assert capsys.readouterr().out.count("\n") == 1


def test_epochs_are_shown_again_after_an_error(printer):
    with pytest.raises(ValueError, match="bad fold"), printer.without_epochs():
        raise ValueError("bad fold")
    assert printer.epochs_shown


def test_labels_are_printed_from_the_most_frequent_to_the_rarest(printer, capsys):
    names = ("accuracy", "balanced_accuracy", "f1", "roc_auc", "average_precision")
    rows = [
        {"label": f"l{n}", "known": 2000, "positive": n, **dict.fromkeys(names, 0.25)}
        for n in range(14)
    ]
    rows[13]["f1"] = None
    printer.one_by_one({"labels": rows})
    printer.one_by_one({})
    blank, head, *lines, more = capsys.readouterr().out.splitlines()
    assert blank == ""
    assert head.split()[:3] == ["label", "positive", "known"]
    assert [line.split()[0] for line in lines] == [f"l{n}" for n in range(13, 1, -1)]
    assert lines[0].split() == ["l13", "13", "2,000", "–", "0.250", "0.250", "0.250"]
    assert more == "  … and 2 more; metrics.json has them all"
