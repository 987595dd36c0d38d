"""Which model is exported, where it may be written, and that a version is there whole or not at all."""

import dataclasses
import json
import os
import pathlib
import threading

import numpy as np
import pytest
import tensorflow as tf

from official import checkpoints
from official.errors import InputError
from official.models import distilbert
from official.models.bert import Bert
from official.models.feature_based_tagger import FeatureBasedTagger
from official.serving import exporting, saved_model
from official.tasks.tagging import tagger_files
from official.tasks.tagging.tagger_files import TaggerSettings
from tests.official.serving import programs, small_models
from tests.official.serving.programs import strings

LABELS = ("O", "B-Größe", "地名")


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    """Hugging Face directories by name."""
    folder = tmp_path_factory.mktemp("sources")
    for name in ("encoder", "classifier"):
        small_models.write_model(name, folder / name)
    tf.keras.utils.set_random_seed(1)
    several = Bert(small_models.CONFIG, ["mlm", "nsp", "sequence_classification"], labels=("a", "b"))
    checkpoints.save(several, str(folder / "several"), tokenizer=small_models.TOKENIZER)
    checkpoints.save(Bert(small_models.CONFIG), str(folder / "without_vocabulary"))
    return folder


def asked(source, export_dir, **options):
    return exporting.Export(source=str(source), export_dir=str(export_dir), **options)


def test_a_model_without_segments_takes_pairs(tmp_path):
    alike = {field.name for field in dataclasses.fields(small_models.CONFIG)} - {"type_vocab_size"}
    config = distilbert.DistilBertConfig(**{name: getattr(small_models.CONFIG, name) for name in alike})
    tf.keras.utils.set_random_seed(1)
    model = distilbert.DistilBert(config, ["sequence_classification"], labels=LABELS)
    checkpoints.save(model, str(tmp_path / "model"), tokenizer=small_models.TOKENIZER)
    served = exporting.export(asked(tmp_path / "model", tmp_path / "export", text_pairs=True))
    texts = {"text_a": strings("a lazy dog", "the mat"), "text_b": strings("what did it see", "a fox")}
    (answers,) = programs.session()(served, [("serving_default", texts)])
    for row, pair in enumerate(zip(("a lazy dog", "the mat"), ("what did it see", "a fox"))):
        one, two = (small_models.TOKENIZER.encode(text) for text in pair)
        ids = [small_models.TOKENIZER.cls_id, *one, small_models.TOKENIZER.sep_id, *two, small_models.TOKENIZER.sep_id]
        logits = model({"input_ids": tf.constant([ids])})["logits"]
        np.testing.assert_allclose(answers["probabilities"][row], tf.nn.softmax(logits)[0], rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    ("source", "options", "message"),
    [
        ("nothing", {}, "nothing: no such checkpoint"),
        ("without_vocabulary", {}, "--vocab_file must be given: there is no vocabulary beside .*without_vocabulary"),
        ("encoder", {"kind": "classifier"}, "encoder: has no head for sequence_classification, which --kind=class"),
        ("encoder", {"max_seq_length": 2}, "--max_seq_length is 2: 3 to 64, the model's positions, was expected"),
        ("encoder", {"max_seq_length": 10_000}, "--max_seq_length is 10000: 3 to 64"),
        ("encoder", {"model_name": "a/b"}, "--model_name is 'a/b': letters, digits, _, - and . were expected"),
        ("encoder", {"model_name": "größe"}, "--model_name is 'größe'"),
        ("encoder", {"model_name": ".."}, "--model_name is '..'"),
        ("encoder", {"model_name": "taken"}, "taken: is a file, a directory was expected"),
        ("encoder", {"model_name": "old", "version": 7}, "old/7: is there already; a server that has loaded"),
    ],
)
def test_what_can_not_be_exported_is_said_in_one_line(source, options, message, sources, tmp_path):
    (tmp_path / "old" / "7").mkdir(parents=True)
    (tmp_path / "taken").write_text("")
    with pytest.raises(InputError, match=message) as error:
        exporting.export(asked(sources / source, tmp_path, **options))
    assert "\n" not in str(error.value)
    assert os.listdir(tmp_path / "old") == ["7"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_directory_that_can_not_be_written_is_named_before_anything_is_read(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(InputError, match="permission denied"):
        exporting.check_destination(asked("nothing", tmp_path / "export"))


@pytest.mark.parametrize(
    ("source", "name"),
    [("out/mrpc", "mrpc"), ("out/mrpc/", "mrpc"), ("a b/model.ckpt-3", "model_ckpt-3"), ("x/größe", "gr_e")],
)
def test_a_model_is_called_as_its_directory(source, name):
    assert asked(source, "export").name == name
    assert asked(source, "export", model_name="other").name == "other"


@pytest.mark.parametrize(
    ("source", "kind", "expected"),
    [
        ("several", None, "classifier"),
        ("several", "fill_mask", "fill_mask"),
        ("several", "encoder", "encoder"),
        ("several", "multiple_choice", "multiple_choice"),
        ("encoder", None, "encoder"),
    ],
)
def test_what_is_served_follows_from_the_heads_unless_it_is_said(source, kind, expected, sources, tmp_path):
    servable, _ = exporting.read_servable(asked(sources / source, tmp_path, kind=kind))
    assert servable.kind == expected


def test_a_tf1_checkpoint_takes_config_and_vocabulary_from_elsewhere(golden_bert, tmp_path):
    options = {
        "bert_config_file": str(golden_bert / "ckpt" / "bert_config.json"),
        "vocab_file": str(golden_bert / "ckpt" / "vocab.txt"),
    }
    checkpoint = asked(golden_bert / "ckpt_mrpc" / "model.ckpt", tmp_path, **options, text_pairs=True)
    servable, tokenizer = exporting.read_servable(checkpoint)
    assert servable.kind == "classifier" and servable.labels == ("LABEL_0", "LABEL_1")
    assert tokenizer.tokens[:1] == ("[PAD]",) or list(tokenizer.tokens[:1]) == ["[PAD]"]


def write_feature_based(directory: pathlib.Path) -> FeatureBasedTagger:
    settings = TaggerSettings(labels=LABELS, feature_layers="all_sum", lstm_size=8)
    tf.keras.utils.set_random_seed(1)
    model = FeatureBasedTagger(Bert(small_models.CONFIG, output_hidden_states=True), LABELS, "all_sum", 8)
    for variable in model.trainable_variables:  # Zeros at first, some of them.
        variable.assign(variable + tf.random.stateless_normal(variable.shape, [1, 2]))
    tagger_files.write_settings(settings, str(directory))
    checkpoints.save(model.encoder_model, str(directory), tokenizer=small_models.TOKENIZER)
    tagger_files.write_weights(model, str(directory))
    return model


def test_a_feature_based_tagger_answers_in_a_session_as_its_model(session, tmp_path):
    model = write_feature_based(tmp_path / "tagger")
    path = exporting.export(asked(tmp_path / "tagger", tmp_path / "export", max_seq_length=32))
    texts = strings("the quick brown fox", "who ?")
    ids, answers = session(
        path,
        [
            ("serving_default", {"text": texts}),
            ("serving_tokens", {name: np.array(rows, np.int32) for name, rows in TOKENS.items()}),
        ],
    )
    logits = model({name: tf.constant(rows) for name, rows in TOKENS.items()})["logits"].numpy()
    mask = np.array(TOKENS["input_mask"])[..., np.newaxis]
    np.testing.assert_allclose(answers["logits"], logits * mask, atol=1e-5)
    assert {label.decode() for label in ids["labels"].ravel()} <= {*LABELS, ""}
    with pytest.raises(InputError, match="is a feature-based tagger, which can't be served as encoder"):
        exporting.read_servable(asked(tmp_path / "tagger", tmp_path, kind="encoder"))


TOKENS = {
    "input_ids": [[2, 6, 7, 8, 3], [2, 9, 3, 0, 0]],
    "input_mask": [[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]],
    "segment_ids": [[0] * 5] * 2,
}


def test_two_exports_at_once_get_a_version_each(sources, tmp_path, monkeypatch):
    taken = threading.Barrier(2)
    write_warmup = saved_model.write_warmup

    def write_together(*arguments):
        write_warmup(*arguments)
        taken.wait(60)

    def temporary_name(path):  # Two processes have different numbers.
        return f"{path}.incomplete-{threading.get_ident()}"

    monkeypatch.setattr(saved_model, "write_warmup", write_together)
    monkeypatch.setattr(saved_model.files, "temporary_name", temporary_name)
    servable, _ = exporting.read_servable(asked(sources / "encoder", tmp_path))
    paths = []

    def write():
        paths.append(saved_model.write_saved_model(servable, str(tmp_path / "model"), about={}))

    threads = [threading.Thread(target=write) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(paths) == [str(tmp_path / "model" / "1"), str(tmp_path / "model" / "2")]
    assert sorted(os.listdir(tmp_path / "model")) == ["1", "2"]


def test_a_version_that_appears_meanwhile_is_not_replaced(tmp_path):
    (tmp_path / "new").mkdir()
    (tmp_path / "3").mkdir()
    (tmp_path / "3" / "export.json").write_text("old")
    with pytest.raises(InputError, match="3: is there already"):
        saved_model._give_number(str(tmp_path / "new"), str(tmp_path), 3)
    assert (tmp_path / "3" / "export.json").read_text() == "old"


def test_nothing_is_left_where_writing_fails(sources, tmp_path, monkeypatch):
    def fail(*arguments):
        raise tf.errors.ResourceExhaustedError(None, None, "No space left on device")

    monkeypatch.setattr(saved_model, "write_warmup", fail)
    with pytest.raises(InputError, match="encoder: can't be written: No space left on device"):
        exporting.export(asked(sources / "encoder", tmp_path))
    assert os.listdir(tmp_path / "encoder") == []


def test_labels_and_vocabulary_travel_with_the_model(exported):
    path = pathlib.Path(exported("classifier"))
    assert json.loads((path / "assets.extra" / "labels.json").read_text("utf-8")) == ["bad", "good", "größer"]
    assert (path / "assets.extra" / "vocab.txt").read_text("utf-8").splitlines() == small_models.VOCABULARY
    about = json.loads((path / "export.json").read_text())
    assert about["kind"] == "classifier" and about["signatures"][0] == "classify"
    fields = {field.name for field in dataclasses.fields(exporting.Export)}
    assert fields <= set(about)
