"""A small model of every kind that can be served, as initialised: what it answers depends on all that it reads."""

import dataclasses
import os
import pathlib
import string

import tensorflow as tf

from official import checkpoints
from official.models.bert import Bert, BertConfig
from official.serving import exporting
from official.tokenization.wordpiece import WordPieceTokenizer
from tests.official.tokenization import tokenizer_texts

WORDS = "the quick brown fox jump over a lazy dog who what where did it see sat on mat . , ? ! ( ) ' - [ ]".split()
ENDINGS = ["##" + letters for letters in ("s", "ed", "ing", "é", *string.ascii_lowercase, *string.digits)]
VOCABULARY = list(dict.fromkeys([*tokenizer_texts.pieces_of_everything(), *WORDS, *ENDINGS, *string.digits]))
TOKENIZER = WordPieceTokenizer.from_tokens(VOCABULARY, max_input_chars_per_word=100)
CONFIG = BertConfig(
    vocab_size=len(VOCABULARY),
    hidden_size=24,
    num_hidden_layers=2,
    num_attention_heads=3,
    intermediate_size=40,
    max_position_embeddings=64,
    type_vocab_size=2,
    hidden_dropout_prob=0.0,
    attention_probs_dropout_prob=0.0,
    initializer_range=0.25,
)
BATCH_SIZES = (1, 4)


@dataclasses.dataclass(frozen=True)
class Kind:
    """What is exported.

    Attributes:
        head: of the model; None for a bare encoder.
        labels: of the head.
        options: fields of `exporting.Export`.
    """

    head: str | None
    labels: tuple[str, ...] = ()
    options: dict = dataclasses.field(default_factory=dict)


_QUESTIONS = {"max_seq_length": 32, "doc_stride": 8, "max_query_length": 10, "max_answer_length": 6, "n_best_size": 8}
_CLASSES = ("bad", "good", "größer")
KINDS = {
    "classifier": Kind("sequence_classification", _CLASSES),
    "multi_label": Kind("sequence_classification", _CLASSES, {"label_type": "multi"}),
    "regression": Kind("sequence_classification", ("LABEL_0",), {"label_type": "regression", "text_pairs": True}),
    "multiple_choice": Kind("sequence_classification", ("LABEL_0",), {"kind": "multiple_choice"}),
    "tagger": Kind("token_classification", ("O", "B-LOC", "I-LOC"), {"max_seq_length": 16}),
    "questions_v1": Kind("question_answering", (), _QUESTIONS),
    "questions_v2": Kind("question_answering", (), _QUESTIONS | {"version_2_with_negative": True}),
    "encoder": Kind(None, (), {"normalize": True}),
    "fill_mask": Kind("mlm", (), {"top_k": 3}),
}


def write_model(name: str, directory: pathlib.Path) -> None:
    """The model of a kind as a Hugging Face directory."""
    kind = KINDS[name]
    tf.keras.utils.set_random_seed(1)
    model = Bert(CONFIG, [kind.head] if kind.head else [], labels=kind.labels)
    checkpoints.save(model, str(directory), tokenizer=TOKENIZER)


def export(name: str, folder: pathlib.Path) -> str:
    """Writes and exports a kind's model; answers with EXPORT/NAME/VERSION."""
    directory = folder / "models" / name
    write_model(name, directory)
    return exporting.export(
        exporting.Export(
            source=str(directory),
            export_dir=os.path.join(folder, "export"),
            batch_sizes=BATCH_SIZES,
            **KINDS[name].options,
        )
    )
