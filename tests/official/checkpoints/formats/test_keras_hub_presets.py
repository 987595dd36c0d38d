"""Presets against keras_hub itself: the same numbers, and the same arrays whichever of us wrote them."""

import functools
import json
import shutil

import h5py
import keras
import keras_hub
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras_hub.src.utils.keras_utils import gelu_approximate

from official import checkpoints
from official.checkpoints.formats import keras_hub as presets
from official.checkpoints.loading import variables_by_name
from official.checkpoints.storage.hdf5 import Hdf5File
from official.errors import InputError
from official.models.bert import Bert, BertConfig
from official.tokenization.wordpiece import WordPieceTokenizer
from tests.golden import seeded

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "qu", "##ick", "brown", "fox", ".", "cafe"]
TANH = [number for number, shape in enumerate(seeded.SHAPES) if shape["hidden_act"] == "gelu"]
GELU = [number for number, shape in enumerate(seeded.SHAPES) if "gelu" in shape["hidden_act"]]
CONFIG = BertConfig(
    vocab_size=len(WORDS),
    hidden_size=8,
    num_hidden_layers=2,
    num_attention_heads=2,
    intermediate_size=12,
    max_position_embeddings=10,
    type_vocab_size=2,
)


def save(model, directory, tokenizer=None):
    return presets.save_directory(model, variables_by_name(model), str(directory), tokenizer)


def drawn(model):
    for variable in model.weights:
        variable.assign(seeded.draw(variable.path.split("/", 1)[1], tuple(variable.shape), seed=1))
    return model


def small_model(heads=(), labels=(), **options):
    return drawn(Bert(CONFIG, heads, labels=labels, **options))


def of_theirs(batch, positions=False):
    theirs = {"token_ids": batch["input_ids"], "segment_ids": batch["segment_ids"], "padding_mask": batch["input_mask"]}
    return theirs | ({"mask_positions": batch["masked_lm_positions"]} if positions else {})


def backbone(seed=0):
    """keras-hub's own, of CONFIG's shape, with weights that are all different."""
    model = keras_hub.models.BertBackbone(
        vocabulary_size=CONFIG.vocab_size,
        num_layers=CONFIG.num_hidden_layers,
        num_heads=CONFIG.num_attention_heads,
        hidden_dim=CONFIG.hidden_size,
        intermediate_dim=CONFIG.intermediate_size,
        max_sequence_length=CONFIG.max_position_embeddings,
    )
    randomize(model, seed)
    return model


def randomize(model, seed):
    random = np.random.default_rng(seed)
    for variable in model.weights:
        variable.assign(random.normal(scale=0.3, size=variable.shape))


def make_head_as_published(masked_lm):
    """It computes with the exact gelu and another epsilon than the encoder, for no reason that is given."""
    masked_lm.masked_lm_head._intermediate_dense.activation = gelu_approximate
    masked_lm.masked_lm_head._intermediate_layer_norm.epsilon = 1e-12


def preset_of_theirs(kind):
    if kind == "backbone":
        return backbone()
    if kind == "masked LM":
        model = keras_hub.models.BertMaskedLM(backbone())
    else:
        model = keras_hub.models.BertTextClassifier(backbone(), num_classes=3)
    randomize(model, 1)
    return model


KINDS = ("backbone", "masked LM", "classifier")
LOADERS = {
    "backbone": keras_hub.models.BertBackbone,
    "masked LM": keras_hub.models.BertMaskedLM,
    "classifier": keras_hub.models.BertTextClassifier,
}


def arrays_of(directory):
    found = {}
    for name in ("model.weights.h5", "task.weights.h5"):
        if (directory / name).exists():
            with h5py.File(directory / name) as file:
                file.visititems(lambda path, item, name=name: found.update(_array(f"{name}/{path}", item)))
    return found


def _array(path, item):
    return {path: item[()]} if isinstance(item, h5py.Dataset) and "/optimizer/" not in path else {}


@pytest.mark.parametrize("number", TANH)
def test_the_backbone_gives_the_same_numbers(tmp_path, make_model, number):
    model = make_model(number, heads=())
    assert save(model, tmp_path) == []
    batch = seeded.batch(seeded.SHAPES[number], seed=number)
    ours = model(batch)
    theirs = keras_hub.models.BertBackbone.from_preset(str(tmp_path))(of_theirs(batch))
    real = batch["input_mask"].astype(bool)
    np.testing.assert_allclose(ours["sequence_output"][real], theirs["sequence_output"][real], atol=1e-5, rtol=0)
    np.testing.assert_allclose(ours["pooled_output"], theirs["pooled_output"], atol=1e-5, rtol=0)


@pytest.mark.parametrize("number", TANH[:3])
def test_the_masked_lm_gives_the_same_numbers_where_its_head_is_as_published(tmp_path, make_model, number):
    model = make_model(number, heads=("mlm",))
    (note,) = save(model, tmp_path)
    assert "masked LM head computes with the exact form of gelu and a layer norm's epsilon of 1e-5" in note
    batch = seeded.batch(seeded.SHAPES[number], seed=number)
    ours = model(batch)["mlm_logits"]
    theirs = keras_hub.models.BertMaskedLM.from_preset(str(tmp_path))
    np.testing.assert_allclose(ours, theirs(of_theirs(batch, positions=True)), atol=1e-2, rtol=0)
    make_head_as_published(theirs)
    np.testing.assert_allclose(ours, theirs(of_theirs(batch, positions=True)), atol=1e-5, rtol=0)


@pytest.mark.parametrize("number", TANH[:3])
def test_the_classifier_gives_the_same_numbers(tmp_path, number):
    shape = seeded.SHAPES[number]
    model = drawn(Bert(BertConfig(**shape), ["sequence_classification"], labels=["no", "perhaps", "yes"]))
    assert save(model, tmp_path) == []
    batch = seeded.batch(shape, seed=number)
    theirs = keras_hub.models.BertTextClassifier.from_preset(str(tmp_path))(of_theirs(batch))
    np.testing.assert_allclose(model(batch)["logits"], theirs, atol=1e-5, rtol=0)
    assert checkpoints.load(str(tmp_path)).labels == ("no", "perhaps", "yes")


@pytest.mark.parametrize("kind", KINDS)
def test_their_presets_come_back_from_us_bit_for_bit(tmp_path, kind):
    preset_of_theirs(kind).save_to_preset(str(tmp_path / "theirs"))
    model = checkpoints.load(str(tmp_path / "theirs"))
    save(model, tmp_path / "back")
    theirs, back = arrays_of(tmp_path / "theirs"), arrays_of(tmp_path / "back")
    assert theirs.keys() == back.keys()
    for name, values in theirs.items():
        assert back[name].dtype == np.float32
        np.testing.assert_array_equal(back[name], values, err_msg=name)
    loaded = LOADERS[kind].from_preset(str(tmp_path / "back"))
    again = LOADERS[kind].from_preset(str(tmp_path / "theirs"))
    assert [variable.path for variable in loaded.weights] == [variable.path for variable in again.weights]
    for one, other in zip(loaded.weights, again.weights, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("kind", KINDS)
def test_their_presets_give_their_numbers(tmp_path, kind):
    theirs = preset_of_theirs(kind)
    theirs.save_to_preset(str(tmp_path))
    model = checkpoints.load(str(tmp_path))
    shape = {"vocab_size": CONFIG.vocab_size}
    batch = seeded.batch(shape, seed=5, length=CONFIG.max_position_embeddings)
    ours = model(batch)
    if kind == "masked LM":
        make_head_as_published(theirs)
        np.testing.assert_allclose(ours["mlm_logits"], theirs(of_theirs(batch, positions=True)), atol=1e-5, rtol=0)
    elif kind == "classifier":
        assert model.labels == ("LABEL_0", "LABEL_1", "LABEL_2")
        np.testing.assert_allclose(ours["logits"], theirs(of_theirs(batch)), atol=1e-5, rtol=0)
    else:
        np.testing.assert_allclose(ours["pooled_output"], theirs(of_theirs(batch))["pooled_output"], atol=1e-5, rtol=0)


@pytest.mark.parametrize("number", GELU)
def test_ours_come_back_bit_for_bit_with_all_of_their_config(tmp_path, make_model, number):
    model = make_model(number, heads=("mlm",))
    save(model, tmp_path)
    back = checkpoints.load(str(tmp_path))
    assert back.config == model.config
    assert back.heads == ("mlm",)
    for one, other in zip(model.weights, back.weights, strict=True):
        np.testing.assert_array_equal(one, other)


def test_what_keras_hub_has_no_setting_for_is_remembered(tmp_path):
    config = BertConfig(
        **{**CONFIG.__dict__, "hidden_act": "gelu_erf", "attention_probs_dropout_prob": 0.3, "initializer_range": 0.01}
    )
    notes = save(drawn(Bert(config)), tmp_path)
    assert "keras-hub's encoder computes the tanh form of gelu" in notes[0]
    assert "one rate of dropout, 0.1" in notes[1]
    _, source = presets.open_directory(str(tmp_path))
    assert source.config == config
    assert source.notes == []
    assert source.integrity == "crc32 of each tensor"


def test_a_preset_of_keras_hub_s_own_says_what_differs(tmp_path):
    preset_of_theirs("masked LM").save_to_preset(str(tmp_path))
    _, source = presets.open_directory(str(tmp_path))
    assert source.integrity == "none"
    assert source.config.hidden_act == "gelu"
    (note,) = source.notes
    assert "masked LM head computes with the exact form" in note


def test_one_head_goes_along_and_the_others_are_named(tmp_path):
    model = small_model(["mlm", "nsp", "sequence_classification", "question_answering"], ["a", "b"])
    notes = save(model, tmp_path)
    assert notes[0] == (
        "a preset has one task and no place for nsp, sequence_classification, question_answering: left out"
    )
    assert checkpoints.load(str(tmp_path)).heads == ("mlm",)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"hidden_act": "relu"}, "hidden_act is 'relu': keras-hub's BERT computes with gelu only"),
        ({"layer_norm_eps": 1e-6}, "layer_norm_eps is 1e-06: keras-hub's BERT computes with 1e-12 only"),
        ({}, "the model has no pooler"),
    ],
)
def test_what_keras_hub_can_t_compute_is_refused_before_anything_is_written(tmp_path, change, message):
    model = Bert(BertConfig(**CONFIG.__dict__ | change), pooler=bool(change))
    with pytest.raises(InputError, match=message):
        save(model, tmp_path / "preset")
    assert not (tmp_path / "preset").exists()


def test_what_an_older_preset_had_is_removed(tmp_path):
    save(small_model(["mlm"]), tmp_path, tokenizer())
    save(small_model(), tmp_path)
    assert checkpoints.load(str(tmp_path)).heads == ()
    left = sorted(path.name for path in tmp_path.iterdir() if path.is_file())
    assert left == ["config.json", "metadata.json", "model.weights.h5"]


def tokenizer(**options):
    return WordPieceTokenizer({word: number for number, word in enumerate(WORDS)}, **options)


@pytest.mark.parametrize("lower_case", [True, False])
def test_the_tokenizer_goes_along(tmp_path, lower_case):
    ours = tokenizer(lower_case=lower_case)
    save(small_model(["mlm"]), tmp_path, ours)
    theirs = keras_hub.models.BertTokenizer.from_preset(str(tmp_path))
    for text in ("The quick brown fox.", "the quick, brown\tfox", "Café cafe CAFÉ"):
        assert np.array(theirs(text)).tolist() == ours.encode(text)
    task = keras_hub.models.BertMaskedLM.from_preset(str(tmp_path))
    features, _, _ = task.preprocessor(["the quick fox."])
    assert features["token_ids"].shape == (1, CONFIG.max_position_embeddings)
    assert keras_hub.models.BertTextClassifier.from_preset(str(tmp_path), num_classes=2).preprocessor is not None


def test_a_vocabulary_that_their_tokenizer_refuses_is_refused(tmp_path):
    ours = WordPieceTokenizer({"[UNK]": 0, "[PAD]": 1, "[CLS]": 2, "[SEP]": 3})
    with pytest.raises(InputError, match=r"the vocabulary has no \[MASK\]"):
        save(small_model(), tmp_path / "preset", ours)
    assert not (tmp_path / "preset").exists()


def rename(path, old, new):
    """Renames the groups of a file of weights whose path ends as told."""
    with h5py.File(path, "r+") as file:
        found = []
        file.visit(lambda name: found.append(name) if name.endswith(old) else None)
        assert found
        for name in found:
            file.move(name, name.removesuffix(old) + new)


@pytest.mark.parametrize(
    ("old", "new"), [("layers", "_layer_checkpoint_dependencies"), ("query_dense", "_query_dense")]
)
def test_layouts_that_keras_s_own_loader_accepts_are_accepted(tmp_path, old, new):
    theirs = backbone(seed=3)
    theirs.save_to_preset(str(tmp_path))
    expected = checkpoints.load(str(tmp_path))
    rename(tmp_path / "model.weights.h5", old, new)
    change_json(tmp_path / "config.json", registered_name="keras_nlp>BertBackbone")
    again = keras_hub.models.BertBackbone.from_preset(str(tmp_path))
    for one, other in zip(theirs.weights, again.weights, strict=True):
        np.testing.assert_array_equal(one, other)
    for one, other in zip(expected.weights, checkpoints.load(str(tmp_path)).weights, strict=True):
        np.testing.assert_array_equal(one, other)


def test_weights_of_other_precisions(tmp_path):
    theirs = keras_hub.models.BertBackbone.from_config(backbone().get_config() | {"dtype": "bfloat16"})
    theirs.save_to_preset(str(tmp_path))
    model = checkpoints.load(str(tmp_path))
    expected = keras.ops.convert_to_numpy(theirs.token_embedding.embeddings).astype(np.float32)
    np.testing.assert_array_equal(model.encoder.embeddings.word_embeddings, expected)


def test_a_trained_task_has_an_optimizer_that_is_passed_over(tmp_path):
    theirs = preset_of_theirs("classifier")
    batch = of_theirs(seeded.batch({"vocab_size": CONFIG.vocab_size}, seed=1, length=10))
    theirs.fit(batch, np.array([0, 2]), verbose=0)
    theirs.save_to_preset(str(tmp_path))
    assert any(name.startswith("optimizer/vars/2") for name in Hdf5File(str(tmp_path / "task.weights.h5")).shapes)
    _, source = presets.open_directory(str(tmp_path))
    assert not source.unknown


def change_json(path, **changes):
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def change_config(**changes):
    def change(directory):
        path = directory / "config.json"
        config = json.loads(path.read_text())["config"]
        config = {key: value for key, value in (config | changes).items() if value is not None}
        change_json(path, config=config)

    return change


BROKEN = {
    "another class": (
        lambda directory: change_json(directory / "config.json", class_name="RobertaBackbone", registered_name=None),
        "class_name is 'RobertaBackbone': one of BertBackbone was expected",
    ),
    "two classes": (lambda directory: change_json(directory / "config.json", class_name="BertBackbonf"), "registered"),
    "no class": (lambda directory: change_json(directory / "config.json", class_name=None), "class_name is null"),
    "no settings": (lambda directory: change_json(directory / "config.json", config=[]), "config is .*: a JSON object"),
    "a setting is missing": (change_config(num_heads=None), "config.json: num_heads is missing"),
    "a setting is unknown": (change_config(hidden_act="relu"), "'hidden_act' is no setting of a BertBackbone"),
    "an impossible setting": (change_config(hidden_dim="8"), "hidden_size is '8': a whole number"),
    "another size": (change_config(hidden_dim=16), "its config says that hidden_size is 16"),
    "other heads": (change_config(num_heads=4), "4 heads were expected"),
    "fewer layers": (change_config(num_layers=1), "holds 2 layers, but its config says that num_hidden_layers is 1"),
    "more layers": (change_config(num_layers=3), "holds 2 layers, but its config says that num_hidden_layers is 3"),
    "metadata with more in it": (
        lambda directory: change_json(directory / "metadata.json", computes_witi={}),
        "metadata.json: 'computes_witi' is unknown",
    ),
    "metadata that computes otherwise": (
        lambda directory: change_json(directory / "metadata.json", computes_with={"hidden_act": "relu"}),
        "computes_with is .*: an object with hidden_act, attention_probs_dropout_prob, initializer_range was expected",
    ),
    "labels that are none": (
        lambda directory: change_json(directory / "metadata.json", labels={"a": 1}),
        "labels is .*: a list of names was expected",
    ),
    "no weights": (lambda directory: (directory / "model.weights.h5").unlink(), "model.weights.h5: no such file"),
    "no weights of the head": (lambda directory: (directory / "task.weights.h5").unlink(), "task.weights.h5: no such"),
    "nothing of the head": (
        lambda directory: rename(directory / "task.weights.h5", "masked_lm_head", "masked_lm_heaf"),
        "the weights lack the mlm altogether",
    ),
    "half of the head": (
        lambda directory: rename(directory / "task.weights.h5", "_intermediate_dense", "_intermediate_densf"),
        "lacks 2 variables",
    ),
    "no pooler": (
        lambda directory: rename(directory / "model.weights.h5", "layers/dense", "layers/densf"),
        "the weights lack the pooler altogether",
    ),
    "weights of something else": (
        lambda directory: shutil.copy(directory / "task.weights.h5", directory / "model.weights.h5"),
        "the weights lack the pooler altogether",
    ),
}


@functools.cache
def saved_preset(base):
    directory = base / "preset"
    save(small_model(["mlm"]), directory, tokenizer())
    return directory


@pytest.mark.parametrize("case", BROKEN)
def test_broken_presets_are_refused(tmp_path, tmp_path_factory, case):
    change, message = BROKEN[case]
    directory = tmp_path / "preset"
    shutil.copytree(saved_preset(tmp_path_factory.getbasetemp()), directory)
    change(directory)
    with pytest.raises(InputError, match=message) as error:
        checkpoints.load(str(directory))
    assert str(directory) in str(error.value)
    assert "\n" not in str(error.value)


def test_a_task_of_another_kind_is_named_and_the_backbone_read(tmp_path, tmp_path_factory):
    directory = tmp_path / "preset"
    shutil.copytree(saved_preset(tmp_path_factory.getbasetemp()), directory)
    change_json(directory / "task.json", class_name="BertTextEmbedder", registered_name="keras_hub>BertTextEmbedder")
    _, source = presets.open_directory(str(directory))
    assert source.notes == ["task.json is of a BertTextEmbedder: that head is not read"]
    assert checkpoints.load(str(directory)).heads == ()


def test_presets_are_told_from_hugging_face_directories(tmp_path, tmp_path_factory):
    assert presets.is_preset(str(saved_preset(tmp_path_factory.getbasetemp())))
    assert not presets.is_preset(str(tmp_path))
    checkpoints.save(small_model(), str(tmp_path))
    assert not presets.is_preset(str(tmp_path))
    assert checkpoints.load(str(tmp_path)).config == CONFIG


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_damaged_weights_are_refused_or_the_same(data, tmp_path_factory):
    whole = saved_preset(tmp_path_factory.getbasetemp())
    directory = tmp_path_factory.getbasetemp() / "damaged"
    shutil.copytree(whole, directory, dirs_exist_ok=True)
    path = directory / data.draw(st.sampled_from(["model.weights.h5", "task.weights.h5"]))
    content = bytearray(path.read_bytes())
    if data.draw(st.booleans()):
        del content[data.draw(st.integers(0, len(content) - 1)) :]
    else:
        place = data.draw(st.integers(0, len(content) - 1))
        content[place] ^= 1 << data.draw(st.integers(0, 7))
    path.write_bytes(content)
    check_refused_or_the_same(directory, small_model(["mlm"]))


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_damaged_descriptions_are_refused_or_the_same(data, tmp_path_factory):
    whole = saved_preset(tmp_path_factory.getbasetemp())
    directory = tmp_path_factory.getbasetemp() / "described"
    shutil.copytree(whole, directory, dirs_exist_ok=True)
    path = directory / data.draw(st.sampled_from(["config.json", "metadata.json", "task.json"]))
    content = bytearray(path.read_bytes())
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] = data.draw(st.sampled_from(b'0123456789abcxyz"{}[]:,. \n\xff'))
    path.write_bytes(content)
    check_refused_or_the_same(directory, small_model(["mlm"]))


def check_refused_or_the_same(directory, expected):
    try:
        model = checkpoints.load(str(directory))
    except InputError as error:
        assert "\n" not in str(error)
        return
    assert model.heads == expected.heads
    assert (model.config.hidden_act, model.config.num_attention_heads) == ("gelu", CONFIG.num_attention_heads)
    for one, other in zip(model.weights, expected.weights, strict=True):
        np.testing.assert_array_equal(one, other)
