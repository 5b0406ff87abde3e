"""What atoms and bonds get adds up to what the image has."""

from __future__ import annotations

import pytest
import torch

from cnnkit.adapters.molecule.attribution import gather
from cnnkit.adapters.molecule.grid import Grid
from cnnkit.adapters.molecule.parsing import Parsing
from cnnkit.adapters.molecule.points import CHANNELS, PLACE_UNIT
from cnnkit.adapters.molecule.reading import Reading, read_molecules
from cnnkit.adapters.molecule.renderer import GridRenderer
from cnnkit.cnncore.network import Network
from cnnkit.cnncore.presets import resolve


def read(smiles, layouts=2):
    return read_molecules(smiles, Reading(Parsing(), Grid(layouts=layouts)), n_jobs=1)


def molecules_of(counts):
    return torch.repeat_interleave(torch.arange(len(counts)), torch.as_tensor(counts))


@pytest.mark.parametrize("view", [0, 1, 2, 5])
@pytest.mark.parametrize("least", [8, 64])
def test_atoms_and_bonds_add_up_to_the_image(varied, view, least):
    samples = read([*varied, "C" * 60])
    batch, spec = samples.to("cpu"), Grid().spec
    torch.manual_seed(0)
    network = Network(resolve("molecule", spec), spec, outputs=1).eval()
    renderer = GridRenderer(layouts=2, views=8, least=least).eval()
    images = renderer(batch, view=view)
    images.pixels.requires_grad_()
    (gradient,) = torch.autograd.grad(network(images).sum(), images.pixels)
    expected = (gradient * images.pixels).sum((1, 2, 3)).detach()
    atoms, bonds = gather(renderer.train(), batch, gradient, view)
    n_atoms = samples.summary[:, 0].astype(int)
    assert len(atoms) == n_atoms.sum()
    assert len(bonds) == (samples.lengths - n_atoms).sum()
    found = torch.zeros(len(samples))
    found.index_add_(0, molecules_of(n_atoms), atoms)
    found.index_add_(0, molecules_of(samples.lengths - n_atoms), bonds)
    assert expected.abs().min() > 1e-5
    torch.testing.assert_close(found, expected, atol=1e-6, rtol=1e-4)


def test_an_atom_gets_what_moves_if_it_alone_fades(varied):
    """Autograd through the drawing: the derivative by the strength of each point."""
    samples = read(varied)
    batch = samples.to("cpu")
    renderer = GridRenderer(layouts=2).eval()
    size = renderer(batch).pixels.shape[-1]
    weights = torch.randn(len(batch), len(CHANNELS), size, size)
    strengths = [torch.ones(len(one.place), requires_grad=True) for one in renderer.points(batch)]

    class Fading(GridRenderer):
        def points(self, *given, **named):
            drawn = super().points(*given, **named)
            return tuple(
                one._replace(features=one.features * strength[:, None])
                for one, strength in zip(drawn, strengths, strict=True)
            )

    vote = (Fading(layouts=2).eval()(batch).pixels * weights).sum()
    by_atom, by_sample = torch.autograd.grad(vote, strengths)
    atoms, bonds = gather(renderer, batch, weights)
    torch.testing.assert_close(atoms, by_atom, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(bonds, by_sample.view(2, -1).sum(0), atol=1e-4, rtol=1e-4)


def test_shares_by_hand():
    samples = read(["C=O"], layouts=1)
    places = samples.values[:2, :2] * PLACE_UNIT + 3.5  # of 8 pixels: their middle
    x_sum = torch.zeros(1, len(CHANNELS), 8, 8)
    # The vote is 10 times the column that the oxygen stands in, and that of the double bond:
    # bilinear weights give the mean of columns at a place between them exactly.
    x_sum[0, CHANNELS.index("O")] = 10 * torch.arange(8.0)
    x_sum[0, CHANNELS.index("double bond")] = torch.arange(8.0)
    atoms, bonds = gather(GridRenderer(), samples.to("cpu"), x_sum)
    assert atoms.tolist() == pytest.approx([0, 10 * places[1, 0]], abs=0.01)
    assert bonds.tolist() == pytest.approx([places[0, 0] + places[1, 0]], abs=0.01)


def test_gradients_of_other_batches_are_refused():
    batch = read(["C" * 10, "O"]).to("cpu")
    renderer = GridRenderer(layouts=2)
    for shape in [(1, 26, 16, 16), (2, 25, 16, 16), (2, 26, 16, 8), (2, 26, 8, 8), (26, 16, 16)]:
        with pytest.raises(ValueError, match=r"found the shape .*expected \(2, 26, S, S\)"):
            gather(renderer, batch, torch.zeros(shape))
    atoms, bonds = gather(renderer, read(["C1CC"]).to("cpu"), torch.zeros(0, 26, 8, 8))
    assert len(atoms) == len(bonds) == 0
