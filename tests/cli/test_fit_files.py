"""What `cnnkit fit` writes beside a model."""

import csv
import io
import json

import numpy as np

from cnnkit.cli import fit_files
from cnnkit.cli.collect import Collection
from cnnkit.cnncore.image import Problem

DATA = Collection(
    name="caf\udce9.csv",
    items=["a", "b"],
    targets=np.array(["x", "y"], dtype=object),
    task="classification",
    places=["caf\udce9.csv:2", "caf\udce9.csv:4"],
    parts=[("train", 2)],
    unusable=[("caf\udce9.csv:3", Problem(1, "\ud83d!", "no \udce9 here"))],
)


def test_rejects_are_listed_as_text_that_can_be_saved():
    rejects = fit_files.list_rejects(DATA, [Problem(1, "b\ud83d", "odd", rejected=False)])
    files = fit_files.lists({"n": 1}, rejects, ["f1", "f2"])
    assert files["training_items.txt"] == "f1\nf2\n"
    assert json.loads(files["metrics.json"]) == {"n": 1}
    text = files["rejects.csv"].encode("utf-8").decode("utf-8")
    assert list(csv.reader(io.StringIO(text))) == [
        ["place", "value", "status", "reason"],
        [r"caf\udce9.csv:3", r"\ud83d!", "rejected", r"no \udce9 here"],
        [r"caf\udce9.csv:4", r"b\ud83d", "warning", "odd"],
    ]
