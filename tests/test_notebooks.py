"""Every notebook runs, tells what its text claims, and is committed without what goes stale."""

from __future__ import annotations

import base64
import re
import tempfile
from pathlib import Path

import nbformat
import pytest
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbformat import NotebookNode

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))
assert NOTEBOOKS, "no notebooks: the tests below would test nothing"
NAMES = [path.stem for path in NOTEBOOKS]

CLAIMS = {
    "01_audio": (
        r"The CNN is ahead of MFCC \+ SVM by",
        r"clock +drip",
        r"rising_siren +falling_siren",
        r"alarm\.wav +rising_siren .* rising_siren\n",
        r"alarm-backwards\.wav +falling_siren .* rising_siren\n?",
    ),
    "02_swap_test": (
        r"No: order matters\.",
        r"Use a CNN: accuracy",
        r"swapped digits: (order does not matter|inconclusive)\n",
        r"that is inside the range of chance",
        r"in order, 160 rows: (3\d|40) of 40 found",
        r"Yes: order does not matter\.",
        r"set aside +name\s\(identifier: .*\saddress\s\(identifier: (.|\n)*\semail\s\(identifier: ",
        r"Don't use a CNN: use .* \(accuracy ",
        r"p = 0\.0[1-5], [234]\.\d% less error: order does not matter\n",
        r"adds at most 0\.01\d of skill .* it isn't a random order",
    ),
    "03_text": (
        r"image: 6 channels × up to 80 positions; nothing lies beyond",
        r"[5-9]\d% of the numbers changed, and the probabilities by less than 0\.0001",
        r"CNN, in order +(1\.000|0\.99\d)\n",
        r"CNN, words shuffled +0\.[45]\d\d\nTF-IDF .* 0\.[45]\d\d\n",
        r"n-grams of 1 and 2 words +0\.[45]\d\d +0\.[45]\d\d +0\.[45]\d\d\n",
        r"n-grams of up to 3 words +0\.9\d\d +0\.[78]\d\d +0\.[4-8]\d\d\n",
        r"convolution +(1\.000|0\.9[89]\d) +(1\.000|0\.9\d\d) +(1\.000|0\.[89]\d\d)\n",
        r"Shuffling costs at most 5 points of accuracy\.",
    ),
    "04_molecules": (
        r"3 spellings, 1 image of shape \(26, 32, 32\)",
        r"They differ by less than 0\.0001\.",
        r"a quarter turn of coordinates is one of pixels: True\n",
        r"coordinates, pixels +9\.000 +8\.\d{3}\n",
        r"8 such turns +0\.00\d +[5-9]\.\d{3}\n",
        r"Morgan counts +0\.[3-6]\d\d\n",
        r"forest on them +0\.[3-6]\d\d\n",
        r"image +(1\.000|0\.9\d\d)\n",
        r"the mean, always +1\.\d\d\nside features alone +0\.[5-8]\d\n",
        r"image alone +(0\.[89]\d|1\.0\d)\nboth +0\.[5-8]\d\n",
        r"The image adds little or nothing\.",
    ),
}

LARGEST_PICTURE_BYTES = 60_000
LARGEST_SUM_BYTES = 300_000


def outputs_of(notebook: NotebookNode) -> list[NotebookNode]:
    """List the outputs of all cells."""
    return [output for cell in notebook.cells for output in cell.get("outputs", [])]


def text_of(output: NotebookNode) -> str:
    """Return the text that an output shows, "" for pictures."""
    return output.get("text", "") or output.get("data", {}).get("text/plain", "")


def run(path: Path, folder: Path) -> NotebookNode:
    """Execute a notebook in a working folder with the Python that runs the tests."""
    # Without folders to look in, "python3" is ipykernel's own spec, whose Python is this one; a
    # spec of that name in the user's home may start any other.
    kernel = AsyncKernelManager(kernel_spec_manager=KernelSpecManager(kernel_dirs=[]))
    resources = {"metadata": {"path": str(folder)}}
    client = NotebookClient(nbformat.read(path, 4), km=kernel, timeout=300, resources=resources)
    return client.execute(cleanup_kc=True)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=NAMES)
def test_a_notebook_runs_without_a_warning_and_shows_what_its_text_claims(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("CNNKIT_CACHE", "IPYTHONDIR"):
        monkeypatch.setenv(name, str(tmp_path / name))
    folder = tmp_path / "working folder"
    folder.mkdir()
    outputs = outputs_of(run(path, folder))
    assert [text_of(output) for output in outputs if output.get("name") == "stderr"] == []
    assert list(folder.iterdir()) == []
    shown = "\n".join(text_of(output) for output in outputs)
    assert [claim for claim in CLAIMS[path.stem] if not re.search(claim, shown)] == []
    places = (str(tmp_path), tempfile.gettempdir(), str(Path.home()))
    assert [place for place in places if place in shown] == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=NAMES)
def test_a_committed_notebook_holds_no_output_but_light_pictures(path: Path) -> None:
    notebook = nbformat.read(path, 4)
    kernelspec = {"display_name": "Python 3", "language": "python", "name": "python3"}
    assert notebook.metadata == {"kernelspec": kernelspec}
    assert [cell.id for cell in notebook.cells if cell.metadata] == []
    assert [cell.id for cell in notebook.cells if cell.get("execution_count") is not None] == []
    outputs = outputs_of(notebook)
    assert {output.output_type for output in outputs} <= {"display_data"}
    assert {kind for output in outputs for kind in output.data} <= {"image/png"}
    sizes = [len(base64.b64decode(output.data["image/png"])) for output in outputs]
    assert max(sizes, default=0) < LARGEST_PICTURE_BYTES
    assert sum(sizes) < LARGEST_SUM_BYTES
