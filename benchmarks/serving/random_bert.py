"""A BERT-base with random weights and the vocabulary of another model: its speed is that of a trained one.

python -m benchmarks.serving.random_bert DIRECTORY_WITH_VOCABULARY OUTPUT_DIRECTORY
"""

import os
import sys

import keras

from official import checkpoints, files
from official.models.bert import Bert, BertConfig
from official.tokenization.wordpiece import WordPieceTokenizer


def write(directory_with_vocabulary: str, directory: str) -> None:
    with files.open_file(os.path.join(directory_with_vocabulary, "vocab.txt")) as file:
        tokenizer = WordPieceTokenizer.from_tokens([line.rstrip("\n") for line in file])
    keras.utils.set_random_seed(1)
    checkpoints.save(Bert(BertConfig(vocab_size=len(tokenizer.tokens)), []), directory, tokenizer=tokenizer)


if __name__ == "__main__":
    write(*sys.argv[1:])
