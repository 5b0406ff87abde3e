"""Options of `cnnkit fit` that can't work are refused before any data is looked at."""

import pytest

# A table that isn't there: to look at it would give another message.
NOWHERE = ("fit", "nowhere.csv", "--adapter", "audio")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--cv 5 --split random", "--cv can't go with --split"),
        ("--cv 5 --test 20%", "--cv can't go with --test"),
        ("--cv 5 --split random --test 20%", "--cv can't go with --split or --test"),
        ("--cv 5 --test-data more.csv", "every fold is the test part once"),
        ("--cv 5 --val-data more.csv", "--cv can't go with --val-data"),
        ("--cv 5 --no-ablation", "no network is trained on its halves"),
        ("--split random --test-data more.csv", "--test-data can't go with --split"),
        ("--test 20% --test-data more.csv", "--test-data can't go with --test"),
        ("--test 20% --val-data more.csv", "--val-data can't go with --test"),
        ("--val 20% --val-data more.csv", "--val-data can't go with --val"),
        ("--split column:part --test 15%", "--split column:part says which items are tested"),
        ("--strict --max-bad 5%", "--strict can't go with --max-bad"),
        ("--overwrite", "--overwrite without --out"),
        ("--val 60% --test 60%", "expected numbers from 0 that sum to less than 1"),
        ("--split grup:speaker", "Did you mean 'group'?"),
        ("--split group:", "No split 'group:'"),
        ("--split scafold", "Did you mean 'scaffold'?"),
        ("--split scaffold", "Adapter audio knows no scaffolds"),
        ("--split scaffold-balanced", "can't be split by 'scaffold-balanced'"),
        ("--cv scaffold", "Adapter audio knows no scaffolds"),
        ("--cv grup:speaker", "Expected a number like 5, group:COL or column:COL"),
        ("--cv 2.5", "No way to make folds: '2.5'"),
        ("--device gpu", 'expected auto, cpu, cuda, cuda:N or mps; did you mean "cpu"?'),
        ("--device cuda:99", 'device "cuda:99": found'),
        ("--network audoi", '"audoi" is no preset; did you mean "audio"?'),
        ("--network conv", 'layer 1 "conv": expected conv 32x3x3'),
        ("--set n_mel=32", '"n_mel" (did you mean "n_mels"?)'),
        ("--set n_mels=many", 'n_mels="many": expected a whole number'),
        ("--epochs 0", "--epochs"),
        ("--lr 0", "--lr"),
        ("--ensemble 0", "--ensemble"),
        ("--mixup -1", "--mixup"),
        ("--batch-size many", "--batch-size"),
        ("--task regresion", "--task"),
        ("--class-weight equal", "--class-weight"),
        ("--separator ;", "add --task multilabel"),
        ("--task multilabel --separator=", "expected what stands between labels, such as ';'"),
    ],
)
def test_what_cannot_work_is_refused_at_once(refused, options, message):
    assert message.lower() in refused(*NOWHERE, *options.split()).lower()


def test_a_default_that_is_written_out_counts_as_given(refused):
    assert "--cv can't go with --split" in refused(*NOWHERE, "--cv", 5, "--split", "stratified")


@pytest.mark.parametrize(
    "option", ["--item", "--target", "--encoding", "--separator", "--val-data", "--test-data"]
)
def test_options_of_data_without_data_are_refused(refused, option):
    message = refused("fit", "--adapter", "audio", option, "x")
    assert message == f"{option} without DATA: name a folder or a table"


def test_the_adapter_must_be_named(refused):
    assert "Missing option '--adapter'" in refused("fit", "nowhere.csv")


def test_an_existing_folder_is_refused_at_once(refused, model, tmp_path):
    message = refused(*NOWHERE, "--out", model)
    assert message.startswith(f"{model} exists; choose another folder")
    message = refused(*NOWHERE, "--out", tmp_path, "--overwrite")
    assert message == f"{tmp_path} is no cnnkit model, so it is not overwritten"


def test_a_place_where_no_folder_can_be_made_is_refused_at_once(refused, sounds):
    file = sounds / "low" / "0.wav"
    message = refused(*NOWHERE, "--out", file / "model")
    assert message == f"{file / 'model'}: {file} is no folder that can be written to"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            "--split group:speakr",
            "There is no column 'speakr' to split by. Did you mean 'speaker'?",
        ),
        ("--cv column:speakr", "There is no column 'speakr' to split by. Did you mean 'speaker'?"),
        ("--target pitch --class-weight balanced", "--class-weight is for classes"),
        ("--target lable", "index.csv has no column 'lable'. Did you mean 'label'?"),
        ("--item paht", "index.csv has no column 'paht'. Did you mean 'path'?"),
        ("--encoding utf-99", "utf-99"),
        ("--task regression --target label", "is no finite number"),
    ],
)
def test_what_the_table_tells_is_refused_before_a_file_is_read(
    refused, table, tmp_path, monkeypatch, options, message
):
    forbid(monkeypatch, "fingerprints")
    out = ("--out", tmp_path / "model")
    assert message in refused("fit", table, "--adapter", "audio", *options.split(), *out)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--network", "conv 8x3x3 | gap | pool 2x2"), 'layer 3 "pool 2x2/2"'),
        (("--set", "n_mels=-1"), "n_mels=-1: expected"),
        (("--set", "preset=speach"), 'did you mean "speech"?'),
        (("--set", "fmin_hz=9000"), "expected 0 <= fmin_hz < fmax_hz <= 4000"),
    ],
)
def test_what_the_headers_tell_is_refused_before_a_sound_is_decoded(
    refused, sounds, tmp_path, monkeypatch, options, message
):
    forbid(monkeypatch, "read")
    out = ("--out", tmp_path / "model")
    assert message in refused("fit", sounds, "--adapter", "audio", *options, *out)


@pytest.mark.parametrize("option", ["--item", "--target", "--encoding"])
def test_options_of_a_table_are_refused_for_a_folder(refused, sounds, option):
    assert f"{sounds} isn't a table" in refused("fit", sounds, "--adapter", "audio", option, "x")


@pytest.mark.parametrize("kind", ["--split", "--cv"])
def test_a_folder_has_no_columns_to_split_by(refused, sounds, kind):
    message = refused("fit", sounds, "--adapter", "audio", kind, "group:speaker")
    assert message == "Splitting by 'speaker' needs a table; a folder has no columns."


def forbid(monkeypatch, method):
    """Let the audio adapter fail if it is asked to do this."""

    def fail(*_):
        raise AssertionError(f"{method} was called")

    monkeypatch.setattr(f"cnnkit.adapters.audio.adapter.AudioAdapter.{method}", fail)
