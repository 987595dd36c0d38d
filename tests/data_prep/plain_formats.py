"""The rules of the input formats on Python's own lists and `random`: what the compiled loops are held against.

Written from Liu et al. 2019, §4.2, and from descriptions of what google-research/albert and electra do. A row is
`(segments, label)`. Documents are lists of sentences, which are lists of ids; `most` is what a row has room for.
"""

import random


def in_drawn_order(documents, seed):
    """The generator and the documents, shuffled as the original does."""
    rng, documents = random.Random(seed), list(documents)
    rng.shuffle(documents)
    return rng, documents


def full_sentences(documents, length, crosses_documents):
    """Rows as lists of documents' texts: [CLS], the last [SEP] and one between two of them take a place each."""
    rows = []
    for document in documents:
        if not crosses_documents or not rows:
            rows.append([[]])
        elif rows[-1][-1]:
            rows[-1].append([])
        for sentence in document:
            if _places(rows[-1]) + len(sentence) > length and any(rows[-1]):
                rows.append([[]])
            while _places(rows[-1]) + len(sentence) > length:
                room = length - 2
                rows[-1][-1], sentence = sentence[:room], sentence[room:]
                rows.append([[]])
            rows[-1][-1] += sentence
    return [([text for text in row if text], 0) for row in rows]


def _places(row):
    return 1 + sum(len(text) + 1 for text in row)


def sentence_pairs(documents, length, seed):
    rng, documents = in_drawn_order(documents, seed)
    rows = []
    for index, document in enumerate(documents):
        waiting = list(document)
        while waiting:
            a = list(waiting.pop(0))
            label = int(not waiting or rng.random() < 0.5)
            other = _another(rng, index, len(documents)) if label else None
            b = list(rng.choice(documents[other])) if label else list(waiting.pop(0))
            rows.append((_cut_to(a, b, length - 3, rng), label))
    return rows


def sentence_order(documents, length, short_seq_prob, seed):
    rng, documents = in_drawn_order(documents, seed)
    rows = []
    for index, document in enumerate(documents):
        target = rng.randint(2, length - 3) if rng.random() < short_seq_prob else length - 3
        waiting = list(document)
        while waiting:
            chunk = [waiting.pop(0)]
            while waiting and sum(map(len, chunk)) < target:
                chunk.append(waiting.pop(0))
            cut = rng.randint(1, len(chunk) - 1) if len(chunk) > 1 else 1
            a, b = sum(chunk[:cut], []), sum(chunk[cut:], [])
            if len(chunk) == 1:
                label, other = 1, documents[_another(rng, index, len(documents))]
                for sentence in other[rng.randint(0, len(other) - 1) :]:
                    b += sentence
                    if len(b) >= target - len(a):
                        break
            else:
                label = int(rng.random() < 0.5)
                a, b = (b, a) if label else (a, b)
            rows.append((_cut_to(a, b, length - 3, rng), label))
    return rows


def electra(documents, length, seed):
    rng, documents = in_drawn_order(documents, seed)
    rows = []
    for document in documents:
        waiting = list(document)
        while waiting:
            target = rng.randint(5, length) if rng.random() < 0.05 else length
            chunk = [waiting.pop(0)]
            while waiting and sum(map(len, chunk)) < target:
                chunk.append(waiting.pop(0))
            first_target = 100_000 if rng.random() < 0.1 else (target - 3) // 2
            first, second = [], []
            for sentence in chunk:
                if not first or len(first) + len(sentence) < first_target:
                    first += sentence
                elif not second and len(first) < first_target and rng.random() < 0.5:
                    first += sentence
                else:
                    second += sentence
            first = first[: length - 2]
            second = second[: max(0, length - len(first) - 3)]
            rows.append(([first, second] if second else [first], 0))
    return rows


def _another(rng, index, count):
    for _ in range(10):
        drawn = rng.randint(0, count - 1)
        if drawn != index:
            break
    return drawn


def _cut_to(a, b, most, rng):
    while len(a) + len(b) > most:
        longer = a if len(a) > len(b) else b
        del longer[0 if rng.random() < 0.5 else -1]
    return [a, b]
