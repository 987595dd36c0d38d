"""Examples that share a row with others are computed as if they were alone."""

import numpy as np
import pytest
import tensorflow as tf

from official.inputs.packing import PackedRows
from official.inputs.tokenized import Padding, TokenizedExamples, TrainingOrder, training_batches
from official.layers import Packing, attention_bias
from official.models import registry
from official.models.albert import AlbertConfig
from official.models.bert import BertConfig
from official.models.distilbert import DistilBertConfig
from official.models.electra import ElectraConfig
from official.models.roberta import RobertaConfig

SHAPE = {
    "vocab_size": 60,
    "hidden_size": 16,
    "num_hidden_layers": 3,
    "num_attention_heads": 2,
    "intermediate_size": 24,
    "max_position_embeddings": 40,
    "initializer_range": 0.3,
}
CONFIGS = {
    "bert": BertConfig(**SHAPE, type_vocab_size=2),
    "roberta": RobertaConfig(**SHAPE),
    "albert": AlbertConfig(**SHAPE, embedding_size=8),
    "electra": ElectraConfig(**SHAPE, embedding_size=8),
    "distilbert": DistilBertConfig(**SHAPE),
}
LABELS = {"sequence_classification": ("a", "b", "c"), "token_classification": ("O", "X"), "question_answering": ()}


@pytest.fixture(scope="module")
def batches():
    """Padded and packed: 12 examples in rows of 24 tokens."""
    random = np.random.RandomState(0)
    rows = [(random.randint(5, 60, length), np.arange(length) > length // 2) for length in random.randint(3, 20, 12)]
    examples = TokenizedExamples.from_rows(rows)
    order = TrainingOrder(examples.lengths, batch_size=12, num_steps=1, seed=0, by_length=False)
    packed = PackedRows.of(examples, order, 24, replicas=1, micro_batches=1)
    assert packed.rows < 8
    padding = Padding(max_length=packed.longest, fixed=True)
    found = [next(iter(training_batches(examples, order, layout))) for layout in (padding, packed)]
    return [{name: values for name, values in batch.items() if name != "position"} for batch in found]


@pytest.mark.parametrize("head", LABELS)
@pytest.mark.parametrize("family", CONFIGS)
def test_states_and_logits_are_those_of_examples_in_rows_of_their_own(family, head, batches):
    tf.keras.utils.set_random_seed(3)
    config = CONFIGS[family]
    if config.type_vocab_size < 2:
        batches = [batch | {"segment_ids": tf.zeros_like(batch["segment_ids"])} for batch in batches]
    model = registry.model_class(config)(config, (head,), labels=LABELS[head], output_hidden_states=True)
    plain, packed = (model(batch, training=False) for batch in batches)
    mask = batches[0]["input_mask"].numpy()
    for one, other in zip(plain["hidden_states"], packed["hidden_states"], strict=True):
        np.testing.assert_allclose(one.numpy()[mask > 0], other.numpy()[mask > 0], rtol=0, atol=1e-5)
    assert float(tf.math.reduce_std(plain["sequence_output"])) > 0.1
    if head == "sequence_classification":
        np.testing.assert_allclose(plain["logits"], packed["logits"], rtol=0, atol=1e-5)
    for name in {"start_logits", "end_logits"} & set(plain):
        np.testing.assert_allclose(plain[name].numpy()[mask > 0], packed[name].numpy()[mask > 0], rtol=0, atol=1e-5)
        np.testing.assert_array_less(packed[name].numpy()[mask == 0], -9_000)  # No answer is looked for in padding.


def test_nobody_attends_to_another_example_or_to_padding():
    inputs = {
        "packed_examples": tf.constant([[1, 1, 2, 0]]),
        "packed_positions": tf.constant([[0, 1, 0, 0]]),
        "packed_places": tf.constant([[0, 1], [2, 0]]),
    }
    bias = Packing.of(inputs).attention_bias().numpy()[0, 0]
    np.testing.assert_array_equal(bias[:3] == 0, [[1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 1, 0]])
    assert set(np.unique(bias)) == set(np.unique(attention_bias(tf.constant([[1, 0]]))))
    assert Packing.of({"input_ids": tf.constant([[1]])}) is None
