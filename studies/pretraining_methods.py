"""The same small network pretrained by each method on as many tokens of the same text: what each of them learns.

    python -m studies.pretraining_methods --text=corpus.txt --held_out_text=held_out.txt --work_dir=methods

Records, vocabulary and runs are kept in `--work_dir`: what is there is not made again, so that the command goes on
where it stopped, or only prints its table and draws `loss_curves.png` (with `pip install -e .[studies]`).
"""

import json
import os
import statistics
import sys
from typing import NamedTuple

from absl import flags

from benchmarks.commands import REPOSITORY, finish
from official import command_line, files
from official.errors import InputError

FLAGS = flags.FLAGS

flags.DEFINE_string("text", None, "The corpus: a sentence a line, empty lines between documents.")
flags.DEFINE_string("held_out_text", None, "Text that nothing is learnt from.")
flags.DEFINE_string("work_dir", None, "Where everything is kept.")
flags.DEFINE_string("bert_config_file", "bert-mini", "The shape, of BERT.")
flags.DEFINE_integer("vocab_size", 8_192, "Of the vocabulary that is learnt.", 100)
flags.DEFINE_integer("num_train_steps", 1_500, "Of each run.", 10)
flags.DEFINE_integer("train_batch_size", 16, "Examples in a step.", 1)
flags.DEFINE_integer("max_seq_length", 64, "Of the records.", 8)
flags.DEFINE_float("learning_rate", 1e-3, "The peak, reached after a tenth of the steps; of all methods.", 0.0)
flags.DEFINE_integer("seed", 12_345, "Of all runs.", 0)


class Study(NamedTuple):
    """A run: its method, the format of its records, what else it is told, and what it is judged by."""

    title: str
    method: str
    example_format: str
    other: dict[str, object]
    shown: tuple[str, ...]


MASKED = ("masked_lm_loss", "masked_lm_accuracy")
FOUND = ("replaced_token_recall", "replaced_token_precision", "replaced_share")
STUDIES = (
    Study("BERT", "bert", "segment_pair", {"masking": "dynamic"}, (*MASKED, "next_sentence_accuracy")),
    Study("RoBERTa", "roberta", "full_sentences", {"clip_norm": 1.0}, MASKED),
    Study(
        "ALBERT",
        "albert",
        "sentence_order",
        {"masking": "dynamic", "optimizer": "adamw_bert"},
        (*MASKED, "sentence_order_accuracy"),
    ),
    Study("ELECTRA", "electra", "electra", {}, ("generator_loss", "discriminator_loss", *FOUND)),
    Study("ELECTRA 15 %", "electra", "electra", {"electra_variant": "electra_15"}, ("discriminator_loss", *FOUND)),
    Study("Replace MLM", "electra", "electra", {"electra_variant": "replace_mlm"}, MASKED),
    Study("All-tokens MLM", "electra", "electra", {"electra_variant": "all_tokens_mlm"}, ("all_tokens_loss",)),
)
flags.DEFINE_list("studies", [study.title for study in STUDIES], "Which of them.")


def kept(name: str) -> str:
    return os.path.join(FLAGS.work_dir, name)


def run_script(script: str, given: dict[str, object], *more: str) -> None:
    finish([sys.executable, str(REPOSITORY / script), *(f"--{name}={value}" for name, value in given.items()), *more])


def make_vocabulary() -> None:
    if not files.exists(kept("vocab.txt")):
        given = {"input_file": FLAGS.text, "vocab_file": kept("vocab.txt"), "vocab_size": FLAGS.vocab_size}
        run_script("data_prep/build_vocab.py", given)


def make_records(example_format: str) -> None:
    for text, name in ((FLAGS.text, "train"), (FLAGS.held_out_text, "held_out")):
        path = kept(f"{example_format}.{name}.tfrecord")
        if not files.exists(path):
            given = {
                "input_file": text,
                "output_file": path,
                "vocab_file": kept("vocab.txt"),
                "example_format": example_format,
                "masking": "dynamic",
                "dupe_factor": 1,
                "max_seq_length": FLAGS.max_seq_length,
            }
            run_script("data_prep/create_pretraining_data.py", given)


def train(study: Study) -> None:
    records = kept(f"{study.example_format}.{{}}.tfrecord")
    given = {
        "method": study.method,
        "bert_config_file": FLAGS.bert_config_file,
        "vocab_file": kept("vocab.txt"),
        "input_file": records.format("train"),
        "eval_input_file": records.format("held_out"),
        "max_seq_length": FLAGS.max_seq_length,
        "max_predictions_per_seq": round(0.16 * FLAGS.max_seq_length),
        "train_batch_size": FLAGS.train_batch_size,
        "num_train_steps": FLAGS.num_train_steps,
        "num_warmup_steps": FLAGS.num_train_steps // 10,
        "save_checkpoints_steps": max(1, FLAGS.num_train_steps // 5),
        "learning_rate": FLAGS.learning_rate,
        "eval_batch_size": 64,
        "max_eval_steps": 0,
        "seed": FLAGS.seed,
        "mixed_precision": "float32",  # The figures of one machine are those of another.
        "output_dir": kept(directory_of(study)),
    } | study.other
    run_script("run_pretraining.py", given, "--do_train", "--do_eval")


def directory_of(study: Study) -> str:
    return "".join(letter if letter.isalnum() else "_" for letter in study.title)


def read_metrics(study: Study) -> list[dict]:
    path = os.path.join(kept(directory_of(study)), "metrics.jsonl")
    if not files.exists(path):
        return []
    with files.open_file(path) as file:
        return [json.loads(line) for line in file]


def is_over(study: Study) -> bool:
    return any(line["kind"] == "eval" and line["step"] >= FLAGS.num_train_steps for line in read_metrics(study))


def table(studies: list[Study]) -> str:
    """Markdown: a line a method, with the loss of training on the way and what it scores on held-out text."""
    fifth = FLAGS.num_train_steps // 5
    steps = [fifth * number for number in range(1, 6)]
    lines = [
        f"| method | {' | '.join(f'loss to step {step}' for step in steps)} | held out |",
        "|---|" + "---|" * (len(steps) + 1),
    ]
    for study in studies:
        metrics = read_metrics(study)
        curve = [(line["step"], line["loss"]) for line in metrics if line["kind"] == "train"]
        losses = [statistics.mean(loss for at, loss in curve if step - fifth < at <= step) for step in steps]
        last = [line for line in metrics if line["kind"] == "eval"][-1]
        scores = ", ".join(f"{name.replace('_', ' ')} {last[name]:.3f}" for name in study.shown)
        lines.append(f"| {study.title} | {' | '.join(f'{loss:.3f}' for loss in losses)} | {scores} |")
    return "\n".join(lines)


def draw(studies: list[Study]) -> None:
    """The losses of training, each as a share of its first value, since they are of different things."""
    try:
        from matplotlib import pyplot
    except ImportError as error:
        raise InputError("to draw the curves, matplotlib is needed: pip install -e .[studies]") from error
    figure, axes = pyplot.subplots(figsize=(8, 5))
    for study in studies:
        curve = [(line["step"], line["loss"]) for line in read_metrics(study) if line["kind"] == "train"]
        first = curve[0][1]
        axes.plot([step for step, _ in curve], [loss / first for _, loss in curve], label=study.title, linewidth=1.2)
    axes.set(xlabel="step", ylabel="loss of training, share of the first", ylim=(0, 1.05))
    axes.grid(alpha=0.3)
    axes.legend()
    figure.tight_layout()
    figure.savefig(kept("loss_curves.png"), dpi=120)


def main() -> None:
    command_line.require(FLAGS, "text", "held_out_text", "work_dir")
    files.make_directory(FLAGS.work_dir)
    chosen = [study for study in STUDIES if study.title in FLAGS.studies]
    make_vocabulary()
    for study in chosen:
        make_records(study.example_format)
        if not is_over(study):
            train(study)
    print(table(chosen))
    draw(chosen)
    print(f"\n{kept('loss_curves.png')}")


if __name__ == "__main__":
    command_line.run(main)
