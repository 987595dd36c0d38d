"""Pretrains BERT: masked language model and next sentence prediction.

python run_pretraining.py
    pretrains a small BERT on the documentation of the installed Python packages and shows what it has learnt.

python run_pretraining.py --input_file=records*.tfrecord --bert_config_file=bert-base --output_dir=out --do_train
    pretrains on records of data_prep/create_pretraining_data.py; all flags of google-research/bert are understood.
"""

from absl import flags

from official import command_line
from official.objectives import masking_flags
from official.serving import serving_flags
from official.training import dry_run_flag, training_flags
from official.training import flags as device_flags

FLAGS = flags.FLAGS

# === The original's flags ===
flags.DEFINE_string("bert_config_file", None, "The bert_config.json of the model, or a preset: bert-tiny … bert-large.")
flags.DEFINE_string("input_file", None, "Record files: a comma-separated list of names and globs.")
flags.DEFINE_string("output_dir", None, "Where checkpoints, the model, logs and results are written.")
flags.DEFINE_string("init_checkpoint", None, "Checkpoint whose weights the model starts from.")
flags.DEFINE_integer("max_seq_length", 128, "Length of the records' sequences.", lower_bound=1)
flags.DEFINE_integer("max_predictions_per_seq", 20, "Length of the records' predictions.", lower_bound=1)
flags.DEFINE_bool("do_train", False, "Whether to train.")
flags.DEFINE_bool("do_eval", False, "Whether to evaluate.")
flags.DEFINE_integer("train_batch_size", 32, "Examples in a step, over all devices.", lower_bound=1)
flags.DEFINE_integer("eval_batch_size", 8, "Examples in a step of evaluation.", lower_bound=1)
flags.DEFINE_float("learning_rate", 5e-5, "The peak learning rate.", lower_bound=0.0)
flags.DEFINE_integer("num_train_steps", 100_000, "Number of training steps.", lower_bound=1)
flags.DEFINE_integer("num_warmup_steps", 10_000, "Steps over which the learning rate rises.", lower_bound=0)
flags.DEFINE_integer("save_checkpoints_steps", 1_000, "Steps between two checkpoints.", lower_bound=1)
flags.DEFINE_integer("iterations_per_loop", 1_000, "Steps that stay on the devices, at most.", lower_bound=1)
flags.DEFINE_integer("max_eval_steps", 100, "Steps of evaluation; 0: every record once.", lower_bound=0)
flags.adopt_module_key_flags(device_flags)
flags.adopt_module_key_flags(training_flags)
flags.adopt_module_key_flags(dry_run_flag)
dry_run_flag.needs_do_train()
flags.adopt_module_key_flags(serving_flags)
flags.adopt_module_key_flags(masking_flags)

# === Ours ===
flags.DEFINE_string("eval_input_file", None, "Held-out records; evaluated after each checkpoint (default: input_file).")
flags.DEFINE_string("vocab_file", None, "Vocabulary: saved with the model, gives a preset its size, finds [MASK].")
flags.DEFINE_bool("do_lower_case", True, "Whether the vocabulary is uncased.")
flags.DEFINE_bool("strip_accents", None, "Strip accents, as the vocabulary was made (default: do_lower_case).")
flags.DEFINE_bool("reinitialize_head", False, "Go on where init_checkpoint lacks a head or has one of another shape.")
flags.DEFINE_enum("masking", "static", ["static", "dynamic"], "Masks as written, or a new draw at each reading.")
flags.DEFINE_float("masked_lm_prob", 0.15, "Share of the tokens that dynamic masking hides.", 0.0, 1.0)
flags.DEFINE_bool("do_whole_word_mask", False, "Whether dynamic masking hides whole words.")
flags.DEFINE_enum(
    "masking_rule",
    "bert",
    ["bert", "roberta", "electra"],
    "Which tokens dynamic masking hides. bert: a rounded share of the tokens. roberta: the share without rounding, "
    "random tokens are never special ones. electra: drawn with replacement; it is published with "
    "--replace_with_mask_prob=0.85 --keep_original_prob=0.15 --replace_with_random_prob=0.",
)
flags.DEFINE_bool("use_one_hot_embeddings", None, "Look words up by a matrix product (default: on a TPU).")
flags.DEFINE_enum(
    "method",
    "bert",
    ["bert", "roberta", "albert", "electra", "distilbert", "tinybert", "minilm", "minilm_v2"],
    "What is pretrained and for what; settings that are not given are the published ones. A BERT's shape as "
    "bert_config_file becomes one of that family. The last four imitate --teacher.",
)
flags.DEFINE_float(
    "generator_size", 0.25, "How wide ELECTRA's generator is, as a share of its discriminator.", 0.0, 1.0
)
flags.DEFINE_float("discriminator_weight", 50.0, "What the loss of ELECTRA's discriminator counts.", 0.0)
flags.DEFINE_enum(
    "electra_variant",
    "electra",
    ["electra", "electra_15", "replace_mlm", "all_tokens_mlm"],
    "Those of the paper's efficiency study (§3.4).",
)
flags.DEFINE_string("teacher", None, "Who is imitated: a pretrained model, with the tokens of the records.")
flags.DEFINE_list("student_layers", None, "Start from these layers of the teacher, from 0 (distilbert: every second).")
flags.DEFINE_float("temperature", 2.0, "Of the teacher's words, for distilbert.", lower_bound=1e-3)
flags.DEFINE_list("distilbert_weights", [5, 2, 1], "Of the losses: teacher's words, masked words, hidden states.")
flags.DEFINE_integer("teacher_layer", -1, "Whose relations minilm_v2 learns, from 0; -1: the last.")
flags.DEFINE_integer("relation_heads", 48, "Into how many parts minilm_v2 cuts vectors.", lower_bound=1)
flags.DEFINE_bool("write_tf1_checkpoint", False, "Write the model as bert_model.ckpt too.")
flags.DEFINE_integer(
    "seed",
    12_345,
    "Of initial weights, order of records, dropout and dynamic masks.",
    lower_bound=0,
    upper_bound=2**32 - 1,
)

# === A second phase, of long sequences ===
flags.DEFINE_string("phase_2_input_file", None, "Records of long sequences, trained on after those of input_file.")
flags.DEFINE_string("phase_2_eval_input_file", None, "Held-out records of this phase.")
flags.DEFINE_integer("phase_2_max_seq_length", 512, "Length of these records' sequences.", lower_bound=1)
flags.DEFINE_integer("phase_2_max_predictions_per_seq", 80, "Length of these records' predictions.", lower_bound=1)
flags.DEFINE_integer("phase_2_train_batch_size", None, "Default, as for the next: as before.", lower_bound=1)
flags.DEFINE_float("phase_2_learning_rate", None, "The peak learning rate.", lower_bound=0.0)
flags.DEFINE_integer("phase_2_num_train_steps", None, "Number of training steps.", lower_bound=1)
flags.DEFINE_integer("phase_2_num_warmup_steps", None, "Steps over which its learning rate rises.", lower_bound=0)
flags.DEFINE_enum("recipe", None, ["lamb"], "Published numbers for the flags of both phases that are not given.")


@flags.multi_flags_validator(["method", "teacher"], "the methods that imitate need --teacher, and no others have one")
def _has_its_teacher(values):
    return (values["method"] in ("distilbert", "tinybert", "minilm", "minilm_v2")) == (values["teacher"] is not None)


@flags.multi_flags_validator(
    ["student_layers", "bert_config_file", "init_checkpoint"],
    "the student's weights are those of the teacher's layers, or --init_checkpoint's, or new",
)
def _student_is_one(values):
    return values["student_layers"] is None or not (values["bert_config_file"] or values["init_checkpoint"])


def main():
    given = any(FLAGS[name].value for name in ("bert_config_file", "input_file", "do_train", "do_eval"))
    if not given:
        from data_prep import embedded_default

        command_line.import_tensorflow_for(FLAGS.output_dir)
        held_out_text = embedded_default.prepare(FLAGS)
    is_shortened = FLAGS.student_layers is not None or FLAGS.method == "distilbert" and not FLAGS.init_checkpoint
    command_line.require(FLAGS, *(["bert_config_file"] if not is_shortened else []), "input_file", "output_dir")
    command_line.require_one(FLAGS, "do_train", "do_eval")
    if FLAGS.export_dir is not None:
        command_line.require(FLAGS, "vocab_file")
    command_line.import_tensorflow()
    from official.tasks import model_directory
    from official.tasks.pretraining import pretraining_demo, two_phases
    from official.tasks.pretraining.methods import METHODS

    strategy = device_flags.strategy_of_flags()
    runs = two_phases.runs_of_flags(FLAGS)
    served_as = METHODS[FLAGS.method].served_as
    export = serving_flags.exporter(FLAGS, kind=served_as, model_name=served_as)
    if given:
        two_phases.pretrain_in_phases(runs, strategy, FLAGS.do_train, FLAGS.do_eval)
    else:
        pretraining_demo.pretrain_and_show(runs[-1], strategy, held_out_text)
    export(model_directory.directory_of_model(FLAGS.output_dir))


if __name__ == "__main__":
    command_line.run(main)
