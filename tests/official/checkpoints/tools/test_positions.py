"""Longer position tables: what is in them, what stays, and what is refused."""

import numpy as np
import pytest

from official.checkpoints.tools.positions import extend_positions
from official.errors import InputError
from tests.golden import seeded

POSITIONS = "bert/embeddings/position_embeddings"
OLD = seeded.weights(seeded.SHAPES[0], seed=0)[POSITIONS]  # [16, H]


def table(model) -> np.ndarray:
    return np.asarray(model.encoder.embeddings.position_embeddings)


def test_tile_repeats_the_rows(model):
    np.testing.assert_array_equal(table(extend_positions(model, 37, "tile")), np.concatenate([OLD, OLD, OLD[:5]]))


@pytest.mark.parametrize("length", [17, 31, 40, 48])
def test_interpolate_is_linear_between_aligned_ends(model, length):
    places = np.arange(length) * 15 / (length - 1)
    expected = np.stack([np.interp(places, np.arange(16), column) for column in OLD.T.astype(np.float64)], axis=1)
    extended = table(extend_positions(model, length, "interpolate"))
    np.testing.assert_allclose(extended, expected, rtol=0, atol=1e-7)
    np.testing.assert_array_equal(extended[[0, -1]], OLD[[0, -1]])


def test_interpolate_keeps_the_rows_that_it_meets(model):
    np.testing.assert_array_equal(table(extend_positions(model, 31, "interpolate"))[::2], OLD)


@pytest.mark.parametrize("method", ["tile", "interpolate"])
def test_the_old_length_changes_nothing(model, method):
    np.testing.assert_array_equal(table(extend_positions(model, 16, method)), OLD)


@pytest.mark.parametrize("method", ["tile", "interpolate"])
def test_everything_else_is_the_same_and_longer_sequences_are_taken(make_model, method):
    model = make_model(0)
    extended = extend_positions(model, 40, method)
    assert extended.config.max_position_embeddings == 40 and extended.heads == model.heads
    for variable, other in zip(extended.weights, model.weights, strict=True):
        name = variable.path.split("/", 1)[1]
        if name != POSITIONS:
            np.testing.assert_array_equal(variable, other, err_msg=name)
    np.testing.assert_array_equal(table(model), OLD)
    inputs = {"input_ids": np.arange(40)[np.newaxis] % 101}
    assert extended(inputs)["sequence_output"].shape == (1, 40, 24)
    with pytest.raises(InputError, match="sequences of 40 tokens: this model has positions for 16"):
        model(inputs)


def test_old_sequences_give_the_same_numbers_after_tiling(model):
    batch = seeded.batch(seeded.SHAPES[0], seed=1)
    inputs = {name: batch[name] for name in ("input_ids", "input_mask", "segment_ids", "masked_lm_positions")}
    before, after = model(inputs), extend_positions(model, 64, "tile")(inputs)
    assert before.keys() == after.keys()
    for name, values in before.items():
        np.testing.assert_array_equal(after[name], values, err_msg=name)


@pytest.mark.parametrize(
    ("length", "method", "message"),
    [
        (15, "tile", "max_position_embeddings is 15: this model has 16 positions"),
        (1, "interpolate", "max_position_embeddings is 1: this model has 16 positions"),
        (0, "tile", "max_position_embeddings is 0: a whole number of at least 1 was expected"),
        (-3, "tile", "max_position_embeddings is -3"),
        (20.0, "tile", "max_position_embeddings is 20.0: a whole number"),
        (32, "repeat", "positions can't be extended by 'repeat': one of tile, interpolate was expected"),
    ],
)
def test_what_is_no_extension_is_refused(model, length, method, message):
    with pytest.raises(InputError, match=message):
        extend_positions(model, length, method)
