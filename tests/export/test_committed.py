"""The exports that the project holds give what the package gives."""

import json
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

import tfvfi
from tfvfi.images import to_unit

FOLDERS = sorted((Path(__file__).parents[2] / "saved_models").glob("*/1"))


# The graph without weights is large, and slow to load.
@pytest.mark.parametrize(
    "folder",
    [
        pytest.param(
            folder, marks=pytest.mark.slow if folder.parent.name == "flow_interpolation" else ()
        )
        for folder in FOLDERS
    ],
    ids=lambda folder: folder.parent.name,
)
def test_a_committed_export_is_the_network_of_today(folder, triplet):
    first, _, second = (to_unit(frame[100:228, 200:392]) for frame in triplet)
    card = json.loads((folder / "card.json").read_text())
    model = tfvfi.load(card["model"], **card["options"])
    (wanted,) = model.interpolate(first, second, times=(0.25,))
    serve = tf.saved_model.load(str(folder)).signatures["serving_default"]
    found = serve(
        frame0=tf.constant(first[None]), frame1=tf.constant(second[None]), time=tf.constant([0.25])
    )
    np.testing.assert_allclose(found["frame"][0], wanted, atol=2e-3)
    assert np.abs(found["frame"][0] - wanted).mean() < 1e-5


def test_both_are_there():
    assert [folder.parent.name for folder in FOLDERS] == ["flow_interpolation", "ifrnet_s"]
