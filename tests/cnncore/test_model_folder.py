import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from cnnkit.cnncore import model_folder
from cnnkit.cnncore.estimator import CNNClassifier, CNNRegressor
from cnnkit.cnncore.image import Axis, ImageSpec, Recipe
from cnnkit.cnncore.model_folder import ModelFolderError, from_json, load, save, to_json
from cnnkit.cnncore.plugins import UnknownAdapterError

RNG = np.random.default_rng(0)
X = RNG.normal(size=(16, 2, 4, 4)).astype(np.float32)
LABELS = np.array(["b<", "a", "ü", "a"] * 4)
PLAIN = {".json", ".jsonl", ".safetensors", ".md", ".html", ".csv", ".txt"}


def classifier(**settings) -> CNNClassifier:
    settings = {"network": "conv 3x3x3 | norm | relu | gap", "epochs": 2} | settings
    return CNNClassifier(**settings, device="cpu")


@pytest.fixture(scope="module")
def fitted() -> CNNClassifier:
    return classifier(ensemble=2).fit(X[:12], LABELS[:12], validation=(X[12:], LABELS[12:]))


@pytest.fixture
def folder(fitted, tmp_path) -> Path:
    return save(fitted, tmp_path / "model")


def test_a_moved_model_predicts_the_same_in_another_process(fitted, folder, tmp_path):
    moved = folder.rename(tmp_path / "elsewhere")
    np.save(tmp_path / "X.npy", X)
    program = (
        "import sys, numpy as np, cnnkit\n"
        "model = cnnkit.load(sys.argv[1], device='cpu')\n"
        "np.save(sys.argv[3], model.predict_proba(np.load(sys.argv[2])))\n"
    )
    files = [moved, tmp_path / "X.npy", tmp_path / "said.npy"]
    subprocess.run([sys.executable, "-c", program, *files], check=True, cwd=tmp_path)
    np.testing.assert_array_equal(np.load(tmp_path / "said.npy"), fitted.predict_proba(X))


def test_everything_that_was_learnt_comes_back(fitted, folder):
    again = load(folder, device="cpu")
    np.testing.assert_array_equal(again.predict(X), fitted.predict(X))
    assert again.classes_.tolist() == ["a", "b<", "ü"]
    assert again.temperature_ == fitted.temperature_ != 1.0
    assert again.plan_ == fitted.plan_
    assert again.history_ == fitted.history_
    assert again.network_ == fitted.network_
    assert again.n_features_in_ == 2
    settings = fitted.get_params()
    assert again.get_params() == settings
    with pytest.raises(ValueError, match="trained on"):
        again.predict(X[:, :, :, :2])


def test_a_loaded_model_can_be_saved_and_trained_again(fitted, folder, tmp_path):
    again = load(save(load(folder, device="cpu"), tmp_path / "copy"), device="cpu")
    np.testing.assert_array_equal(again.predict_proba(X), fitted.predict_proba(X))
    again.fit(X[:12], LABELS[:12], validation=(X[12:], LABELS[12:]))
    np.testing.assert_array_equal(again.predict_proba(X), fitted.predict_proba(X))


@pytest.mark.parametrize("targets", [RNG.normal(90, 9, size=16), RNG.normal(90, 9, size=(16, 2))])
def test_a_regressor_comes_back_with_the_units_of_its_targets(tmp_path, targets):
    model = CNNRegressor(network="conv 3x3x3 | relu | gap", epochs=2, device="cpu")
    save(model.fit(X, targets), tmp_path / "model")
    again = load(tmp_path / "model", device="cpu")
    np.testing.assert_array_equal(again.predict(X), model.predict(X))


@pytest.mark.parametrize(
    "labels",
    [[0, 1, 2, 1], [-1.0, 2.0, 0.0, 2.0], [True, False, True, False]],
    ids=["int", "float", "bool"],
)
def test_labels_keep_their_type(tmp_path, labels):
    model = classifier().fit(X, labels * 4)
    again = load(save(model, tmp_path / "model"), device="cpu")
    assert again.classes_.dtype == model.classes_.dtype
    np.testing.assert_array_equal(again.classes_, np.unique(labels))


def test_labels_that_are_objects_stay_objects(tmp_path):
    model = classifier().fit(X, np.array(["a", "bb"] * 8, dtype=object))
    again = load(save(model, tmp_path / "model"), device="cpu")
    assert again.predict(X).dtype == object


def test_numbers_as_keys_of_class_weights_stay_numbers(tmp_path):
    weight = {0: 1.0, 1: 2.5}
    model = classifier(class_weight=weight).fit(X, [0, 1] * 8)
    again = load(save(model, tmp_path / "model"), device="cpu")
    assert again.class_weight == weight
    again.fit(X, [0, 1] * 8)


def test_a_model_with_a_random_state_object_can_be_saved(tmp_path):
    model = classifier(random_state=np.random.RandomState(3)).fit(X, LABELS)
    again = load(save(model, tmp_path / "model"), device="cpu")
    np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))
    assert again.random_state == model.plan_.seed


def test_loading_leaves_the_global_generator_as_it_was(folder):
    torch.manual_seed(5)
    before = torch.get_rng_state()
    load(folder, device="cpu")
    assert torch.equal(torch.get_rng_state(), before)


def test_a_folder_holds_plain_files_only(fitted, tmp_path):
    extra = {"README.md": "# ü", "metrics.json": "{}", "rejects.csv": "a,b\n"}
    folder = save(fitted, tmp_path / "model", files=extra, about={"data": {"items": 3}})
    names = {path.name for path in folder.iterdir()}
    assert names == {
        "config.json", "weights.safetensors", "adapter.json", "adapter.safetensors",
        "history.jsonl", *extra,
    }  # fmt: skip
    assert {path.suffix for path in folder.iterdir()} <= PLAIN
    assert (folder / "README.md").read_text(encoding="utf-8") == "# ü"
    assert json.loads((folder / "config.json").read_text(encoding="utf-8"))["data"] == {"items": 3}
    assert all(b"\x80\x04" not in path.read_bytes()[:2] for path in folder.iterdir())


@pytest.mark.parametrize("step", ["save_file", "save_arrays", "write_json", "put_in_place"])
def test_a_crash_leaves_nothing_behind(monkeypatch, fitted, tmp_path, step):
    def crash(*given):
        raise KeyboardInterrupt

    monkeypatch.setattr(model_folder, step, crash)
    with pytest.raises(KeyboardInterrupt):
        save(fitted, tmp_path / "model")
    assert list(tmp_path.iterdir()) == []


def test_a_crash_while_replacing_a_model_leaves_the_old_one(monkeypatch, fitted, folder):
    other = classifier(random_state=9).fit(X, LABELS)
    rename = Path.rename

    def crash(self, target):
        if self.name == "model" and self.parent.name.startswith(".cnnkit-"):
            raise OSError("the disk has gone")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", crash)
    with pytest.raises(OSError, match="the disk has gone"):
        save(other, folder, overwrite=True)
    assert [path.name for path in folder.parent.iterdir()] == ["model"]
    np.testing.assert_array_equal(load(folder).predict_proba(X), fitted.predict_proba(X))


def test_a_model_is_replaced_only_on_request(folder):
    other = classifier(random_state=9).fit(X, LABELS)
    with pytest.raises(FileExistsError, match="choose another folder, or overwrite it"):
        save(other, folder)
    save(other, folder, overwrite=True)
    np.testing.assert_array_equal(load(folder).predict_proba(X), other.predict_proba(X))
    assert [path.name for path in folder.parent.iterdir()] == ["model"]


def test_what_is_no_model_is_never_replaced(fitted, tmp_path):
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter-1.txt").write_text("precious")
    (tmp_path / "note.txt").write_text("precious")
    for name in ("thesis", "note.txt"):
        with pytest.raises(FileExistsError, match="is no cnnkit model"):
            save(fitted, tmp_path / name, overwrite=True)
    assert (tmp_path / "thesis" / "chapter-1.txt").read_text() == "precious"
    assert (tmp_path / "note.txt").read_text() == "precious"


@pytest.mark.parametrize(
    "name",
    ["config.json", "adapter.json", "adapter.safetensors", "weights.safetensors", "history.jsonl"],
)
def test_a_missing_file_is_named(folder, name):
    (folder / name).unlink()
    with pytest.raises(ModelFolderError, match=name.replace(".", r"\.")):
        load(folder)


@pytest.mark.parametrize("name", ["adapter.safetensors", "weights.safetensors", "config.json"])
def test_a_truncated_file_is_named(folder, name):
    content = (folder / name).read_bytes()
    (folder / name).write_bytes(content[: len(content) // 2])
    with pytest.raises(ModelFolderError, match=name.replace(".", r"\.")):
        load(folder)


def test_weights_of_another_network_are_refused(folder, tmp_path):
    other = classifier(network="conv 5x3x3 | relu | gap").fit(X, LABELS)
    foreign = save(other, tmp_path / "other") / "weights.safetensors"
    foreign.replace(folder / "weights.safetensors")
    with pytest.raises(ModelFolderError, match=r"weights\.safetensors"):
        load(folder)


def test_another_format_is_refused_by_its_number(folder):
    settings = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    (folder / "config.json").write_text(json.dumps({**settings, "format": 99}))
    with pytest.raises(ModelFolderError, match="format 99, expected 2"):
        load(folder)


def test_a_folder_that_is_not_there_or_no_model_is_refused(tmp_path):
    with pytest.raises(ModelFolderError, match="no such folder"):
        load(tmp_path / "nowhere")
    with pytest.raises(ModelFolderError, match=r"no config\.json"):
        load(tmp_path)


@pytest.mark.parametrize(
    "value",
    [
        Axis("time", "s", 0.01, 64),
        ImageSpec(("a", "b"), None, Axis("x", "Å"), "index", 9, ("mass",)),
        Recipe("conv 3x3x3 | gap", 2, 5, 6, 0.1, 0.2),
        {"a": [1, 2.5, None, True, "ü"], "b": {"c": Axis("x")}},
        {0: 1.5, 1: 2.0},
        [],
    ],
)
def test_what_the_contract_knows_survives_json(value):
    assert from_json(json.loads(json.dumps(to_json(value)))) == value


def test_numpy_numbers_become_plain_ones():
    found = to_json([np.int64(3), np.float32(0.5), np.bool_(True), np.str_("a")])
    assert found == [3, 0.5, True, "a"]
    assert [type(entry) for entry in found] == [int, float, bool, str]


def test_what_json_can_not_hold_is_refused():
    with pytest.raises(TypeError, match="can't be saved"):
        to_json({"a": object()})


def test_an_adapter_that_nobody_registered_is_given_as_an_instance(letter_adapter, tmp_path):
    words, kinds = ["aab", "aba", "ccd", "dcd"] * 4, ["early", "early", "late", "late"] * 4
    model = CNNClassifier(letter_adapter(width=6), epochs=2, device="cpu").fit(words, kinds)
    save(model, tmp_path / "model")
    with pytest.raises(UnknownAdapterError, match='adapter "letters"'):
        load(tmp_path / "model")
    again = load(tmp_path / "model", adapter=letter_adapter(), device="cpu")
    assert again.adapter_.width == 6
    assert again.adapter_.spec_ == model.adapter_.spec_
    assert again.adapter_.alphabet_.tolist() == [ord(letter) for letter in "abcd"]
    np.testing.assert_array_equal(again.predict_proba(words), model.predict_proba(words))


@pytest.mark.parametrize("name", ["config.json", "adapter.json"])
def test_a_damaged_json_file_is_named(tmp_path: Path, name: str) -> None:
    rng = np.random.default_rng(0)
    model = CNNClassifier(network="gap", epochs=1).fit(rng.normal(size=(8, 3)), [0, 1] * 4)
    folder = save(model, tmp_path / "model")
    content = json.loads((folder / name).read_text())
    del content["fitted"]
    (folder / name).write_text(json.dumps(content))
    with pytest.raises(ModelFolderError, match=r"damaged \(KeyError: 'fitted'\)"):
        load(folder)
