"""RoBERTa, ALBERT, ELECTRA and DistilBERT: transformers loads ours, we load theirs, and the numbers are the same.

Needs an environment with PyTorch and transformers, as `test_transformers_agree` does: `make oracle` makes one.
"""

import json
import subprocess

import numpy as np
import pytest

from official import checkpoints
from official.models import registry
from official.models.albert import AlbertConfig
from official.models.distilbert import DistilBertConfig
from official.models.electra import ElectraConfig
from official.models.roberta import RobertaConfig
from tests.golden import seeded
from tests.official.checkpoints.test_transformers_agree import (
    LABELS,
    assert_same_numbers,
    numbers_of,
    oracle_python,
)

pytestmark = pytest.mark.slow

SMALL = {
    "vocab_size": 120,
    "hidden_size": 32,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "intermediate_size": 50,
}
ODD = {"vocab_size": 97, "hidden_size": 60, "num_hidden_layers": 2, "num_attention_heads": 5, "intermediate_size": 72}
WIDE = {
    "vocab_size": 205,
    "hidden_size": 64,
    "num_hidden_layers": 4,
    "num_attention_heads": 2,
    "intermediate_size": 256,
}
CONFIGS = {
    "roberta": (
        RobertaConfig(**SMALL, max_position_embeddings=22),
        RobertaConfig(**ODD, max_position_embeddings=40, type_vocab_size=2, hidden_act="gelu", pad_token_id=3),
        RobertaConfig(**WIDE, layer_norm_eps=1e-12, hidden_act="relu"),
    ),
    "albert": (
        AlbertConfig(**SMALL, embedding_size=16),
        AlbertConfig(**ODD, embedding_size=60, hidden_act="gelu_erf", num_hidden_groups=2, always_projected=True),
        AlbertConfig(**WIDE, embedding_size=8, num_hidden_groups=2, type_vocab_size=3),
        AlbertConfig(**WIDE | {"num_hidden_layers": 5}, embedding_size=24, num_hidden_groups=3),
    ),
    "electra": (
        ElectraConfig(**SMALL, embedding_size=16),
        ElectraConfig(**ODD, embedding_size=60, hidden_act="gelu"),
        ElectraConfig(**WIDE, embedding_size=128, layer_norm_eps=1e-6, type_vocab_size=3),
    ),
    "distilbert": (
        DistilBertConfig(**SMALL, max_position_embeddings=20),
        DistilBertConfig(**ODD, hidden_act="relu"),
        DistilBertConfig(**WIDE),
    ),
}
FINE_TUNED = (("sequence_classification",), ("token_classification",), ("question_answering",))
HEADS = {
    "roberta": ((), ("mlm",), *FINE_TUNED),
    "albert": ((), ("mlm",), ("mlm", "sop"), *FINE_TUNED),
    "electra": ((), ("mlm",), ("rtd",), *FINE_TUNED),
    "distilbert": ((), ("mlm",), *FINE_TUNED),
}
CASES = [
    (family, heads, number)
    for family, configs in CONFIGS.items()
    for heads in HEADS[family]
    for number in range(len(configs))
]
IDS = [f"{family}-{'_'.join(heads) or 'encoder'}-{number}" for family, heads, number in CASES]


def make_model(family, heads, number):
    """A model in which every weight differs from every other, and from what it is initialised with."""
    config = CONFIGS[family][number]
    labels = LABELS if {"sequence_classification", "token_classification"} & set(heads) else ()
    cls = registry.model_class(config)
    pooler = not heads or not cls.WITH_POOLER.isdisjoint(heads)
    model = registry.build(
        config, heads, labels=labels, pooler=pooler, output_hidden_states=True, output_attention_probs=True
    )
    for variable in model.weights:
        variable.assign(seeded.draw(variable.path, tuple(variable.shape), seed=number))
    return model


def draw_inputs(config, seed):
    """Two segments and padding, [3, 14]; padding has the family's own id, and nothing else has it."""
    random = np.random.RandomState(seed)
    place, lengths = np.arange(14), np.array([[14], [9], [5]])
    mask = (place < lengths).astype(np.int32)
    padding = getattr(config, "pad_token_id", 0)
    ids = random.randint(5, config.vocab_size, mask.shape).astype(np.int32)
    segments = (place >= lengths // 2).astype(np.int32) * mask * (config.type_vocab_size > 1)
    if config.model_type == "roberta":
        segments = 0 * mask
    return {"input_ids": np.where(mask, ids, padding).astype(np.int32), "input_mask": mask, "segment_ids": segments}


@pytest.fixture(scope="module")
def exchanged(repository, tmp_path_factory):
    """All our models and all of transformers', each answered by transformers, and what ours answer."""
    python = oracle_python(repository)
    root, answers = tmp_path_factory.mktemp("exchanged"), {}
    for case, name in zip(CASES, IDS):
        model, inputs = make_model(*case), draw_inputs(CONFIGS[case[0]][case[2]], seed=case[2])
        checkpoints.save(model, str(root / "ours" / name))
        theirs = root / "theirs" / name
        theirs.mkdir(parents=True)
        config = json.loads((root / "ours" / name / "config.json").read_text("utf-8"))
        (theirs / "config.json").write_text(json.dumps(config), "utf-8")
        for side in ("ours", "theirs"):
            np.savez(root / side / name / "inputs.npz", **inputs)
        answers[name] = numbers_of(model, inputs)
    script = repository / "tests" / "oracle" / "answer_descendants.py"
    result = subprocess.run([python, str(script), str(root)], capture_output=True, text=True, timeout=300)
    assert result.returncode == 0, result.stderr[-2_000:]
    return root, answers


@pytest.mark.parametrize("name", IDS)
def test_transformers_loads_what_we_save_and_gives_the_same_numbers(exchanged, name):
    root, answers = exchanged
    report = json.loads((root / "ours" / name / "report.json").read_text("utf-8"))
    assert not any(report.values()), report
    assert_same_numbers(answers[name], np.load(root / "ours" / name / "answers.npz"))


@pytest.mark.parametrize("name", IDS)
def test_we_load_what_transformers_saves_and_give_the_same_numbers(exchanged, capsys, name):
    directory = exchanged[0] / "theirs" / name
    model = checkpoints.load(str(directory))
    assert not any(line in capsys.readouterr().err for line in ("left as initialised", "not in the model"))
    assert_same_numbers(numbers_of(model, np.load(directory / "inputs.npz")), np.load(directory / "answers.npz"))
