"""Peers' tokenizers, timed: MB of text to ids for each second of the processor.

    .oracle/bin/python -m benchmarks.data_generation.tokenizers_side --text=part.txt --vocab=vocab.txt

Runs where `tokenizers` and `transformers` are installed; its one line is JSON.
"""

import argparse
import json
import os
import pathlib
import time

os.environ["TOKENIZERS_PARALLELISM"] = "false"  # Figures are for one core.

from tokenizers import BertWordPieceTokenizer  # noqa: E402
from transformers.models.bert.tokenization_bert_legacy import BertTokenizerLegacy  # noqa: E402


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--text", required=True)
    parser.add_argument("--vocab", required=True)
    arguments = parser.parse_args()
    lines = pathlib.Path(arguments.text).read_text("utf-8").split("\n")
    fast, python = BertWordPieceTokenizer(arguments.vocab), BertTokenizerLegacy(arguments.vocab)
    sides = {
        "Hugging Face tokenizers (Rust)": lambda: fast.encode_batch(lines, add_special_tokens=False),
        "the original's, as transformers has it (Python)": lambda: [
            python.convert_tokens_to_ids(python.tokenize(line)) for line in lines
        ],
    }
    seconds = {}
    for name, tokenize in sides.items():
        started = time.process_time()
        tokenize()
        seconds[name] = time.process_time() - started
    print(json.dumps(seconds))


if __name__ == "__main__":
    main()
