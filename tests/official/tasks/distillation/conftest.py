"""A small teacher of each task, its vocabulary of whole words; and a student's vocabulary of letters."""

import pytest
import tensorflow as tf

from official import checkpoints
from official.models.bert import Bert, BertConfig
from official.tasks.distillation.distillation_run import DistillationRun
from official.tasks.fine_tuning.fine_tuning_run import FineTuningRun
from official.tokenization.wordpiece import WordPieceTokenizer

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
WORDS = "a good bad fine dull long film story cast of the with and very".split()
LETTERS = sorted({letter for word in WORDS for letter in word})
CONFIG = BertConfig(
    vocab_size=len(SPECIAL) + len(WORDS),
    hidden_size=16,
    num_hidden_layers=3,
    num_attention_heads=2,
    intermediate_size=32,
    max_position_embeddings=48,
    type_vocab_size=2,
    initializer_range=0.3,
)


def write_model(
    directory,
    config=CONFIG,
    heads=("sequence_classification",),
    labels=("bad", "good"),
    tokens=WORDS,
    label_type="single",
):
    tf.keras.utils.set_random_seed(3)
    model = Bert(config, heads, labels=labels, label_type=label_type if labels else None)
    tokenizer = WordPieceTokenizer.from_tokens([*SPECIAL, *tokens])
    checkpoints.save(model, str(directory), tokenizer=tokenizer)
    return str(directory)


@pytest.fixture(scope="session")
def teacher(tmp_path_factory):
    """Of texts, with two labels."""
    return write_model(tmp_path_factory.mktemp("teacher"))


@pytest.fixture
def run(tmp_path):
    """A student's run, with the layers of its teacher."""
    return FineTuningRun(
        output_dir=str(tmp_path / "out"), max_seq_length=24, train_batch_size=8, learning_rate=1e-2, fusion="none"
    )


@pytest.fixture
def distillation(teacher):
    return DistillationRun(teacher=teacher, student_layers=(0, 2))
