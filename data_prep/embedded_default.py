"""What `python run_pretraining.py` trains on when it is told nothing: the documentation of the installed packages.

Text, vocabulary, config and records are made in the output directory; a second call finds them there.
"""

import json
import os
import sys
from collections.abc import Iterable

from absl.flags import FlagValues

from data_prep.documents import Source
from data_prep.pretraining_data import create
from data_prep.processes import available_cores, default_workers
from data_prep.python_documentation import both_splits
from data_prep.recipe import PretrainingData
from data_prep.token_store import TokenizerOptions
from data_prep.vocabulary import learn_vocabulary
from official import files

OUTPUT_DIR = os.path.join("pretrained", "python_documentation")
VOCAB_SIZE = 6_000
CONFIG = {
    "vocab_size": VOCAB_SIZE,
    "hidden_size": 192,
    "num_hidden_layers": 4,
    "num_attention_heads": 3,
    "intermediate_size": 768,
    "hidden_act": "gelu",
    "hidden_dropout_prob": 0.0,  # Minutes of training see little text twice: there is nothing to regularise.
    "attention_probs_dropout_prob": 0.0,
    "max_position_embeddings": 128,
    "type_vocab_size": 2,
    "initializer_range": 0.02,
}
# The flags that the default sets, where the user does not.
DEFAULTS = {
    "do_train": True,
    "do_eval": True,
    "mixed_precision": "auto",
    "max_seq_length": 64,
    "max_predictions_per_seq": 10,
    "train_batch_size": 32,
    "eval_batch_size": 64,
    "max_eval_steps": 0,
    "learning_rate": 5e-4,
    "num_train_steps": 4_000,
    "num_warmup_steps": 300,
    "save_checkpoints_steps": 500,
}
DUPE_FACTOR = 5
HELD_OUT_DUPE_FACTOR = 1


def prepare(flags: FlagValues) -> str:
    """Makes corpus, vocabulary, config and records, and sets the flags that were not given to them.

    Returns:
        A file of sentences that were held out.

    Raises:
        InputError: the output directory can't be written.
    """
    directory = flags.output_dir or OUTPUT_DIR
    paths = {
        "vocab_file": os.path.join(directory, "vocab.txt"),
        "bert_config_file": os.path.join(directory, "bert_config.json"),
        "input_file": os.path.join(directory, "train.tfrecord"),
        "eval_input_file": os.path.join(directory, "held_out.tfrecord"),
    }
    for name, value in (DEFAULTS | paths | {"output_dir": directory}).items():
        if flags[name].using_default_value:
            flags[name].value = value
    files.make_directory(directory)
    held_out_text = os.path.join(directory, "held_out.txt")
    if not all(files.exists(path) for path in (*paths.values(), held_out_text)):
        _make(paths, held_out_text, flags)
    return held_out_text


def _make(paths, held_out_text, flags):
    print("Reading the documentation of Python and of the installed packages …", file=sys.stderr)
    documents, held_out = [], []
    for document, is_held_out in both_splits():
        (held_out if is_held_out else documents).append(document)
    lines = _lines(documents)
    characters = sum(len(line) for line in lines)
    print(
        f"{len(documents):,} documents, {characters / 1e6:.1f} MB of prose, and {len(held_out):,} documents held out. "
        f"Learning a vocabulary of {VOCAB_SIZE:,} word pieces …",
        file=sys.stderr,
    )
    vocabulary = learn_vocabulary(lines, VOCAB_SIZE, num_workers=available_cores())
    with files.write_whole(paths["vocab_file"]) as file:
        file.writelines(f"{token}\n" for token in vocabulary)
    with files.write_whole(held_out_text) as file:
        file.writelines(f"{line}\n" for line in _lines(held_out))
    for path, text, dupe_factor in (
        (paths["input_file"], lines, DUPE_FACTOR),
        (paths["eval_input_file"], _lines(held_out), HELD_OUT_DUPE_FACTOR),
    ):
        options = PretrainingData(
            output_files=[path],
            tokenizer=TokenizerOptions(paths["vocab_file"], True, None),
            max_seq_length=flags.max_seq_length,
            max_predictions_per_seq=flags.max_predictions_per_seq,
            dupe_factor=dupe_factor,
            num_workers=default_workers(),
        )
        create(options, Source(iter(text), "the documentation of the installed packages", None))
    with files.write_whole(paths["bert_config_file"]) as file:
        json.dump(CONFIG | {"vocab_size": len(vocabulary)}, file, indent=2)


def _lines(documents: Iterable[list[str]]) -> list[str]:
    """A sentence a line, an empty line behind each document."""
    return [line for document in documents for line in (*document, "")]
