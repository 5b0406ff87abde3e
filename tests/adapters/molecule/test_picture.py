"""The drawing of a molecule that stands beside its channels."""

import numpy as np
import pytest

from cnnkit.adapters import MoleculeAdapter

# An oxygen is drawn in red, a nitrogen in blue; every chain lies along x.
RED, BLUE = np.array([255, 0, 0]), np.array([0, 0, 255])


def middle(picture, colour):
    """Return where the pixels of a colour lie on average, as shares of height and width."""
    is_it = (picture.astype(int) * 2 - 255) @ (colour.astype(int) * 2 - 255) > 2 * 255**2
    assert is_it.any()
    return np.argwhere(is_it).mean(axis=0) / picture.shape[:2]


@pytest.mark.parametrize("smiles", ["OCCCCCCN", "NCCC(C)CCO", "OC1CCCCC1CCN"])
def test_the_drawing_stands_upright_as_the_grid_does(smiles):
    adapter = MoleculeAdapter(side="none", cache=False).fit([smiles])
    picture = adapter.picture(smiles)
    assert (picture.dtype, picture.shape[2]) == (np.uint8, 3)
    (image,) = adapter.transform([smiles])
    rows, columns = np.indices(image.shape[1:])
    places = []
    for channel in ("O", "N"):
        weights = image[adapter.spec_.channels.index(channel)]
        places.append([(rows * weights).sum(), (columns * weights).sum()] / weights.sum())
    up, right = places[0] - places[1]  # row 0 of the grid is the lowest
    down_drawn, right_drawn = middle(picture, RED) - middle(picture, BLUE)
    assert np.sign(right_drawn) == np.sign(right)
    if abs(up) > 1:
        assert np.sign(-down_drawn) == np.sign(up)


def test_equal_molecules_have_equal_drawings_without_a_margin():
    adapter = MoleculeAdapter()
    one, other = adapter.picture("OCC"), adapter.picture("CCO ethanol")
    np.testing.assert_array_equal(one, other)
    for edge in (one[0], one[-1], one[:, 0], one[:, -1]):
        assert (edge < 255).any()


def test_what_is_no_molecule_has_no_drawing():
    adapter = MoleculeAdapter(salts="refuse")
    assert adapter.picture("C1CC") is None
    assert adapter.picture("[Na+].[Cl-]") is None
    assert MoleculeAdapter().picture("[Na+].[Cl-]") is not None
