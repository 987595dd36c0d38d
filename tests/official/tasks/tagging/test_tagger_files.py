"""A feature-based tagger on the disk: what is written means what PyTorch's names say, and is read again or refused."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from official.checkpoints.storage import safetensors
from official.checkpoints.storage.safetensors import SafetensorsFile
from official.errors import InputError
from official.models.bert import Bert, BertConfig
from official.models.feature_based_tagger import FeatureBasedTagger
from official.tasks.tagging import tagger_files
from official.tasks.tagging.tagger_files import TaggerSettings

SIZE, WIDTH, LABELS = 3, 8, ("O", "B-x")
CONFIG = BertConfig(
    vocab_size=20,
    hidden_size=WIDTH,
    num_hidden_layers=2,
    num_attention_heads=2,
    intermediate_size=16,
    max_position_embeddings=16,
    type_vocab_size=2,
)
SETTINGS = TaggerSettings(labels=LABELS, feature_layers="all_sum", lstm_size=SIZE)


def make(feature_layers="all_sum", lstm_size=SIZE):
    encoder = Bert(CONFIG, pooler=False, output_hidden_states=True)
    model = FeatureBasedTagger(encoder, LABELS, feature_layers, lstm_size)
    draw = np.random.RandomState(0)
    for variable in model.trainable_variables:
        variable.assign(draw.normal(size=variable.shape).astype(np.float32))
    return model


@pytest.fixture(scope="module")
def model():
    return make()


@pytest.fixture(scope="module")
def other():
    """A second one, to be read into."""
    return make()


@pytest.fixture
def written(model, tmp_path):
    tagger_files.write_settings(SETTINGS, str(tmp_path))
    tagger_files.write_weights(model, str(tmp_path))
    return tmp_path


def weights_of(model):
    return [variable.numpy() for variable in model.trainable_variables]


def test_what_is_written_is_read_again(model, other, written):
    for variable in other.trainable_variables:
        variable.assign(np.zeros(variable.shape, np.float32))
    tagger_files.read_weights(other, str(written))
    for one, two in zip(weights_of(model), weights_of(other), strict=True):
        np.testing.assert_array_equal(one, two)
    assert tagger_files.read_settings(str(written)) == SETTINGS


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def lstm_of_pytorch(x, tensors, end):
    """A direction of a layer by the equations of `torch.nn.LSTM`'s documentation: x [T, I] → [T, H]."""
    h, c, states = np.zeros(SIZE), np.zeros(SIZE), []
    for row in x if not end.endswith("reverse") else x[::-1]:
        gates = tensors[f"lstm.weight_ih_{end}"] @ row + tensors[f"lstm.bias_ih_{end}"]
        gates = gates + tensors[f"lstm.weight_hh_{end}"] @ h + tensors[f"lstm.bias_hh_{end}"]
        i, f, g, o = np.split(gates, 4)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        states.append(h)
    return np.stack(states if not end.endswith("reverse") else states[::-1])


def test_the_tensors_are_those_of_pytorch_s_lstm_and_linear(model, written):
    file = SafetensorsFile(str(written / tagger_files.WEIGHTS))
    tensors = {name: file.read(name).astype(np.float64) for name in file.shapes}
    ids = np.array([[2, 7, 9, 4, 3]], np.int32)
    states = [state.numpy()[0].astype(np.float64) for state in model.encoder_model({"input_ids": ids})["hidden_states"]]
    shares = np.exp(tensors["mix.scalars"]) / np.exp(tensors["mix.scalars"]).sum()
    x = tensors["mix.gamma"] * sum(share * state for share, state in zip(shares, states[1:], strict=True))
    for layer in ("l0", "l1"):
        x = np.concatenate([lstm_of_pytorch(x, tensors, layer + end) for end in ("", "_reverse")], axis=-1)
    expected = x @ tensors["classifier.weight"].T + tensors["classifier.bias"]
    np.testing.assert_allclose(model({"input_ids": ids})["logits"][0], expected, atol=1e-5)


def test_both_biases_of_an_lstm_that_was_trained_in_pytorch_count(model, other, written):
    path = str(written / tagger_files.WEIGHTS)
    file = SafetensorsFile(path)
    values = {name: file.read(name) for name in file.shapes}
    values["lstm.bias_hh_l1"] = np.full(4 * SIZE, 0.5, np.float32)
    safetensors.write(path, [(name, each.shape, lambda each=each: each) for name, each in values.items()], {})
    tagger_files.read_weights(other, str(written))
    np.testing.assert_allclose(
        other.lstms[1].forward_layer.cell.bias, model.lstms[1].forward_layer.cell.bias.numpy() + 0.5
    )


@pytest.mark.parametrize(
    "changed, message",
    [
        ({"labels": []}, r"labels is \[\]: a list of texts, no two alike"),
        ({"labels": ["O", "O"]}, "labels is "),
        ({"labels": "O"}, "labels is 'O'"),
        ({"labels": ["O", "\ud800"]}, "labels is "),
        ({"feature_layers": "first"}, "feature_layers is 'first': embeddings or last"),
        ({"feature_layers": ["last"]}, "feature_layers is "),
        ({"lstm_size": 0}, "lstm_size is 0: a whole number from 1 to 4096"),
        ({"lstm_size": 10**12}, "lstm_size is 1000000000000: "),
        ({"lstm_size": True}, "lstm_size is true: "),
        ({"lstm_size": 4_000}, r"makes a classifier of shape \[2, 8000\], but in tagger.safetensors it is \[2, 6\]"),
        ({"labels": ["O", "B-x", "B-y"]}, r"makes a classifier of shape \[3, 6\]"),
    ],
)
def test_settings_that_lie_are_refused(written, changed, message):
    path = written / tagger_files.SETTINGS
    path.write_text(json.dumps(json.loads(path.read_text()) | changed))
    with pytest.raises(InputError, match=message) as refused:
        tagger_files.read_settings(str(written))
    assert str(path) in str(refused.value)


@pytest.mark.parametrize(
    "other, message",
    [
        ({"feature_layers": "last"}, r"mix.gamma is \[\]: not there was expected"),
        ({"feature_layers": "last_four_concat"}, r"lstm.weight_ih_l0 is \[12, 8\]: \[12, 16\] was expected"),
        ({"lstm_size": 4}, r"classifier.weight is \[2, 6\]: \[2, 8\] was expected"),
    ],
)
def test_weights_of_another_tagger_are_refused(written, other, message):
    with pytest.raises(InputError, match=message):
        tagger_files.read_weights(make(**other), str(written))


@pytest.mark.parametrize("name", [tagger_files.SETTINGS, tagger_files.WEIGHTS])
@given(data=st.data())
@settings(max_examples=40)
def test_a_damaged_file_is_refused_in_a_line_or_is_what_was_written(name, data, model, other, tmp_path_factory):
    directory = tmp_path_factory.getbasetemp() / f"damaged-{name}"
    tagger_files.write_settings(SETTINGS, str(directory))
    tagger_files.write_weights(model, str(directory))
    content = bytearray((directory / name).read_bytes())
    position = data.draw(st.integers(0, len(content) - 1))
    if data.draw(st.booleans()):
        content[position] ^= 1 << data.draw(st.integers(0, 7))
    else:
        del content[position:]
    (directory / name).write_bytes(content)
    try:
        found = tagger_files.read_settings(str(directory))
        tagger_files.read_weights(other, str(directory))
    except InputError as error:
        assert str(directory) in str(error) and name in str(error) and "\n" not in str(error)
        return
    # A flipped bit may make another name of a label, which nothing protects.
    assert (found.feature_layers, found.lstm_size, len(found.labels)) == ("all_sum", SIZE, 2)
    for one, two in zip(weights_of(model), weights_of(other), strict=True):
        np.testing.assert_array_equal(one, two)
