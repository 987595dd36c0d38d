"""The flags of `run_distillation.py` that are not those of all fine-tuning, and what they come to."""

from absl import flags
from absl.flags import FlagValues

from official.tasks.classification import classification_tasks
from official.tasks.fine_tuning import fine_tuning_flags
from official.tasks.squad import squad_flags

CLASSIFICATION, SQUAD, TAGGING = "classification", "squad", "tagging"
MAX_SEQ_LENGTH = {CLASSIFICATION: 128, SQUAD: 384, TAGGING: 128}
SQUAD_DOC_STRIDE = 128

flags.adopt_module_key_flags(fine_tuning_flags)
flags.adopt_module_key_flags(squad_flags)
flags.DEFINE_enum("task", None, [CLASSIFICATION, SQUAD, TAGGING], "What the teacher is fine-tuned for.")

# === Teacher and student ===
flags.DEFINE_string("teacher", None, "A fine-tuned model: any directory or checkpoint that the task's script takes.")
flags.DEFINE_string("teacher_config_file", None, "The teacher's config (default: the one beside its weights).")
flags.DEFINE_string("teacher_vocab_file", None, "The teacher's vocabulary (default: the one beside its weights).")
flags.DEFINE_string("teacher_logits_dir", None, "Where logits are kept (default: OUTPUT_DIR/teacher_logits).")
flags.DEFINE_alias("student", "bert_config_file")
flags.DEFINE_list("student_layers", None, "Start from these layers of the teacher, from 0, with its embeddings.")

# === What is imitated ===
flags.DEFINE_enum(
    "distillation_loss", "cross_entropy", ["mse", "cross_entropy"], "How logits are compared; numbers by mse."
)
flags.DEFINE_float("temperature", 1.0, "What logits are divided by; for cross_entropy.", lower_bound=1e-3)
flags.DEFINE_bool("scale_by_temperature", True, "Multiply by its square, as Hinton et al. 2015; TextBrewer does not.")
flags.DEFINE_float("hard_label_weight", 0.0, "What a label of train_file counts, the teacher's the rest.", 0.0, 1.0)

# === Files ===
flags.DEFINE_string("unlabelled_file", None, "What only the teacher labels: files and globs, parted by commas.")
flags.DEFINE_string("train_file", None, "With labels; the teacher labels it too.")
flags.DEFINE_string("eval_file", None, "To score with.")
flags.DEFINE_string("predict_file", None, "To predict for; - is standard input. Of squad, to score with too.")
flags.DEFINE_string("data_dir", None, "Where the files of a task with a name are.")
flags.DEFINE_integer("max_seq_length", None, "Tokens of an example (default: 128; of squad 384).", lower_bound=3)
flags.DEFINE_integer("doc_stride", None, "Tokens from window to window (default: as of the task's script).", 1)
flags.DEFINE_list("labels", None, "The teacher's labels, by their numbers, where it does not name them.")
flags.DEFINE_string("label_column", None, "Name or number of the column of labels.")

# === Of classification ===
flags.DEFINE_enum("task_name", None, classification_tasks.NAMES, "As of run_classifier.py.", case_sensitive=False)
flags.DEFINE_string("text_a_column", None, "Name of the column of texts, or its number from 0.")
flags.DEFINE_string("text_b_column", None, "The same for the second text of a pair; empty for none.")
flags.DEFINE_enum("label_type", "single", ["single", "multi", "regression"], "What a label is.")
flags.DEFINE_string("tfds_name", None, "A tensorflow-datasets data set; the files' flags then name splits.")
flags.DEFINE_string("tfds_data_dir", None, "Where tensorflow-datasets keeps its data.")
flags.DEFINE_string("xnli_language", "zh", "Language of XNLI.")

# === Of tagging ===
flags.DEFINE_integer("token_column", None, "Column of the words, from 0.")
flags.DEFINE_bool("document_context", False, "Read sentences with what stands around them in their document.")


@flags.multi_flags_validator(["task", "max_seq_length", "max_query_length"], "a window must hold more than a question")
def _has_room(values):
    length = values["max_seq_length"] or MAX_SEQ_LENGTH[SQUAD]
    return values["task"] != SQUAD or length > values["max_query_length"] + 3


@flags.multi_flags_validator(["task", "do_eval", "predict_file"], "standard input has no answers to score against")
def _can_be_scored(values):
    return not (values["task"] == SQUAD and values["do_eval"] and values["predict_file"] == "-")


@flags.multi_flags_validator(["temperature", "distillation_loss"], "a temperature is for cross_entropy")
def _temperature_is_used(values):
    return values["temperature"] == 1.0 or values["distillation_loss"] == "cross_entropy"


@flags.multi_flags_validator(
    ["student_layers", "bert_config_file", "init_checkpoint"],
    "the student's weights are those of the teacher's layers, or --init_checkpoint's, or new",
)
def _student_is_one(values):
    return values["student_layers"] is None or not (values["bert_config_file"] or values["init_checkpoint"])


@flags.multi_flags_validator(["hard_label_weight", "train_file", "data_dir"], "labels are in --train_file")
def _labels_are_there(values):
    return not values["hard_label_weight"] or bool(values["train_file"] or values["data_dir"])


@flags.multi_flags_validator(
    ["do_eval", "num_trials", "keep_best", "early_stopping_patience"], "to compare models, --do_eval must be given"
)
def _can_be_compared(values):
    return values["do_eval"] or not (
        values["num_trials"] > 1 or values["keep_best"] or values["early_stopping_patience"]
    )


def needed_flags(values: FlagValues) -> list[str]:
    """What has to be given, whatever it is, beside what is always needed."""
    scored = "predict_file" if values.task == SQUAD else "eval_file"
    needed = [scored] if values.do_eval else []
    needed += ["predict_file"] if values.do_predict else []
    if values.data_dir or values.tfds_name:
        needed = []
    if values.task == CLASSIFICATION and not values.tfds_name:
        needed.append("task_name")
    return needed


def settle(values: FlagValues) -> None:
    """Gives the flags whose defaults differ by task the task's own."""
    if values.max_seq_length is None:
        values.max_seq_length = MAX_SEQ_LENGTH[values.task]
    if values.doc_stride is None and values.task == SQUAD:
        values.doc_stride = SQUAD_DOC_STRIDE
