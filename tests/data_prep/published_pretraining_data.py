"""The published data preparation on Python's own `random`, slow and simple: what the compiled loops are held against.

Written from the description of create_pretraining_data.py at eedf571; tokens are ids. The same with streams of each
document's own is written from the description in data_prep/streams.py.
"""

import dataclasses
import functools
import random


@dataclasses.dataclass
class Recipe:
    """Flags of the original, and what it takes from the vocabulary."""

    vocab_ids: list[int]
    continuation: set[int]
    cls_id: int
    sep_id: int
    mask_id: int
    max_seq_length: int = 32
    max_predictions_per_seq: int = 5
    dupe_factor: int = 2
    masked_lm_prob: float = 0.15
    short_seq_prob: float = 0.1
    whole_words: bool = False


def published_instances(documents: list[list[list[int]]], recipe: Recipe, seed: int) -> list[dict]:
    """All instances in the order in which they are written."""
    rng = random.Random(seed)
    documents = [list(document) for document in documents if document]
    rng.shuffle(documents)
    instances = []
    for _ in range(recipe.dupe_factor):
        for index in range(len(documents)):
            instances += [instance for instance, _ in _instances_of(documents, index, recipe, lambda number: rng)]
    rng.shuffle(instances)
    return instances


def document_stream_instances(documents: list[list[list[int]]], recipe: Recipe, seed: int, num_files: int) -> list:
    """The instances of each file in their order, with streams of each document's own and ids of 16 bits."""

    def stream(*numbers):
        digits = [*numbers, *(abs(seed) >> 32 * k & 0xFFFFFFFF for k in range(-(-abs(seed).bit_length() // 32))), 1]
        return random.Random(sum(digit << 32 * k for k, digit in enumerate(digits)))

    documents, files = [document for document in documents if document], [[] for _ in range(num_files)]
    for index in range(len(documents)):
        for duplicate in range(recipe.dupe_factor):
            streams = functools.partial(stream, index, duplicate)
            for instance, rng in _instances_of(documents, index, recipe, streams):
                bits = b"".join((rng.getrandbits(32) & 0xFFFF).to_bytes(2, "little") for _ in range(4))
                place = int.from_bytes(bits, "big")
                files[place % num_files].append((place, instance))
    return [[instance for _, instance in sorted(file, key=lambda pair: pair[0])] for file in files]


def _instances_of(documents, index, recipe, streams):
    """Instances with the generators that finished them; `streams(0)` plans, `streams(k)` finishes the k-th instance."""
    document, most, rng = documents[index], recipe.max_seq_length - 3, streams(0)
    target = rng.randint(2, most) if rng.random() < recipe.short_seq_prob else most
    instances, chunk, length, i = [], [], 0, 0
    while i < len(document):
        chunk.append(document[i])
        length += len(document[i])
        if i == len(document) - 1 or length >= target:
            a_end = rng.randint(1, len(chunk) - 1) if len(chunk) >= 2 else 1
            a, b = sum(chunk[:a_end], []), []
            is_random = len(chunk) == 1 or rng.random() < 0.5
            if is_random:
                for _ in range(10):
                    other = rng.randint(0, len(documents) - 1)
                    if other != index:
                        break
            finishing = streams(len(instances) + 1)
            if is_random:
                start = finishing.randint(0, len(documents[other]) - 1)
                for sentence in documents[other][start:]:
                    b += sentence
                    if len(b) >= target - len(a):
                        break
                i -= len(chunk) - a_end
            else:
                b = sum(chunk[a_end:], [])
            _truncate(a, b, most, finishing)
            instances.append((_instance(a, b, is_random, recipe, finishing), finishing))
            chunk, length = [], 0
        i += 1
    return instances


def _truncate(a, b, most, rng):
    while len(a) + len(b) > most:
        longer = a if len(a) > len(b) else b
        longer.pop(0 if rng.random() < 0.5 else -1)


def _instance(a, b, is_random, recipe, rng):
    tokens = [recipe.cls_id, *a, recipe.sep_id, *b, recipe.sep_id]
    groups = []
    for i, token in enumerate(tokens):
        if token in (recipe.cls_id, recipe.sep_id):
            continue
        if recipe.whole_words and groups and token in recipe.continuation:
            groups[-1].append(i)
        else:
            groups.append([i])
    rng.shuffle(groups)
    wanted = min(recipe.max_predictions_per_seq, max(1, int(round(len(tokens) * recipe.masked_lm_prob))))
    masked, output = {}, list(tokens)
    for group in groups:
        if len(masked) >= wanted:
            break
        if len(masked) + len(group) > wanted:
            continue
        for i in group:
            masked[i] = tokens[i]
            if rng.random() < 0.8:
                output[i] = recipe.mask_id
            elif rng.random() >= 0.5:
                output[i] = recipe.vocab_ids[rng.randint(0, len(recipe.vocab_ids) - 1)]
    positions = sorted(masked)
    return features(output, len(a), is_random, positions, [masked[i] for i in positions], recipe)


def features(tokens, a_length, is_random, positions, labels, recipe) -> dict:
    """The seven features, padded."""

    def padded(values, size):
        return list(values) + [0] * (size - len(values))

    sequence, predictions = recipe.max_seq_length, recipe.max_predictions_per_seq
    return {
        "input_ids": padded(tokens, sequence),
        "input_mask": padded([1] * len(tokens), sequence),
        "segment_ids": padded([0] * (a_length + 2) + [1] * (len(tokens) - a_length - 2), sequence),
        "masked_lm_positions": padded(positions, predictions),
        "masked_lm_ids": padded(labels, predictions),
        "masked_lm_weights": padded([1.0] * len(positions), predictions),
        "next_sentence_labels": [int(is_random)],
    }
