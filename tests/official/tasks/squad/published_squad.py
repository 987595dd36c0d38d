"""SQuAD's windows and answers, step by step with plain loops: the oracle of the tests beside this file.

Written from the description of google-research/bert's run_squad.py (commit eedf571), slow and plain on purpose; it
shares nothing with the package.
"""

import math

WHITE_SPACE = " \t\r\n\u202f"


def words_and_places(context):
    """The words, and for each character the number of words begun so far, less one."""
    words, places, between = [], [], True
    for character in context:
        if character in WHITE_SPACE:
            between = True
        elif between:
            words, between = [*words, character], False
        else:
            words[-1] += character
        places.append(len(words) - 1)
    return words, places


def answer_words(context, text, start):
    """First and last word of an answer; None where it is not there."""
    words, places = words_and_places(context)
    first, last = places[start], places[start + len(text) - 1]
    return (first, last) if " ".join(text.split()) in " ".join(words[first : last + 1]) else None


def answer_tokens(pieces_of_words, first, last, answer_pieces):
    """First and last token of an answer, narrowed to its own tokens where they are found."""
    tokens = [piece for pieces in pieces_of_words for piece in pieces]
    start = sum(map(len, pieces_of_words[:first]))
    end = sum(map(len, pieces_of_words[: last + 1])) - 1
    for new_start in range(start, end + 1):
        for new_end in range(end, new_start - 1, -1):
            if tokens[new_start : new_end + 1] == answer_pieces:
                return new_start, new_end
    return start, end


def windows(question, pieces_of_words, max_seq_length, doc_stride, max_query_length):
    """Dicts with `tokens`, `words` (position → word), `best` (positions of maximal context), `first` and `offset`."""
    question = question[:max_query_length]
    tokens = [(piece, word) for word, pieces in enumerate(pieces_of_words) for piece in pieces]
    room, spans, start = max_seq_length - len(question) - 3, [], 0
    while start < len(tokens):
        length = min(room, len(tokens) - start)
        spans.append((start, length))
        if start + length == len(tokens):
            break
        start += min(length, doc_stride)
    found = []
    for number, (start, length) in enumerate(spans):
        part, offset = tokens[start : start + length], len(question) + 2
        found.append(
            {
                "tokens": ["[CLS]", *question, "[SEP]", *(piece for piece, _ in part), "[SEP]"],
                "words": {offset + index: word for index, (_, word) in enumerate(part)},
                "best": {offset + p - start for p in range(start, start + length) if best_window(spans, p) == number},
                "first": start,
                "offset": offset,
            }
        )
    return found


def best_window(spans, position):
    scores = {}
    for number, (start, length) in enumerate(spans):
        if start <= position < start + length:
            scores[number] = min(position - start, start + length - 1 - position) + 0.01 * length
    return next(number for number, score in scores.items() if score == max(scores.values()))


def positions(window, start, end):
    """Where the answer stands in a window; (0, 0) where it is not whole in it."""
    last = window["first"] + len(window["words"]) - 1
    if start < window["first"] or end > last:
        return 0, 0
    return start - window["first"] + window["offset"], end - window["first"] + window["offset"]


def best(logits, count):
    return sorted(range(len(logits)), key=lambda index: logits[index], reverse=True)[:count]


def n_best(context, found, start_logits, end_logits, words_of_text, count, max_length, negative):
    """[(text, start logit, end logit)] and the odds of no answer, from windows and their logits (lists of floats)."""
    candidates, nulls = [], []
    for window, starts, ends in zip(found, start_logits, end_logits):
        nulls.append((starts[0] + ends[0], window, 0, 0, starts[0], ends[0]))
        for start in best(starts, count):
            for end in best(ends, count):
                valid = start in window["words"] and end in window["words"] and start in window["best"]
                if valid and start <= end < start + max_length:
                    candidates.append((starts[start] + ends[end], window, start, end, starts[start], ends[end]))
    null = min(nulls, key=lambda candidate: candidate[0]) if nulls else (0.0, None, 0, 0, 0.0, 0.0)
    if negative:
        candidates.append(null)
    results = []
    for _, window, start, end, start_logit, end_logit in sorted(candidates, key=lambda c: c[0], reverse=True):
        if len(results) == count:
            break
        text = text_of(context, window, start, end, words_of_text) if start else ""
        if text not in [result[0] for result in results]:
            results.append((text, start_logit, end_logit))
    if negative and "" not in [result[0] for result in results]:
        results.append(("", *null[4:]))
    real = [result for result in results if result[0]]
    odds = null[0] - real[0][1] - real[0][2] if negative and real else None
    return results, odds


def text_of(context, window, start, end, words_of_text):
    words, _ = words_and_places(context)
    covered = " ".join(words[window["words"][start] : window["words"][end] + 1])
    pieces = " ".join(window["tokens"][start : end + 1]).replace(" ##", "").replace("##", "")
    return final_text(" ".join(pieces.split()), covered, words_of_text)


def final_text(pieces, covered, words_of_text):
    """`pieces` as they stand in the words that they come from; all of these where that can't be told."""
    normal = " ".join(words_of_text(covered))
    if pieces not in normal:
        return covered
    solid = [index for index, character in enumerate(covered) if character != " "]
    solid_normal = [index for index, character in enumerate(normal) if character != " "]
    first = normal.index(pieces)
    last = first + len(pieces) - 1
    if len(solid) != len(solid_normal) or first not in solid_normal or last not in solid_normal:
        return covered
    return covered[solid[solid_normal.index(first)] : solid[solid_normal.index(last)] + 1]


def softmax(scores):
    powers = [math.exp(score - max(scores)) for score in scores]
    return [power / sum(powers) for power in powers]


def some_logits(window, side, length):
    """Logits of a window by a formula, with many ties; `side` is 0 for starts, 1 for ends."""
    return [
        ((31 * window + 17 * place + (3 + 11 * side) * place * place + 7 * side) % 61) / 8 for place in range(length)
    ]
