"""What we save is loaded by transformers, what it saves is loaded by us, and both compute the same numbers.

Needs an environment with PyTorch and transformers, in which tests/oracle/answer.py runs: `make oracle` makes one.
"""

import json
import os
import pathlib
import subprocess

import numpy as np
import pytest

from official import checkpoints
from official.models.bert import Bert, BertConfig
from tests.golden import seeded

pytestmark = pytest.mark.slow

LABELS = ("contradiction", "entailment", "neutral")
WITHOUT_POOLER = {"pooler": False}
POOLER = ["bert.pooler.dense.bias", "bert.pooler.dense.weight"]
# Heads, options, and what transformers has no use for.
MODELS = {
    "encoder": ((), {}, []),
    "encoder_without_pooler": ((), WITHOUT_POOLER, []),
    "mlm": (("mlm",), WITHOUT_POOLER, []),
    "mlm_and_pooler": (("mlm",), {}, POOLER),
    "nsp": (("nsp",), {}, []),
    "mlm_and_nsp": (("mlm", "nsp"), {}, []),
    "sequence_classification": (("sequence_classification",), {"labels": LABELS}, []),
    "token_classification": (("token_classification",), {"labels": LABELS} | WITHOUT_POOLER, []),
    "question_answering": (("question_answering",), WITHOUT_POOLER, []),
}
CASES = [(kind, number) for kind in MODELS for number in range(len(seeded.SHAPES))]
THEIR_NAMES = {
    "sequence_output": ["last_hidden_state"],
    "pooled_output": ["pooler_output"],
    "hidden_states": ["hidden_states"],
    "attention_probs": ["attentions"],
    "mlm_logits": ["prediction_logits", "logits"],
    "nsp_logits": ["seq_relationship_logits", "logits"],
    "logits": ["logits"],
    "start_logits": ["start_logits"],
    "end_logits": ["end_logits"],
    "sop_logits": ["sop_logits"],
    "rtd_logits": ["logits"],
}
# A model with a head does not give the first apart from `hidden_states`, nor always have the second.
NOT_EVERYWHERE = {"sequence_output", "pooled_output"}
ARCHITECTURES = (
    "BertModel",
    "BertForMaskedLM",
    "BertForNextSentencePrediction",
    "BertForPreTraining",
    "BertForSequenceClassification",
    "BertForTokenClassification",
    "BertForQuestionAnswering",
)
FORMS = ("safetensors", "safetensors_in_shards", "torch", "torch_before_zip", "torch_in_shards")
DTYPES = ("float32", "float16", "bfloat16")


def oracle_python(repository: pathlib.Path) -> str:
    """An interpreter that has torch and transformers."""
    path = os.environ.get("BERT_ORACLE") or str(repository / ".oracle" / "bin" / "python")
    if not os.path.exists(path):
        pytest.skip(f"{path} is not there: make oracle makes it, or set BERT_ORACLE to a Python with transformers")
    return path


def make_model(kind: str, number: int) -> Bert:
    """A model in which every weight differs from every other, and from what it is initialised with."""
    heads, options, _ = MODELS[kind]
    shape = seeded.SHAPES[number]
    model = Bert(BertConfig(**shape), heads, output_hidden_states=True, output_attention_probs=True, **options)
    for variable in model.weights:
        variable.assign(seeded.draw(variable.path, tuple(variable.shape), seed=number))
    return model


def numbers_of(model: Bert, inputs) -> dict[str, np.ndarray]:
    """All that a model answers, each in one array."""
    outputs = model({name: inputs[name] for name in ("input_ids", "input_mask", "segment_ids")})
    return {name: np.stack(value) if isinstance(value, list) else value.numpy() for name, value in outputs.items()}


def assert_same_numbers(ours, theirs):
    compared = set()
    for name, values in ours.items():
        known = [known for known in THEIR_NAMES[name] if known in theirs]
        if known:
            np.testing.assert_allclose(values, theirs[known[0]], rtol=0, atol=1e-5, err_msg=name)
            compared.add(known[0])
        else:
            assert name in NOT_EVERYWHERE, name
    assert compared == set(theirs)


@pytest.fixture(scope="module")
def exchanged(repository, tmp_path_factory):
    """A folder with all our models and all of transformers', each answered by transformers, and what ours answer."""
    python = oracle_python(repository)
    root = tmp_path_factory.mktemp("exchanged")
    answers = {}
    for kind, number in CASES:
        directory = root / "ours" / f"{kind}_{number}"
        model, inputs = make_model(kind, number), seeded.batch(seeded.SHAPES[number], seed=number)
        checkpoints.save(model, str(directory))
        np.savez(directory / "inputs.npz", pooler=model.encoder.pooler is not None, **inputs)
        answers[kind, number] = numbers_of(model, inputs)
    script = repository / "tests" / "oracle" / "answer.py"
    result = subprocess.run([python, str(script), str(root)], capture_output=True, text=True, timeout=300)
    assert result.returncode == 0, result.stderr[-2_000:]
    return root, answers


@pytest.mark.parametrize(("kind", "number"), CASES)
def test_transformers_loads_what_we_save_and_gives_the_same_numbers(exchanged, kind, number):
    root, answers = exchanged
    report = json.loads((root / "ours" / f"{kind}_{number}" / "report.json").read_text("utf-8"))
    labels = report.pop("labels")
    assert report.pop("unexpected_keys") == MODELS[kind][-1]
    assert not any(report.values()), report
    if "labels" in MODELS[kind][1]:
        assert tuple(labels) == LABELS
    assert_same_numbers(answers[kind, number], np.load(root / "ours" / f"{kind}_{number}" / "answers.npz"))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_we_load_what_transformers_saves_and_give_the_same_numbers(exchanged, capsys, architecture, form, dtype):
    directory = exchanged[0] / "theirs" / f"{architecture}-{form}-{dtype}"
    model = checkpoints.load(str(directory))
    assert not any(line in capsys.readouterr().err for line in ("left as initialised", "not in the model"))
    if "Classification" in architecture:
        assert model.labels == ("no", "yes", "perhaps")
    assert_same_numbers(numbers_of(model, np.load(directory / "inputs.npz")), np.load(directory / "answers.npz"))


def test_every_model_that_transformers_wrote_was_compared(exchanged):
    written = {path.name for path in (exchanged[0] / "theirs").iterdir()}
    assert written == {
        f"{architecture}-{form}-{dtype}" for architecture in ARCHITECTURES for form in FORMS for dtype in DTYPES
    }
