"""Three hundred damaged checkpoints: each is refused with one line, or gives the model that was saved to the last bit.

Where nothing in a format would notice a flipped bit in a value (`pytorch_model.bin` of old, files without checksums),
values may differ, and the description says so; names, shapes and config may not.
"""

import json
import os
import pathlib
import random
import struct
import time

import numpy as np
import pytest
import safetensors.numpy

from official import checkpoints
from official.checkpoints.describe import describe
from official.checkpoints.loading import open_source
from official.errors import InputError
from official.models.bert import Bert

SECONDS = 10  # More than any refusal takes on a busy machine, less than a hang.
EACH = 50


def flip_bits(whole: bytes, draw: random.Random) -> bytes:
    damaged = bytearray(whole)
    for _ in range(draw.choice((1, 1, 1, 2, 8))):
        damaged[draw.randrange(len(damaged))] ^= 1 << draw.randrange(8)
    return bytes(damaged)


def cut_short(whole: bytes, draw: random.Random) -> bytes:
    return whole[: draw.randrange(len(whole))]


def overwrite(whole: bytes, draw: random.Random) -> bytes:
    """A run of zeros, ones or noise, as a bad sector leaves."""
    start = draw.randrange(len(whole))
    length = min(draw.choice((1, 4, 16, 512)), len(whole) - start)
    run = draw.choice((bytes(length), b"\xff" * length, draw.randbytes(length)))
    return whole[:start] + run + whole[start + length :]


def lie_in_front(whole: bytes, draw: random.Random) -> bytes:
    """A wrong number where the header is."""
    start = draw.randrange(min(256, len(whole) - 8))
    number = struct.pack("<Q", draw.choice((0, 1, 2**31, 2**32 - 1, 2**63, 2**64 - 1, draw.randrange(2**40))))
    return whole[:start] + number + whole[start + 8 :]


def lie_at_the_end(whole: bytes, draw: random.Random) -> bytes:
    """A wrong number where archives and tables have their directory."""
    start = len(whole) - 8 - draw.randrange(min(120, len(whole) - 8))
    return whole[:start] + struct.pack("<Q", draw.randrange(2 ** draw.choice((8, 16, 40, 64)))) + whole[start + 8 :]


def append(whole: bytes, draw: random.Random) -> bytes:
    return whole + draw.randbytes(draw.choice((1, 7, 300)))


DAMAGES = (flip_bits, flip_bits, cut_short, overwrite, lie_in_front, lie_at_the_end, append)


def save_sharded(model, directory):
    checkpoints.save(model, directory)
    path = pathlib.Path(directory)
    tensors = safetensors.numpy.load_file(path / "model.safetensors")
    os.remove(path / "model.safetensors")
    names = sorted(tensors)
    weight_map = {}
    for number, part in enumerate((names[::2], names[1::2]), start=1):
        shard = f"model-0000{number}-of-00002.safetensors"
        safetensors.numpy.save_file({name: tensors[name] for name in part}, path / shard, metadata={"format": "pt"})
        weight_map |= dict.fromkeys(part, shard)
    (path / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": weight_map}))


CASES = {
    "safetensors": (checkpoints.save, "model.safetensors"),
    "TF1 values": (
        lambda model, path: checkpoints.save(model, path, format="tf1"),
        "bert_model.ckpt.data-00000-of-00001",
    ),
    "TF1 index": (lambda model, path: checkpoints.save(model, path, format="tf1"), "bert_model.ckpt.index"),
    "keras-hub": (lambda model, path: checkpoints.save(model, path, format="keras_hub"), "model.weights.h5"),
    "index of shards": (save_sharded, "model.safetensors.index.json"),
    "shard": (save_sharded, "model-00002-of-00002.safetensors"),
    "config": (checkpoints.save, "config.json"),
}


def load_and_time(directory):
    """The model, or None where it is refused."""
    start = time.monotonic()
    try:
        return checkpoints.load(directory)
    except InputError as error:
        assert "\n" not in str(error)
        assert str(directory) in str(error)
        return None
    finally:
        assert time.monotonic() - start < SECONDS


def assert_same_model(model, expected, protected):
    for field in ("hidden_act", "num_attention_heads", "layer_norm_eps"):
        assert getattr(model.config, field) == getattr(expected.config, field)
    assert [variable.path for variable in model.weights] == [variable.path for variable in expected.weights]
    for variable, other in zip(model.weights, expected.weights, strict=True):
        assert variable.shape == other.shape
        if protected:
            np.testing.assert_array_equal(variable, other, err_msg=variable.path)
        else:
            assert np.isfinite(variable).all()


@pytest.mark.parametrize("case", CASES)
def test_a_damaged_checkpoint_is_refused_or_the_one_that_was_saved(case, tmp_path, model, capsys):
    save, name = CASES[case]
    encoder = Bert(model.config, ("mlm",))
    for variable in encoder.weights:
        match = next(other for other in model.weights if other.path == variable.path)
        variable.assign(match)
    save(encoder, str(tmp_path))
    protected = open_source(str(tmp_path))[1].integrity != "none"
    assert protected == (case not in ("index of shards", "shard"))
    whole = (tmp_path / name).read_bytes()
    draw, refused = random.Random(case), 0
    for number in range(EACH):
        damaged = DAMAGES[number % len(DAMAGES)](whole, draw)
        (tmp_path / name).write_bytes(damaged)
        loaded = load_and_time(str(tmp_path))
        if loaded is None:
            refused += 1
        else:
            assert_same_model(loaded, encoder, protected)
    assert refused > EACH / 4
    capsys.readouterr()


def test_a_description_says_where_nothing_would_notice(tmp_path, model):
    save_sharded(model, str(tmp_path))
    assert "none in this file: a flipped bit in a value would go unnoticed" in describe(str(tmp_path))
