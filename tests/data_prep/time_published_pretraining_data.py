"""The published data preparation in plain Python, timed: tokenizer, instances, protocol buffers.

    python -m tests.data_prep.time_published_pretraining_data --text=part.txt --vocab=vocab.txt --output=records

Run by benchmarks/data_generation. It is the transcription that compiled loops are held against. The last line that it
prints is JSON: seconds of the processor.
"""

import argparse
import json
import pathlib
import time

import tensorflow as tf

from tests.data_prep.published_pretraining_data import Recipe, published_instances
from tests.official.tokenization import published_tokenizer


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("text", "vocab", "output"):
        parser.add_argument(f"--{name}", required=True)
    for name in ("dupe_factor", "max_seq_length", "max_predictions_per_seq"):
        parser.add_argument(f"--{name}", type=int, required=True)
    return parser.parse_args()


def read_documents(path: str, vocab: dict[str, int]) -> list[list[list[int]]]:
    documents = [[]]
    for line in pathlib.Path(path).read_text("utf-8").split("\n"):
        ids = published_tokenizer.ids(line.strip(), vocab)
        if ids:
            documents[-1].append(ids)
        elif not line.strip():
            documents.append([])
    return [document for document in documents if document]


def feature(name: str, values: list) -> tf.train.Feature:
    if name == "masked_lm_weights":
        return tf.train.Feature(float_list=tf.train.FloatList(value=values))
    return tf.train.Feature(int64_list=tf.train.Int64List(value=values))


def write(instances: list[dict], path: str) -> None:
    with tf.io.TFRecordWriter(path) as writer:
        for instance in instances:
            features = {name: feature(name, values) for name, values in instance.items()}
            writer.write(tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString())


def main():
    arguments = parse_arguments()
    vocab = {token: index for index, token in enumerate(pathlib.Path(arguments.vocab).read_text("utf-8").split("\n"))}
    recipe = Recipe(
        vocab_ids=list(vocab.values()),
        continuation={index for token, index in vocab.items() if token.startswith("##")},
        cls_id=vocab["[CLS]"],
        sep_id=vocab["[SEP]"],
        mask_id=vocab["[MASK]"],
        max_seq_length=arguments.max_seq_length,
        max_predictions_per_seq=arguments.max_predictions_per_seq,
        dupe_factor=arguments.dupe_factor,
    )
    times = [time.process_time()]
    documents = read_documents(arguments.text, vocab)
    times.append(time.process_time())
    instances = published_instances(documents, recipe, seed=12345)
    times.append(time.process_time())
    write(instances, arguments.output)
    times.append(time.process_time())
    tokenizing, drawing, writing = (end - start for start, end in zip(times, times[1:]))
    print(json.dumps({"tokenizing": tokenizing, "making examples": drawing, "writing": writing}))


if __name__ == "__main__":
    main()
