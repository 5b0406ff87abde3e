"""`cnnkit preview`."""

import numpy as np
import pytest
from matplotlib.image import imread

AUDIO = ("--adapter", "audio", "--set", "frames=32")


@pytest.fixture
def draw(cnnkit, tmp_path):
    """Return a function that draws a preview and returns the picture."""

    def run(data, *options):
        out = tmp_path / "p.png"
        result = cnnkit("preview", data, *AUDIO, "--out", out, "--overwrite", *options)
        assert (result.exit_code, result.stderr) == (0, "")
        return imread(out)

    return run


def test_augmented_images_differ_from_plain_ones(draw, sounds):
    file = sounds / "low" / "0.wav"
    plain = draw(file)
    assert np.array_equal(plain, draw(file))
    assert not np.array_equal(plain, draw(file, "--augmented", "--set", "masks=0.5"))


def test_the_seed_chooses_items_and_augmentation(draw, sounds):
    first, again, other = (
        draw(sounds, "--count", 1, "--augmented", "--seed", seed) for seed in (1, 1, 2)
    )
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_what_was_decided_and_written_is_told(cnnkit, table, tmp_path):
    out = tmp_path / "p.png"
    shown = cnnkit("preview", table, *AUDIO, "--item", "path", "--count", 3, "--out", out).stdout
    assert "image: 40 mel bands" in shown
    assert shown.endswith(f"{out}: 3 of them drawn\n")
    assert out.read_bytes().startswith(b"\x89PNG")


def test_without_data_the_demo_set_is_drawn(cnnkit, sounds, tmp_path, monkeypatch):
    demo = [str(sounds / "low" / "0.wav"), str(sounds / "mid" / "0.wav")], ["low", "mid"]
    monkeypatch.setattr("cnnkit.adapters.audio.adapter.AudioAdapter.demo", lambda self: demo)
    shown = cnnkit("preview", *AUDIO, "--out", tmp_path / "p.png").stdout
    assert shown.endswith(": 2 of them drawn\n")


def test_an_item_that_cannot_be_read_is_told(cnnkit, sounds, tmp_path):
    folder = tmp_path / "sounds"
    folder.mkdir()
    (folder / "good.wav").write_bytes((sounds / "low" / "0.wav").read_bytes())
    (folder / "bad.wav").write_bytes(b"")
    result = cnnkit("preview", folder, *AUDIO, "--out", tmp_path / "p.png")
    assert result.exit_code == 0
    assert result.stderr.startswith("bad.wav: the file is empty")
    assert result.stdout.endswith(": 1 of them drawn\n")


def test_an_existing_file_is_refused_before_the_data_is_looked_at(refused, tmp_path):
    out = tmp_path / "p.png"
    out.touch()
    message = refused("preview", tmp_path / "nowhere", *AUDIO, "--out", out)
    assert message == f"{out} exists; choose another file, or add --overwrite"
    assert out.read_bytes() == b""


def test_data_that_is_not_there_is_refused(refused, tmp_path):
    message = refused("preview", tmp_path / "nowhere", *AUDIO, "--out", tmp_path / "p.png")
    assert message.startswith(f"{tmp_path / 'nowhere'} doesn't exist")


def test_texts_are_not_said_to_be_standardised_and_no_letter_gives_a_warning(cnnkit, tmp_path):
    data, out = tmp_path / "t.csv", tmp_path / "p.png"
    data.write_bytes("text\nÄrger und Öl\nÜber Bäume\n".encode("latin-1"))
    options = ("--adapter", "text", "--out", out, "--overwrite")
    result = cnnkit("preview", data, *options, "--encoding", "latin-1")
    assert (result.exit_code, result.stderr) == (0, "")
    assert "standardised" not in result.stdout
    data.write_text("text\n人人生而自由\n\U0001f600\n", encoding="utf-8")
    result = cnnkit("preview", data, *options)
    assert (result.exit_code, result.stderr) == (0, "")


def test_one_sound_is_told_in_the_singular(cnnkit, sounds, tmp_path):
    shown = cnnkit("preview", sounds / "low" / "0.wav", *AUDIO, "--out", tmp_path / "p.png").stdout
    assert "standardised by 1 item; " in shown


MOLECULES = "smiles\nCC(=O)Oc1ccccc1C(=O)O\nC1CC\nCCN\n"


@pytest.mark.parametrize("encoding", ["grid", "drawing", "chemception", "smiles"])
def test_molecules_are_drawn_in_every_encoding(cnnkit, tmp_path, encoding):
    data, out = tmp_path / "m.csv", tmp_path / "p.png"
    data.write_text(MOLECULES)
    options = ("--set", "side=none", "--set", f"encoding={encoding}", "--out", out)
    result = cnnkit("preview", data, "--adapter", "molecules", *options)
    assert result.exit_code == 0
    assert result.stderr.startswith("m.csv:3: invalid: unclosed ring")
    assert f"encoding: {encoding}" in result.stdout
    assert "standardised" not in result.stdout  # they aren't
    assert result.stdout.endswith(f"{out}: 2 of them drawn\n")
    assert out.read_bytes().startswith(b"\x89PNG")


def test_the_options_of_molecules_reach_the_preview(cnnkit, tmp_path):
    data, out = tmp_path / "m.csv", tmp_path / "p.png"
    data.write_text(MOLECULES)
    options = ("--adapter", "molecule", "--set", "side=none", "--max-atoms", 5, "--out", out)
    result = cnnkit("preview", data, *options)
    assert "m.csv:2: unsupported: found 13 heavy atoms; expected at most 5" in result.stderr
    assert result.stdout.endswith(f"{out}: 1 of them drawn\n")
