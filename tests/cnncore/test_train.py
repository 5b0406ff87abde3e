import numpy as np
import pytest
import torch
from torch import nn

from cnnkit.cnncore.feed import Feed
from cnnkit.cnncore.image import Batch, Images, Renderer, Samples
from cnnkit.cnncore.input import Input
from cnnkit.cnncore.network import Network
from cnnkit.cnncore.objective import Classification, Regression
from cnnkit.cnncore.spec import parse
from cnnkit.cnncore.train import DivergedError, Member, Plan, mix_up, predict, train

CPU = torch.device("cpu")
RNG = np.random.default_rng(0)


def rows_of(values: np.ndarray) -> Samples:
    n = len(values)
    offsets, items = np.arange(n + 1), np.arange(n)
    return Samples(values, offsets, items, np.zeros((n, 0), np.float32))


class Plain(Renderer):
    """Shows each row as a 1 × F image, and writes down the first value of each."""

    def __init__(self, views: int = 1) -> None:
        super().__init__()
        self.views = views
        self.seen: list[list[float]] = []

    def forward(self, batch: Batch, generator=None, view: int = 0) -> Images:
        values = batch.values[batch.starts]
        if self.training:
            self.seen.append(values[:, 0].tolist())
        return Images(values[:, None, None, :] + view)


class Answers:
    """An objective whose validation losses are written down beforehand."""

    outputs = 1

    def __init__(self, losses: list[float]) -> None:
        self.upcoming = iter(losses)
        self.real = Regression(np.zeros(1), np.ones(1))
        self.encode, self.losses, self.predict = (
            self.real.encode,
            self.real.losses,
            self.real.predict,
        )

    def score(self, predicted, y):
        return next(self.upcoming), 0.0


def linear(features: int = 3, outputs: int = 1, text: str = "flatten", seed: int = 0) -> Network:
    torch.manual_seed(seed)
    return Network(parse(text), (1, 1, features), outputs)


def learn(
    plan: Plan, *, n: int = 8, losses: list[float] | None = None, network: Network | None = None
) -> tuple[list[dict[str, float]], Network, list[dict[str, torch.Tensor]], Plain]:
    """Fit numbers; return history, network, the weights after each epoch, and the renderer."""
    X = np.random.default_rng(1).normal(size=(n, 3)).astype(np.float32)
    X[:, 0] = np.arange(n)
    feed, y = Feed(rows_of(X), CPU), X[:, 1:].sum(axis=1)
    network, renderer = network or linear(), Plain()
    snapshots: list[dict[str, torch.Tensor]] = []

    def keep(record):
        snapshots.append({name: w.clone() for name, w in network.state_dict().items()})

    objective = Regression(np.zeros(1), np.ones(1)) if losses is None else Answers(losses)
    held_out = None if losses is None else (feed, y)
    history = train(
        [network], renderer, feed, y, objective, plan, validation=held_out, on_epoch=keep
    )
    return history, network, snapshots, renderer


def assert_same_weights(one, other):
    for name, weights in one.items():
        torch.testing.assert_close(weights, other[name], rtol=0, atol=0)


def test_training_ends_with_the_weights_of_the_best_epoch():
    losses = [0.9, 0.4, 0.6, 0.5, 0.7]
    history, network, snapshots, _ = learn(Plan(epochs=5, batch_size=4), losses=losses)
    assert [record["val_loss"] for record in history] == losses
    assert_same_weights(network.state_dict(), snapshots[1])
    assert not torch.equal(snapshots[1]["head.weight"], snapshots[4]["head.weight"])


def test_a_patience_of_0_keeps_the_last_epoch_whatever_its_loss():
    plan = Plan(epochs=3, batch_size=4, patience=0)
    history, network, snapshots, _ = learn(plan, losses=[0.1, 0.5, 0.9])
    assert len(history) == 3
    assert_same_weights(network.state_dict(), snapshots[-1])
    assert not torch.equal(snapshots[0]["head.weight"], snapshots[-1]["head.weight"])


def test_without_validation_the_weights_of_the_last_epoch_stay():
    _, network, snapshots, _ = learn(Plan(epochs=3, batch_size=4))
    assert_same_weights(network.state_dict(), snapshots[-1])


@pytest.mark.parametrize(
    ("patience", "losses", "epochs"),
    [
        (2, [0.5, 0.4, 0.6, 0.6, 0.1, 0.1], 4),
        (1, [0.5, 0.4, 0.6, 0.1, 0.1, 0.1], 3),
        (3, [0.5, 0.4, 0.6, 0.6, 0.1, 0.6], 6),
        (2, [0.4, 0.4, 0.4, 0.1, 0.1, 0.1], 3),
        (0, [0.4, 0.5, 0.6, 0.7, 0.8, 0.9], 6),
    ],
)
def test_training_stops_after_patience_epochs_without_a_better_loss(patience, losses, epochs):
    history, *_ = learn(Plan(epochs=6, batch_size=4, patience=patience), losses=losses)
    assert [record["epoch"] for record in history] == list(range(1, epochs + 1))


def test_a_loss_that_is_not_finite_stops_training_with_advice():
    network = linear()
    nn.init.constant_(network.head.weight, float("nan"))
    with pytest.raises(DivergedError, match="epoch 1: the loss became nan; try a smaller"):
        learn(Plan(epochs=3, batch_size=4), network=network)


def test_a_validation_loss_that_is_not_finite_stops_training_too():
    losses = [0.5, float("nan"), 0.4]
    with pytest.raises(DivergedError, match="epoch 2: the validation loss became nan"):
        learn(Plan(epochs=3, batch_size=4), losses=losses)


def learning_rates(monkeypatch, plan: Plan, n: int) -> list[float]:
    rates = []
    step = torch.optim.AdamW.step

    def record(self, *given):
        rates.append([group["lr"] for group in self.param_groups])
        return step(self, *given)

    monkeypatch.setattr(torch.optim.AdamW, "step", record)
    learn(plan, n=n)
    assert all(one == other for one, other in rates)
    return [one for one, _ in rates]


def test_the_learning_rate_rises_over_15_percent_of_the_steps_and_falls_to_0(monkeypatch):
    # 10 epochs of 2 steps; with step 0 and step 21 at 0, the peak is at 0.15 * 21 = 3.15.
    rates = learning_rates(monkeypatch, Plan(epochs=10, batch_size=4, learning_rate=0.1), n=8)
    by_hand = np.interp(np.arange(1, 21), [0, 3.15, 21], [0, 0.1, 0])
    np.testing.assert_allclose(rates, by_hand)


def test_a_single_step_learns_something(monkeypatch):
    (rate,) = learning_rates(monkeypatch, Plan(epochs=1, batch_size=4, learning_rate=0.1), n=4)
    assert rate > 0.01


def test_weight_decay_spares_biases_and_norms():
    network = linear(text="conv 4x1x3 | norm | relu | norm group 2 | flatten | dense 5 | relu")
    member = Member(network, Plan(epochs=1, batch_size=4, weight_decay=0.3), CPU, seed=0)
    decayed, spared = member.optimizer.param_groups
    assert decayed["weight_decay"] == 0.3
    assert spared["weight_decay"] == 0.0
    modules = [m for m in network.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    assert {id(w) for w in decayed["params"]} == {id(m.weight) for m in modules}
    everything = {id(w) for w in network.parameters()}
    assert {id(w) for w in spared["params"]} == everything - {id(m.weight) for m in modules}


@pytest.mark.parametrize(("n", "batch_size"), [(10, 4), (9, 8), (8, 4), (3, 8), (5, 1)])
def test_every_batch_is_whole_and_holds_no_sample_twice(n, batch_size):
    *_, renderer = learn(Plan(epochs=12, batch_size=batch_size), n=n)
    size = min(n, batch_size)
    assert len(renderer.seen) == 12 * (n // size)
    for start in range(0, len(renderer.seen), n // size):
        epoch = [value for batch in renderer.seen[start : start + n // size] for value in batch]
        if size > 1:
            assert len(epoch) == len(set(epoch)) == n // size * size
    # What one epoch leaves over, others show.
    assert {value for batch in renderer.seen for value in batch} == set(range(n))


def test_a_single_sample_passes_through_a_batch_norm():
    history, *_ = learn(
        Plan(epochs=3, batch_size=4), n=1, network=linear(text="flatten | dense 4 | norm | relu")
    )
    assert len(history) == 3


def test_the_epoch_loss_is_the_mean_over_its_batches():
    # At a learning rate of almost 0 the weights stay, so the loss can be calculated beforehand.
    network = linear()
    X = np.random.default_rng(1).normal(size=(8, 3)).astype(np.float32)
    X[:, 0] = np.arange(8)
    said = network(Images(torch.from_numpy(X)[:, None, None])).detach().numpy()[:, 0]
    error = np.abs(said - X[:, 1:].sum(axis=1))
    by_hand = np.where(error < 1, error**2 / 2, error - 0.5).mean()
    history, *_ = learn(Plan(epochs=1, batch_size=4, learning_rate=1e-12), network=network)
    assert history[0]["train_loss"] == pytest.approx(by_hand, rel=1e-2)  # bfloat16 on some CPUs


def test_mixup_blends_pixels_side_features_and_targets_with_the_same_shares():
    pixels, side = torch.rand(6, 1, 2, 3), torch.rand(6, 4)
    generator = torch.Generator().manual_seed(3)
    images, partner, share = mix_up(Images(pixels, None, side), 0.4, generator)
    assert sorted(partner.tolist()) == list(range(6))
    assert ((share >= 0) & (share <= 1)).all()
    for i, (other, part) in enumerate(zip(partner.tolist(), share.tolist(), strict=True)):
        expected = part * pixels[i] + (1 - part) * pixels[other]
        torch.testing.assert_close(images.pixels[i], expected)
        torch.testing.assert_close(images.side[i], part * side[i] + (1 - part) * side[other])


def test_mixup_blends_the_losses_like_the_images(monkeypatch):
    plan = Plan(epochs=1, batch_size=6, mixup=0.7, weight_decay=0.0, clip_norm=1e9)
    member = Member(linear(outputs=2), plan, CPU, seed=5)
    images, targets = Images(torch.rand(6, 1, 1, 3)), torch.tensor([0, 1, 0, 1, 1, 0])
    twin = torch.Generator().manual_seed(5)
    blended, partner, share = mix_up(images, 0.7, twin)
    log_p = member.network(blended).log_softmax(dim=1)
    rows = torch.arange(6)
    by_hand = -(share * log_p[rows, targets] + (1 - share) * log_p[rows, targets[partner]])
    loss = member._step(images, targets, Classification(2, label_smoothing=0.0))
    torch.testing.assert_close(loss, by_hand.mean().detach(), rtol=1e-5, atol=1e-4)


def test_mixup_shares_follow_the_beta_distribution():
    images, generator = Images(torch.zeros(20_000, 1, 1, 1)), torch.Generator().manual_seed(0)
    for alpha in (0.2, 1.0, 4.0):
        share = mix_up(images, alpha, generator)[2]
        assert float(share.mean()) == pytest.approx(0.5, abs=0.02)
        variance = 1 / (4 * (2 * alpha + 1))
        assert float(share.var()) == pytest.approx(variance, rel=0.05)


def test_mixup_takes_nothing_from_outside_the_items():
    pixels = torch.full((2, 1, 1, 4), 1.0)
    mask = torch.tensor([[True, True, False, False], [True, True, True, False]])[:, None, None]
    nonsense = torch.where(mask, pixels, 1e6)
    generators = [torch.Generator().manual_seed(seed) for seed in (1, 1)]
    clean, *_ = mix_up(Images(torch.where(mask, pixels, 0.0), mask), 0.5, generators[0])
    found, partner, _ = mix_up(Images(nonsense, mask), 0.5, generators[1])
    torch.testing.assert_close(found.pixels, clean.pixels)
    assert torch.equal(found.mask, mask | mask[partner])


def test_without_mixup_images_stay_as_they_are():
    images = Images(torch.rand(3, 1, 2, 2))
    same, partner, share = mix_up(images, 0.0, torch.Generator())
    assert same is images
    assert partner.tolist() == [0, 1, 2]
    assert share.tolist() == [1, 1, 1]


def test_each_network_of_an_ensemble_sees_the_samples_in_its_own_order():
    feed, y = Feed(rows_of(RNG.normal(size=(8, 3)).astype(np.float32)), CPU), np.arange(8.0)
    twins = [linear(seed=1), linear(seed=1)]
    train(twins, Plain(), feed, y, Regression(np.zeros(1), np.ones(1)), Plan(2, batch_size=4))
    assert not torch.equal(twins[0].head.weight, twins[1].head.weight)


def test_resident_and_streamed_samples_train_the_same_network(tmp_path):
    X = RNG.normal(size=(20, 6)).astype(np.float32)
    np.save(tmp_path / "values.npy", X)
    y, weights = (X[:, 0] > 0).astype(int), []
    for values in (X, np.load(tmp_path / "values.npy", mmap_mode="r")):
        network = linear(6, 2, "conv 4x1x3 | norm | relu | flatten | drop 0.3")
        plan = Plan(epochs=3, batch_size=8, mixup=0.4)
        feed = Feed(rows_of(values), CPU)
        train([network], Plain(), feed, y, Classification(2), plan, validation=(feed, y))
        weights.append(network.state_dict())
    assert_same_weights(*weights)


def test_predictions_are_the_mean_over_networks_and_views():
    X = RNG.normal(size=(7, 3)).astype(np.float32)
    networks = [linear(3, 2, seed=seed).eval() for seed in (1, 2)]
    images = torch.from_numpy(X)[:, None, None]
    with torch.no_grad():
        votes = [net(Images(images + view)).softmax(1) for net in networks for view in range(3)]
    feed = Feed(rows_of(X), CPU)
    found = predict(networks, Plain(), feed, Classification(2), views=3, batch_size=4)
    np.testing.assert_allclose(found, torch.stack(votes).mean(0).numpy(), rtol=1e-5)


def test_no_samples_give_no_predictions():
    feed = Feed(rows_of(np.zeros((0, 3), np.float32)), CPU)
    assert predict([linear(3, 2)], Plain(), feed, Classification(2)).shape == (0, 2)


def test_weight_decay_spares_tables_of_categories_and_side_features():
    image = Input((1, 1, None), vocabulary=9, side=5, sparse=True)
    network = Network(parse("embed 4 | conv 3x1x2 | gmp | wide"), image, 2)
    member = Member(network, Plan(epochs=1, batch_size=4), CPU, seed=0)
    decayed, spared = (group["params"] for group in member.optimizer.param_groups)
    named = {id(weight): name for name, weight in network.named_parameters()}
    assert {named[id(w)] for w in decayed} == {"body.1.layer.weight", "head.weight"}
    assert len(decayed) + len(spared) == len(named)


def test_predictions_stand_in_the_order_of_the_samples_however_these_are_gone_through():
    lengths = RNG.integers(0, 9, 50)
    X = np.repeat(np.arange(50.0), lengths + 1)[:, None].astype(np.float32)
    offsets = np.concatenate([[0], np.cumsum(lengths + 1)])
    samples = Samples(X, offsets, np.arange(50), np.zeros((50, 0), np.float32))
    network = linear(1, 1)
    nn.init.ones_(network.head.weight)
    objective = Regression(np.zeros(1), np.ones(1))
    for by_length in (False, True):
        feed = Feed(samples, CPU, by_length=by_length)
        found = predict([network], Plain(), feed, objective, batch_size=7)
        np.testing.assert_allclose(found[:, 0], np.arange(50))
