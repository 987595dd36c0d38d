"""Exports a model for TensorFlow Serving: raw text in, answers out.

python export_savedmodel.py --init_checkpoint=out --export_dir=export --model_name=mrpc --text_pairs
    writes export/mrpc/1, and what a server needs beside it: `cd export && docker compose up`.

What the model answers follows from its head: classes, a label a word, answers to questions, words in the place of
[MASK]; without one, vectors.
"""

from absl import flags

from official import command_line
from official.serving import serving_flags

FLAGS = flags.FLAGS

flags.adopt_module_key_flags(serving_flags)
flags.DEFINE_string("init_checkpoint", None, "The model: an output_dir, a Hugging Face directory, a TF1 checkpoint, …")
flags.DEFINE_string("bert_config_file", None, "The bert_config.json, or a preset (default: the one beside it).")
flags.DEFINE_string("vocab_file", None, "The vocabulary (default: the one beside it).")
flags.DEFINE_bool("do_lower_case", None, "Whether the vocabulary is uncased (default: as the checkpoint says; true).")
flags.DEFINE_enum(
    "kind",
    None,
    ["encoder", "fill_mask", "classifier", "multiple_choice", "tagger", "question_answering"],
    "What is served (default: as the head says).",
)
flags.DEFINE_enum("mixed_precision", "float32", ["float32", "bfloat16"], "What the model computes in.")
flags.DEFINE_multi_enum(
    "variants", [], ["tflite_int8", "onnx"], "Written beside it, for LiteRT and ONNX Runtime: called with token ids."
)
flags.DEFINE_integer("max_seq_length", None, "Tokens of a row or window (default: 512; tagger 128; questions 384).")
flags.DEFINE_bool("text_pairs", False, "Of a classifier: it reads two texts.")
flags.DEFINE_enum(
    "label_type",
    None,
    ["single", "multi", "regression"],
    "Of a classifier: what its labels are (default: as the checkpoint says, or single).",
)
flags.DEFINE_bool("normalize", False, "Of an encoder: mean_output has length 1, as sentence-transformers give it.")
flags.DEFINE_integer("top_k", 5, "Of fill_mask: how many words for each [MASK].", lower_bound=1)
flags.DEFINE_integer("doc_stride", None, "Tokens from window to window (default: half a window; questions 128).", 1)
flags.DEFINE_integer("max_query_length", 64, "Tokens of a question.", lower_bound=1)
flags.DEFINE_integer("n_best_size", 20, "How many answers the signature n_best gives.", lower_bound=1)
flags.DEFINE_integer("max_answer_length", 30, "Tokens of an answer.", lower_bound=1)
flags.DEFINE_bool("version_2_with_negative", False, "Whether a question may have no answer.")
flags.DEFINE_float("null_score_diff_threshold", 0.0, "No answer is given if its odds are above this.")


def main():
    command_line.require(FLAGS, "init_checkpoint", "export_dir")
    command_line.import_tensorflow()
    from official.serving import exporting

    path = exporting.export(exporting.export_of_flags(FLAGS, source=FLAGS.init_checkpoint))
    print(f"exported: {path}")


if __name__ == "__main__":
    command_line.run(main)
