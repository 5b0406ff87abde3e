import numpy as np
import pytest
import torch

from cnnkit.cnncore.estimator import CNNClassifier, CNNRegressor
from cnnkit.cnncore.feed import Feed
from cnnkit.cnncore.model_folder import load, save
from cnnkit.cnncore.train import train

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
]

RNG = np.random.default_rng(0)
X = RNG.normal(size=(64, 1, 8, 16)).astype(np.float32)
X[::2] += np.tile([[1.0, -1.0], [-1.0, 1.0]], (4, 8))
LABELS = np.where(np.arange(64) % 2, "plain", "striped")


@pytest.mark.parametrize("ensemble", [1, 2])
def test_a_model_that_was_trained_on_the_gpu_predicts_the_same_on_the_cpu(tmp_path, ensemble):
    model = CNNClassifier(epochs=5, ensemble=ensemble, mixup=0.2, device="cuda").fit(X, LABELS)
    assert all(weight.is_cuda for weight in model.networks_[0].parameters())
    assert model.score(X, LABELS) > 0.9
    on_cpu = load(save(model, tmp_path / "model"), device="cpu")
    assert not any(weight.is_cuda for weight in on_cpu.networks_[0].parameters())
    np.testing.assert_allclose(on_cpu.predict_proba(X), model.predict_proba(X), atol=1e-3)
    on_gpu = load(tmp_path / "model", device="cuda")
    np.testing.assert_allclose(on_gpu.predict_proba(X), model.predict_proba(X), atol=1e-6)


def test_a_regressor_that_was_trained_on_the_gpu_predicts_the_same_on_the_cpu(tmp_path):
    y = X.mean(axis=(1, 2, 3)) + np.arange(64) % 2
    model = CNNRegressor(epochs=5, device="cuda").fit(X, y)
    on_cpu = load(save(model, tmp_path / "model"), device="cpu")
    np.testing.assert_allclose(on_cpu.predict(X), model.predict(X), atol=1e-3)


def test_the_global_generators_are_left_as_they_were():
    torch.cuda.manual_seed(3)
    before, on_cpu = torch.cuda.get_rng_state(), torch.get_rng_state()
    CNNClassifier(epochs=2, mixup=0.2, device="cuda").fit(X, LABELS)
    assert torch.equal(torch.cuda.get_rng_state(), before)
    assert torch.equal(torch.get_rng_state(), on_cpu)


def test_resident_and_streamed_samples_train_nearly_the_same_network():
    """Nearly: sums on a GPU are not always in the same order."""
    device, said = torch.device("cuda"), []
    for resident in (True, False):
        model = CNNClassifier(epochs=1, device="cuda").fit(X, LABELS)  # the same start
        samples = model.adapter_.read(X)
        feed = Feed(samples, device, resident=resident)
        renderer = model.adapter_.renderer().to(device)
        targets = np.searchsorted(model.classes_, LABELS)
        train(model.networks_, renderer, feed, targets, model.objective_, model.plan_)
        said.append(model.predict_proba(X))
    np.testing.assert_allclose(said[0], said[1], atol=2e-2)


def test_batches_of_both_feeds_hold_the_same_on_the_gpu():
    device, rows = torch.device("cuda"), torch.tensor([5, 0, 63])
    adapter = CNNClassifier(epochs=1, device="cpu").fit(X, LABELS).adapter_
    samples, renderer = adapter.read(X), adapter.renderer().to(device)
    resident, streamed = (
        renderer(Feed(samples, device, resident=where).batch(rows)).pixels
        for where in (True, False)
    )
    assert resident.is_cuda
    torch.testing.assert_close(resident, streamed, rtol=0, atol=0)
