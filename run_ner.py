"""Labels words: fine-tunes BERT for named entities or parts of speech, scores it, predicts.

python run_ner.py --data_dir=conll2003 --init_checkpoint=bert-base-cased --output_dir=ner --do_train --do_eval
    learns train.txt and scores dev.txt as conlleval does; --do_predict writes test.txt with labels. Files of one word a
    line: CoNLL-2003, WNUT, CoNLL-U, and the like.

python run_ner.py --output_dir=ner --do_predict --predict_file=-
    labels what is typed in, a sentence a line.
"""

from absl import flags

from official import command_line
from official.serving import serving_flags
from official.tasks.fine_tuning import fine_tuning_flags
from official.training import flags as device_flags

FLAGS = flags.FLAGS

flags.adopt_module_key_flags(fine_tuning_flags)
flags.adopt_module_key_flags(device_flags)
flags.adopt_module_key_flags(serving_flags)
flags.DEFINE_string("data_dir", None, "Where train.txt, dev.txt and test.txt are.")
flags.DEFINE_string("train_file", None, "Words and labels to learn from.")
flags.DEFINE_string("eval_file", None, "Words and labels to score on.")
flags.DEFINE_string("predict_file", None, "Words to label; - for standard input, a sentence a line.")
flags.DEFINE_integer("max_seq_length", 128, "Tokens of a window; longer sentences are cut into several.", lower_bound=3)
flags.DEFINE_integer("doc_stride", None, "Tokens from window to window (default: half a window).", lower_bound=1)
flags.DEFINE_enum("task", None, ["ner", "pos"], "Entities or plain labels (default: as the labels show).")
flags.DEFINE_string("labels", None, "The labels, parted by commas or a file of one a line (default: those found).")
flags.DEFINE_integer("token_column", None, "Column of the words, from 0 (default: the first; FORM in CoNLL-U).")
flags.DEFINE_integer("label_column", None, "Column of the labels, -1: the last (default: the last; UPOS in CoNLL-U).")
flags.DEFINE_enum(
    "tag_scheme",
    None,
    ["iob1", "iob2", "bioes", "bilou", "io"],
    "The scheme that is learnt and predicted; files in others are converted (default: that of the training file).",
)
flags.DEFINE_bool("document_context", False, "Read sentences with what stands around them in their document.")
flags.DEFINE_bool("feature_based", False, "Leave BERT as it is and train a BiLSTM on its layers.")
flags.DEFINE_enum(
    "feature_layers",
    None,
    ["embeddings", "last", "second_to_last", "last_four_sum", "last_four_concat", "all_sum"],
    "What the BiLSTM reads (default: last_four_concat); sums are weighted by scalars that are learnt.",
)
flags.DEFINE_integer("lstm_size", None, "Of each of the BiLSTM's directions (default: 768).", 1, 4_096)


def main():
    command_line.require(FLAGS, "output_dir")
    command_line.require_one(FLAGS, "do_train", "do_eval", "do_predict")
    command_line.import_tensorflow()
    from official.tasks.tagging import feature_based, tagging, tagging_data

    strategy = device_flags.strategy_of_flags()
    task = tagging_data.tagging_run_of_flags(FLAGS)
    export = serving_flags.exporter(FLAGS, kind="tagger", model_name=FLAGS.task or "ner")
    outcome = tagging.run_tagging(feature_based.run_of_flags(FLAGS), task, strategy)
    export(outcome.model)


if __name__ == "__main__":
    command_line.run(main)
