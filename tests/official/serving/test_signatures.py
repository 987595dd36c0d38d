"""The signatures of every kind: what clients write and read, as `saved_model.pb` has it."""

import os

import pytest
from tensorflow.core.framework import types_pb2
from tensorflow.core.protobuf import saved_model_pb2

from tests.official.serving import small_models

TOKENS = "input_ids int32 [?,?], input_mask int32 [?,?], segment_ids int32 [?,?]"
EXAMPLES = "examples string [?]"
CLASSES = "label string [?], logits float [?,3], probabilities float [?,3]"
LABELS = "logits float [?,3], predicted bool [?,3], probabilities float [?,3]"
API_CLASSES = "classes string [?,3], scores float [?,3]"
CHOICES = "choice int32 [?], logits float [?,?], probabilities float [?,?]"
WORDS = "labels string [?,?], num_words int32 [?], probabilities float [?,?]"
ANSWER = "answer string [?], end_char int64 [?], {}score float [?], start_char int64 [?]"
N_BEST = (
    "answers string [?,8], end_chars int64 [?,8], {}num_answers int32 [?], probabilities float [?,8], "
    "scores float [?,8], start_chars int64 [?,8]"
)
NULL_ODDS = "null_odds float [?], "
NULLS = "null_odds float [?], null_probability float [?], "
SPANS = "end_logits float [?,?], start_logits float [?,?]"
VECTORS = "mean_output float [?,24], pooled_output float [?,24]"
STATES = VECTORS + ", sequence_output float [?,?,24]"
MASKS = "num_masks int32 [?], probabilities float [?,?,3], tokens string [?,?,3]"
GUESSES = "probabilities float [?,?,3], token_ids int32 [?,?,3], tokens string [?,?,3]"
POSITIONS = "masked_lm_positions int32 [?,?]"

QUESTION = "context string [?], question string [?]"


def questions(null_odds: str, nulls: str) -> dict[str, str]:
    return {
        "serving_default": f"predict: {QUESTION} -> {ANSWER.format(null_odds)}",
        "n_best": f"predict: {QUESTION} -> {N_BEST.format(nulls)}",
        "serving_tokens": f"predict: {TOKENS} -> {SPANS}",
        "serving_examples": f"predict: {EXAMPLES} -> {SPANS}",
    }


SIGNATURES = {
    "classifier": {
        "serving_default": f"predict: text string [?] -> {CLASSES}",
        "serving_tokens": f"predict: {TOKENS} -> {CLASSES}",
        "serving_examples": f"predict: {EXAMPLES} -> {CLASSES}",
        "classify": f"classify: inputs string [?] -> {API_CLASSES}",
        "tokenize": f"predict: text string [?] -> {TOKENS}",
    },
    "multi_label": {
        "serving_default": f"predict: text string [?] -> {LABELS}",
        "serving_tokens": f"predict: {TOKENS} -> {LABELS}",
        "serving_examples": f"predict: {EXAMPLES} -> {LABELS}",
        "classify": f"classify: inputs string [?] -> {API_CLASSES}",
        "tokenize": f"predict: text string [?] -> {TOKENS}",
    },
    "regression": {
        "serving_default": "predict: text_a string [?], text_b string [?] -> score float [?]",
        "serving_tokens": f"predict: {TOKENS} -> score float [?]",
        "serving_examples": f"predict: {EXAMPLES} -> score float [?]",
        "regress": "regress: inputs string [?] -> outputs float [?]",
        "tokenize": f"predict: text_a string [?], text_b string [?] -> {TOKENS}",
    },
    "multiple_choice": {
        "serving_default": f"predict: choices string [?,?], text_a string [?] -> {CHOICES}",
        "serving_tokens": f"predict: {TOKENS} -> logits float [?]",
        "serving_examples": f"predict: {EXAMPLES} -> logits float [?]",
    },
    "tagger": {
        "serving_default": f"predict: text string [?] -> {WORDS}, words string [?,?]",
        "serving_words": f"predict: words string [?,?] -> {WORDS}",
        "serving_tokens": f"predict: {TOKENS} -> logits float [?,?,3]",
        "serving_examples": f"predict: {EXAMPLES} -> logits float [?,?,3]",
    },
    "questions_v1": questions("", ""),
    "questions_v2": questions(NULL_ODDS, NULLS),
    "encoder": {
        "serving_default": f"predict: text string [?] -> {VECTORS}",
        "token_embeddings": "predict: text string [?] -> embeddings float [?,?,24], tokens string [?,?]",
        "serving_tokens": f"predict: {TOKENS} -> {STATES}",
        "serving_examples": f"predict: {EXAMPLES} -> {STATES}",
        "tokenize": f"predict: text string [?] -> {TOKENS}",
    },
    "fill_mask": {
        "serving_default": f"predict: text string [?] -> {MASKS}",
        "serving_tokens": "predict: input_ids int32 [?,?], input_mask int32 [?,?], "
        f"{POSITIONS}, segment_ids int32 [?,?] -> {GUESSES}",
        "serving_examples": f"predict: {EXAMPLES} -> {GUESSES}",
        "tokenize": f"predict: text string [?] -> {TOKENS}",
    },
}


def as_text(tensors) -> str:
    """Tensors by name: `name type [sizes]`, ? where any size will do."""
    parts = []
    for name in sorted(tensors):
        info = tensors[name]
        sizes = ",".join("?" if axis.size == -1 else str(axis.size) for axis in info.tensor_shape.dim)
        rank = "of any rank" if info.tensor_shape.unknown_rank else f"[{sizes}]"
        parts.append(f"{name} {types_pb2.DataType.Name(info.dtype).removeprefix('DT_').lower()} {rank}")
    return ", ".join(parts)


@pytest.mark.parametrize("name", list(small_models.KINDS))
def test_names_types_shapes_and_methods_are_what_clients_rely_on(exported, name):
    with open(os.path.join(exported(name), "saved_model.pb"), "rb") as file:
        (meta_graph,) = saved_model_pb2.SavedModel.FromString(file.read()).meta_graphs
    assert list(meta_graph.meta_info_def.tags) == ["serve"]
    found = {
        name: f"{signature.method_name.removeprefix('tensorflow/serving/')}: "
        f"{as_text(signature.inputs)} -> {as_text(signature.outputs)}"
        for name, signature in meta_graph.signature_def.items()
        if not name.startswith("__")
    }
    assert found == SIGNATURES[name]
