"""Every kind of bad sound in one run: each is told, and nothing else is lost."""

import csv
import io
import json
import os
import re
import struct

import numpy as np
import pytest
import soundfile

RATE_HZ = 8000
TIME_S = np.arange(2400) / RATE_HZ


def encode(samples, rate_hz=RATE_HZ, kind="WAV", subtype=None):
    file = io.BytesIO()
    soundfile.write(file, samples, rate_hz, format=kind, subtype=subtype)
    return file.getvalue()


def sound(number):
    """Make a sound that is equal to no other."""
    return 0.5 * np.sin(2 * np.pi * (400 + number) * TIME_S)


def with_value(value):
    samples = sound(1).astype(np.float32)
    samples[80] = value
    return encode(samples, subtype="FLOAT")


REJECTED = {
    "zero_bytes.wav": (b"", r"the file is empty \(0 bytes\)"),
    "garbage.wav": (bytes(range(7, 250)) * 40, r"no sound that can be read .*expected wav, flac"),
    "page.wav": (b"<!DOCTYPE html>\n<html><p>404</p></html>", r"an HTML page, not a sound"),
    "pointer.wav": (
        b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n",
        r"a git-lfs pointer.*run `git lfs pull`",
    ),
    "header_only.wav": (encode(sound(2))[:30], r"damaged or cut off"),
    "zero_frames.wav": (encode(sound(3)[:0]), r"holds a header, but no sound \(0 samples\)"),
    "nan.wav": (with_value(np.nan), r"sample 80 \(at 0\.010 s\) is nan: expected finite"),
    "infinite.wav": (with_value(np.inf), r"sample 80 \(at 0\.010 s\) is inf: expected finite"),
    "phone.m4a": (
        struct.pack(">I4s4sI", 24, b"ftyp", b"M4A ", 512) + b"isomM4A " + bytes(900),
        r"MP4/M4A \(AAC\) file, which can't be read: convert it to wav or flac",
    ),
    "cut.flac": (encode(sound(4), kind="FLAC")[:600], r"damaged or cut off"),
}
WARNED = {
    "truncated.wav": (encode(sound(5))[:2444], r"cut off: 4844 bytes announced, 2444 found"),
    "one_sample.wav": (encode(sound(6)[:1] + 0.1), r"shorter than one window \(1 of 256 samples\)"),
    "silence.wav": (encode(np.zeros(2401)), r"silence: all 2401 samples are equal"),
    "antiphase.wav": (
        encode(np.stack([sound(7), -sound(7)], axis=1)),
        r"channels cancel each other \(antiphase\)",
    ),
}
ACCEPTED = {
    "8_bit.wav": encode(sound(10), subtype="PCM_U8"),
    "24_bit.wav": encode(sound(11), subtype="PCM_24"),
    "32_bit.wav": encode(sound(12), subtype="PCM_32"),
    "beyond_1.wav": encode(8 * sound(13), subtype="FLOAT"),
    "double.wav": encode(sound(14), subtype="DOUBLE"),
    "ulaw.wav": encode(sound(15), subtype="ULAW"),
    "alaw.wav": encode(sound(16), subtype="ALAW"),
    "adpcm.wav": encode(sound(17), subtype="IMA_ADPCM"),
    "ms_adpcm.wav": encode(sound(18), subtype="MS_ADPCM"),
    "gsm.wav": encode(sound(19), subtype="GSM610"),
    "streamed.wav": encode(sound(20)).replace(struct.pack("<I", 4800), b"\xff" * 4),
    "studio.wav": encode(np.sin(2 * np.pi * 500 * np.arange(28_800) / 96_000), 96_000),
    "flac_inside.wav": encode(sound(21), kind="FLAC"),
    "wav_inside.mp3": encode(sound(22)),
    "no_ending": encode(sound(23)),
    "LOUD.WAV": encode(sound(24)),
    "Käuzchen – 梟.wav": encode(sound(25)),
}
UNDECODABLE = os.fsdecode(b"caf\xe9.wav")
SKIPPED = ("._recorder.wav", "notes.txt")


@pytest.fixture(scope="module")
def everything(make_sounds, tmp_path_factory):
    """36 good sounds, and one file of every kind above among them."""
    folder = make_sounds(tmp_path_factory.mktemp("bad") / "sounds", 12)
    contents = {name: content for name, (content, _) in (REJECTED | WARNED).items()} | ACCEPTED
    for name, content in contents.items():
        (folder / "low" / name).write_bytes(content)
    try:
        (folder / "low" / UNDECODABLE).write_bytes(encode(sound(26)))
    except OSError:  # macOS has no such names
        (folder / "low" / "cafe.wav").write_bytes(encode(sound(26)))
    (folder / "mid" / "folder.wav").mkdir()
    for name in SKIPPED:
        (folder / "mid" / name).write_bytes(b"\0" * 99)
    return folder


@pytest.fixture(scope="module")
def outcome(fit, everything, tmp_path_factory):
    """What was printed, metrics.json, and the rows of rejects.csv by file name."""
    out = tmp_path_factory.mktemp("fit") / "model"
    all_learnt = ("--val", 0, "--test", 0, "--max-bad", "25%")
    shown = fit(everything, *all_learnt, "--out", out).stdout
    with (out / "rejects.csv").open(encoding="utf-8", newline="") as file:
        rows: dict[str, dict[str, str]] = {}
        for row in csv.DictReader(file):
            known = rows.setdefault(row["place"].removeprefix("low/"), row)
            if known is not row:  # two things are wrong with one item
                known["reason"] += f"; {row['reason']}"
    return shown, json.loads((out / "metrics.json").read_text(encoding="utf-8")), rows


@pytest.mark.parametrize("name", REJECTED)
def test_what_gives_no_sound_is_rejected_with_the_reason(outcome, name):
    row = outcome[2][name]
    assert row["status"] == "rejected"
    assert re.search(REJECTED[name][1], row["reason"])


@pytest.mark.parametrize("name", WARNED)
def test_what_looks_wrong_is_kept_with_a_warning(outcome, name):
    row = outcome[2][name]
    assert row["status"] == "warning"
    assert re.search(WARNED[name][1], row["reason"])


def test_nothing_else_is_reported(outcome):
    assert outcome[2].keys() == REJECTED.keys() | WARNED.keys()


def test_everything_else_is_used(outcome):
    metrics = outcome[1]
    used = 36 + len(WARNED) + len(ACCEPTED) + 1
    assert metrics["split"]["sizes"] == {"train": used, "val": 0, "test": 0}
    assert metrics["rejects"] == len(REJECTED)


def test_the_run_tells_what_it_found(outcome):
    lines = [" ".join(line.split()) for line in outcome[0].splitlines()]
    assert "skipped 2 files that are no items: ._* (1), .txt (1)" in lines
    assert f"rejected {len(REJECTED)} items; all are listed in rejects.csv" in lines
    assert f"warnings {len(WARNED)} items; all are listed in rejects.csv" in lines
    assert "rate 8,000 Hz (1 training files are resampled)" in lines


def test_the_same_files_are_told_in_the_same_words_when_they_are_predicted(
    cnnkit, model, everything, outcome
):
    result = cnnkit("predict", model, everything, "--json")
    said = {row["item"]: row for row in json.loads(result.stdout)["predictions"]}
    assert len(said) == 36 + len(REJECTED) + len(WARNED) + len(ACCEPTED) + 1
    for name, row in outcome[2].items():
        assert said[f"low/{name}"]["status"] == row["status"]
        assert said[f"low/{name}"]["reason"] == row["reason"]
        assert (said[f"low/{name}"]["prediction"] is None) == (name in REJECTED)
    assert sum(row["status"] != "ok" for row in said.values()) == len(outcome[2])


def test_a_name_that_is_no_text_is_printed_with_escapes(cnnkit, model, everything):
    result = cnnkit("predict", model, everything)
    assert ("low/caf\\udce9.wav," in result.stdout) or ("low/cafe.wav," in result.stdout)


def test_a_bad_file_with_a_name_that_is_no_text_can_be_reported(fit, make_sounds, tmp_path):
    folder = make_sounds(tmp_path / "sounds", 10)
    try:
        folder = folder.rename(tmp_path / os.fsdecode(b"sounds\xff"))
        (folder / "low" / UNDECODABLE).write_bytes(b"")
    except OSError:
        pytest.skip("this file system has no such names")
    shown = fit(folder, "--no-baseline", "--out", tmp_path / "model").stdout
    assert "low/caf\\udce9.wav: the file is empty" in shown
    rejects = (tmp_path / "model" / "rejects.csv").read_text(encoding="utf-8")
    assert rejects.splitlines()[1].startswith("low/caf\\udce9.wav,")


def write(folder, *names):
    for number, name in enumerate(names):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(encode(sound(100 + number)))
    return folder


def test_one_class_is_refused(refused_fit, tmp_path):
    write(tmp_path / "sounds", "low/1.wav", "low/2.wav")
    assert refused_fit(tmp_path / "sounds") == (
        "sounds: all 2 usable items have the target 'low'; at least 2 different ones are needed."
    )


def test_a_class_with_one_file_is_learnt_and_told(fit, make_sounds, tmp_path):
    folder = write(make_sounds(tmp_path / "sounds", 6), "rare/1.wav")
    shown = fit(folder, "--no-baseline", "--out", tmp_path / "model").stdout
    assert "1 of 4 classes have a single item" in shown
    config = json.loads((tmp_path / "model" / "config.json").read_text(encoding="utf-8"))
    assert config["fitted"]["classes"] == ["high", "low", "mid", "rare"]


def test_an_empty_folder_is_refused(refused_fit, tmp_path):
    folder = tmp_path / "sounds"
    folder.mkdir()
    assert refused_fit(folder) == f"{folder} holds no items, at any depth."


def test_a_folder_without_classes_is_refused(refused_fit, tmp_path):
    folder = write(tmp_path / "sounds", "1.wav", "2.wav")
    assert "has no sub-folders. Expected one sub-folder for each class" in refused_fit(folder)


def test_an_empty_class_is_told(fit, make_sounds, tmp_path):
    folder = make_sounds(tmp_path / "sounds", 6)
    (folder / "none").mkdir()
    shown = fit(folder, "--no-baseline", "--out", tmp_path / "model").stdout
    assert "sub-folders without items: 'none'" in shown


def test_files_of_which_none_can_be_read_are_refused(refused_fit, tmp_path):
    folder = tmp_path / "sounds"
    for label in ("low", "high"):
        (folder / label).mkdir(parents=True)
        for number in range(4):
            (folder / label / f"{number}.wav").write_bytes(b"nothing %d" % number)
    message = refused_fit(folder, "--out", tmp_path / "model")
    assert "training files is readable sound" in message
    assert "no sound that can be read" in message


def test_a_table_whose_paths_do_not_exist_is_refused_with_the_place(refused_fit, tmp_path):
    write(tmp_path / "clips", "a.wav", "b.wav")
    (tmp_path / "index.csv").write_text("path,label\na.wav,x\nb.wav,y\n", encoding="utf-8")
    message = refused_fit(tmp_path / "index.csv")
    assert message.startswith("index.csv: none of its 2 rows can be used. The first:\n")
    assert "index.csv:2 'a.wav': doesn't exist." in message
    assert "There is a 'clips/a.wav' as seen from there: write that path." in message


def test_some_rows_without_a_file_are_rejected_with_their_lines(fit, table, sounds, tmp_path):
    lines = table.read_text(encoding="utf-8").splitlines()
    lines = [lines[0], *(f"{sounds}/{line}" for line in lines[1:])]
    lines.insert(5, "gone.wav,low,anna,train,1.0")
    (tmp_path / "index.csv").write_text("\n".join(lines), encoding="utf-8")
    arguments = (tmp_path / "index.csv", "--target", "label", "--no-baseline")
    shown = fit(*arguments, "--out", tmp_path / "model").stdout
    assert "index.csv:6: doesn't exist." in shown
    with (tmp_path / "model" / "rejects.csv").open(encoding="utf-8", newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["place"], row["value"], row["status"]) == ("index.csv:6", "gone.wav", "rejected")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is empty; expected a table with a header line"),
        ("path,label\n", "has a header but no rows"),
        ("path,label\na.wav\n", "1 of 1 rows don't have the 2 fields of the header"),
        ("name,kind\nx,y\n", "Say which column holds the items. Columns: 'name', 'kind'"),
        ("path,kind\na.wav,y\n", "Say which column holds the targets. Columns: 'kind'"),
        ("path,label\n,x\n", "column 'path' is empty"),
    ],
)
def test_a_table_that_is_no_data_set_is_refused(refused_fit, tmp_path, content, message):
    (tmp_path / "index.csv").write_text(content, encoding="utf-8")
    assert message in refused_fit(tmp_path / "index.csv")


def test_a_folder_that_is_not_there_is_refused_with_the_nearest(refused_fit, sounds):
    message = refused_fit(sounds.parent / "sound")
    assert message == f"{sounds.parent / 'sound'} doesn't exist. Did you mean 'sounds'?"
