"""The grid: exact under turns, blind to its neighbours and to the canvas."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from cnnkit.adapters.molecule.grid import Grid
from cnnkit.adapters.molecule.parsing import Parsing
from cnnkit.adapters.molecule.points import CHANNELS, PLACE_UNIT
from cnnkit.adapters.molecule.reading import Reading, read_molecules
from cnnkit.adapters.molecule.renderer import BLOCK, CANVAS, GridRenderer, occupied
from cnnkit.adapters.molecule.side_scaling import Scaling, SideScaling
from cnnkit.cnncore.image import Samples
from cnnkit.cnncore.network import Network
from cnnkit.cnncore.presets import resolve

DECAPEPTIDE = "NCC(=O)" * 10 + "O"


def read(smiles, layouts=1):
    return read_molecules(smiles, Reading(Parsing(), Grid(layouts=layouts)), n_jobs=1)


def draw(samples, **settings):
    return GridRenderer(**settings).eval()(samples.to("cpu"))


def place_by_hand(places, size):
    """Put weights of 1 on a grid, float64 [size, size], point after point."""
    grid = np.zeros((size, size))
    for x, y in np.asarray(places, dtype=float):
        for row in range(size):
            for column in range(size):
                across = 1 - abs(column - (size - 1) / 2 - x)
                down = 1 - abs(row - (size - 1) / 2 - y)
                grid[row, column] += max(across, 0) * max(down, 0)
    return grid


def test_atoms_and_bonds_are_spread_over_the_pixels_around_them():
    samples = read(["CC=O"])
    places = samples.values[:3, :2] * PLACE_UNIT
    pixels = draw(samples).pixels[0].numpy()
    size = pixels.shape[-1]
    for channel, atoms in [("C", [0, 1]), ("O", [2]), ("N", [])]:
        expected = place_by_hand(places[atoms], size)
        np.testing.assert_allclose(pixels[CHANNELS.index(channel)], expected, atol=1e-3)
    for channel, (one, other) in [("single bond", (0, 1)), ("double bond", (1, 2))]:
        quarters = [places[one] * (1 - q) + places[other] * q for q in (0.25, 0.75)]
        expected = place_by_hand(quarters, size)
        np.testing.assert_allclose(pixels[CHANNELS.index(channel)], expected, atol=1e-3)


@pytest.mark.parametrize("turns", [1, 2, 3])
@pytest.mark.parametrize("pixel", [1.0, 0.75])
def test_turned_coordinates_are_the_turned_grid(varied, turns, pixel):
    samples = read(varied)
    places = samples.values[:, :2]
    is_atom = np.concatenate(
        [np.arange(samples.lengths[n]) < samples.summary[n, 0] for n in range(len(samples))]
    )
    for _ in range(turns):  # x to the right and y down: one quarter against the clock
        places = np.stack([places[:, 1], -places[:, 0]], axis=1)
    values = samples.values.copy()
    values[is_atom, :2] = places[is_atom]
    turned = draw(replace(samples, values=values), pixel=pixel)
    plain = draw(samples, pixel=pixel)
    for name in ("pixels", "mask"):
        expected = np.rot90(getattr(plain, name).numpy(), turns, axes=(2, 3))
        np.testing.assert_allclose(getattr(turned, name).numpy(), expected, atol=1e-6)


def test_the_renderers_own_turns_and_mirrors_are_those_of_the_grid(varied):
    batch = read(varied).to("cpu")
    renderer = GridRenderer(views=4).eval()
    plain = renderer(batch).pixels.numpy()
    for view in range(4):
        drawn = renderer(batch, view=view).pixels.numpy()
        mirrored = plain[..., ::-1] if view % 2 else plain
        # Its angles go from x to y, which points down: with the clock.
        np.testing.assert_allclose(drawn, np.rot90(mirrored, -view, axes=(2, 3)), atol=1e-6)


def test_views_turn_mirror_and_take_the_other_layouts(varied):
    batch = read(varied, layouts=3).to("cpu")
    renderer = GridRenderer(layouts=3, views=6).eval()
    drawn = [renderer(batch, view=view).pixels for view in range(6)]
    sums = torch.stack([pixels.sum((2, 3)) for pixels in drawn])
    torch.testing.assert_close(sums, sums[:1].expand_as(sums), atol=1e-4, rtol=1e-4)
    for view in range(6):
        again = renderer(batch, torch.Generator().manual_seed(view), view=view).pixels
        assert torch.equal(again, drawn[view])
        for other in range(view):
            assert drawn[other].shape != drawn[view].shape or not torch.allclose(
                drawn[other], drawn[view], atol=0.1
            )


def test_a_view_takes_the_layout_of_its_number(varied):
    samples = read(varied, layouts=3)
    second = samples.values[:, [2, 3, *range(6, samples.values.shape[1])]]
    expected = draw(replace(samples, values=second))
    unturned = GridRenderer(layouts=3, views=2**30).eval()
    drawn = unturned(samples.to("cpu"), view=4)  # by less than a millionth of a degree
    torch.testing.assert_close(drawn.pixels, expected.pixels, atol=1e-6, rtol=0)


def test_training_turns_mirrors_and_redraws_each_molecule_by_itself():
    samples = read(["OCCN"] * 200, layouts=4)
    renderer = GridRenderer(layouts=4).train()

    def atoms(seed):
        drawn, _ = renderer.points(samples.to("cpu"), torch.Generator().manual_seed(seed))
        return drawn.place.view(200, 4, 2)

    places = atoms(0)
    assert torch.equal(places, atoms(0))
    assert not torch.equal(places, atoms(1))
    first = places[:, 1] - places[:, 0]
    angles = torch.atan2(first[:, 1], first[:, 0])
    counts = torch.histc(angles, 4, -torch.pi, torch.pi)
    assert counts.sum() == 200
    assert counts.min() > 25
    second = places[:, 2] - places[:, 1]
    left = first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0] > 0
    assert 60 < left.sum() < 140
    lengths = first.norm(dim=1)
    torch.testing.assert_close(lengths, torch.full((200,), 1.5), atol=0.01, rtol=0)
    plain = GridRenderer(layouts=4, augment=False).train()
    drawn, _ = plain.points(samples.to("cpu"), torch.Generator().manual_seed(0))
    assert torch.equal(drawn.place.view(200, 4, 2)[7], drawn.place.view(200, 4, 2)[0])


def test_a_mirrored_molecule_keeps_its_labels():
    samples = read(["C[C@H](N)C(=O)O"])
    cip = CHANNELS.index("CIP (R +1, S -1)")
    renderer = GridRenderer(views=2).eval()
    for view in range(2):
        sums = renderer(samples.to("cpu"), view=view).pixels.sum((2, 3))
        assert sums[0, cip] == pytest.approx(-1)


@pytest.mark.parametrize("view", range(4))
def test_a_molecule_looks_the_same_alone_and_beside_larger_ones(varied, view):
    smiles = ["c1ccccc1", "C1CCC1", "CC", *varied, DECAPEPTIDE]
    batch = read(smiles).to("cpu")
    renderer = GridRenderer(views=4).eval()
    together = renderer(batch, view=view)
    size = together.pixels.shape[-1]
    sizes = set()
    for number in range(len(smiles)):
        alone = renderer(batch[number : number + 1], view=view)
        own = alone.pixels.shape[-1]
        sizes.add(own)
        around = (size - own) // 2
        middle = slice(around, size - around)
        # Exactly: a weight of 1e-7 on another block would change the mask.
        assert torch.equal(alone.pixels[0], together.pixels[number, :, middle, middle])
        assert torch.equal(alone.mask[0], together.mask[number, :, middle, middle])
        assert (together.pixels[number] != 0).sum() == (alone.pixels != 0).sum()
        assert together.mask[number].sum() == alone.mask.sum()
    assert all(one % CANVAS == 0 for one in sizes)
    assert len(sizes) >= 3


def test_the_votes_are_the_same_alone_and_beside_a_larger_molecule(varied):
    samples = read([*varied, DECAPEPTIDE])
    layers = resolve("molecule", Grid().spec)
    torch.manual_seed(0)
    network = Network(layers, Grid().spec, outputs=2)
    renderer = GridRenderer()
    with torch.no_grad():
        network.train()(renderer.train()(samples.to("cpu"), torch.Generator().manual_seed(0)))
        network.eval()
        renderer.eval()
        together = network(renderer(samples.to("cpu")))
        alone = [network(renderer(samples.to("cpu")[n : n + 1])) for n in range(len(samples))]
        wide = network(GridRenderer(least=64).eval()(samples.to("cpu")))
    assert together.std(0).min() > 0.001
    torch.testing.assert_close(torch.cat(alone), together, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(wide, together, atol=1e-5, rtol=1e-4)


def test_the_canvas_is_the_smallest_multiple_of_8_that_holds_all():
    renderer = GridRenderer()
    for reach, size in [(0, 8), (3.4, 8), (3.5, 8), (3.6, 16), (7.5, 16), (15.5, 32), (15.6, 40)]:
        assert renderer.canvas(reach) == size
    assert GridRenderer(least=32).canvas(3) == 32
    assert draw(read(["O"])).pixels.shape == (1, 26, 8, 8)
    assert draw(read(["O", "C" * 9])).pixels.shape == (2, 26, 16, 16)


def test_a_point_on_the_last_pixel_stays_on_its_image():
    samples = read(["O", "O"])
    values = samples.values.copy()
    values[:, :2] = np.array([[3.5, 3.5], [-3.5, 3.5]]) / PLACE_UNIT
    oxygen = draw(replace(samples, values=values)).pixels[:, CHANNELS.index("O")]
    assert oxygen.shape == (2, 8, 8)
    assert oxygen[0, 7, 7] == oxygen[1, 7, 0] == 1
    assert oxygen.sum() == 2


def test_the_mask_holds_the_blocks_that_something_is_drawn_on(varied):
    drawn = draw(read([*varied, DECAPEPTIDE]))
    pixels, mask = drawn.pixels.numpy(), drawn.mask.numpy()
    assert mask.dtype == bool
    assert mask.any((1, 2, 3)).all()
    assert not mask.all()
    for row in range(0, pixels.shape[2], BLOCK):
        for column in range(0, pixels.shape[3], BLOCK):
            block = np.s_[:, :, row : row + BLOCK, column : column + BLOCK]
            expected = (pixels[block] != 0).any((1, 2, 3))
            assert (mask[block].all((1, 2, 3)) == expected).all()
            assert (mask[block].any((1, 2, 3)) == expected).all()


def test_opposite_charges_do_not_hide_that_something_is_there():
    grid = torch.zeros(1, len(CHANNELS), 8, 8)
    assert not occupied(grid).any()
    grid[0, CHANNELS.index("ring bond"), 5, 2] = 1
    assert occupied(grid)[0, 0].nonzero().amin(0).tolist() == [4, 0]
    assert occupied(grid).sum() == BLOCK**2


def test_side_features_go_through_their_scaling():
    scaling = Scaling(np.array([2, 0]), np.float32([1, 0]), np.float32([2, 0]))
    side = np.float16([[3, 0, 5], [0, 0, np.nan]])
    samples = replace(read(["O", "C"]), side=side)
    renderer = GridRenderer(side=SideScaling(scaling)).eval()
    expected = np.float32([[2, np.log1p(3)], [0, 0]])
    np.testing.assert_allclose(renderer(samples.to("cpu")).side.numpy(), expected, rtol=1e-5)
    assert draw(samples).side is None


def test_rows_of_the_batch_may_lie_anywhere(varied):
    samples = read(varied, layouts=2)
    batch, rows = samples.to("cpu"), [3, 11, 0, 3]
    renderer = GridRenderer(layouts=2).eval()
    chosen = renderer(batch[torch.tensor(rows)]).pixels
    assert torch.equal(chosen, renderer(samples[np.array(rows)].to("cpu")).pixels)


def test_no_molecules_give_no_images():
    samples: Samples = read(["C1CC"])
    drawn = draw(samples, least=32)
    assert drawn.pixels.shape == (0, 26, 32, 32)
    assert drawn.mask.shape == (0, 1, 32, 32)
