"""Vocabularies and texts that the tests of both faces share."""

import json
import pathlib
import random
import sys
import unicodedata

import pytest

OPTIONS = [
    pytest.param({"lower_case": True}, id="uncased"),
    pytest.param({"lower_case": False}, id="cased"),
    pytest.param({"lower_case": True, "strip_accents": False}, id="uncased-accents"),
    pytest.param({"lower_case": False, "strip_accents": True}, id="cased-no-accents"),
]
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
# Where case, decomposition, ordering of marks, dropped characters and word limits meet.
CORNERS = (
    "aAiIıİsSßẞſσΣςΑα\u0345\u0301\u0307\u0323\u0338\u1dce\u20dd\u302e\u302f\u0344\u034f\u0f71\u0f73\u1b44\u16ff0"
    "\U0001d165\U0001d16d\U0001d172\u200b\u200d\u00ad\ufeff\ufffd\x00\x01\x02\x0b\x0c\x1c\x1f\x85\t\n\r "
    "\u00a0\u2000\u2001"
    "\u2028\u2029\u202f\u3000\u180e\u037e\u0387\u1fef\u1ffd\u2260\u226f\u212a\u212b\u2126ÅéÉǅǆʰʼ'’"
    ".,!?_-#@[]^`$+<=>|~、。，！"
    "中東\u3400\uf900\ufa0e\ufa6e\U00020000\U0002a6df\U0002f800\U0002fa1d한국ㄱ각가힣にカﾊ゛ﬁ①½™ＡⱯꟀ\ua7c1\U0001e900\U00010400😀"
    "\U000e0001\U000e0100\U0010fffe\U0010ffff\ue000\u0378กำท์हिन्दी\u0bcb\u0dddעבْרִיתשלום"
)


def ids_of(tokens: list[str]) -> dict[str, int]:
    return {token: index for index, token in enumerate(tokens)}


def random_text(rng: random.Random) -> str:
    """Up to 30 characters: any code point, the corners, or plain letters, so that pieces, words and oddities mix."""
    pools = [
        lambda: chr(rng.choice((rng.randrange(0xD800), rng.randrange(0xE000, 0x110000), rng.randrange(0x3000)))),
        lambda: rng.choice(CORNERS),
        lambda: rng.choice("abcde ABC"),
    ]
    weights = [rng.random() for _ in pools]
    return "".join(pick() for pick in rng.choices(pools, weights, k=rng.randrange(31)))


def random_texts(count: int, seed: int) -> list[str]:
    rng = random.Random(seed)
    return [random_text(rng) for _ in range(count)]


def pieces_of_everything() -> list[str]:
    """A vocabulary that tells most characters apart: each corner, pairs, a wide alphabet, alone and continued."""
    rng = random.Random(7)
    alphabet = [chr(code) for code in range(33, sys.maxunicode, 97) if not 0xD800 <= code < 0xE000]
    characters = [c for c in dict.fromkeys(CORNERS + "abcdeABC" + "".join(alphabet)) if not c.isspace()]
    pairs = ["".join(rng.choices("abcdeσς각\u302e\u0307i", k=rng.randrange(2, 5))) for _ in range(300)]
    return list(dict.fromkeys([*SPECIAL, *characters, *pairs, *("##" + piece for piece in characters + pairs)]))


def code_point_probes(assigned: bool) -> list[str]:
    """Every code point that UTF-8 can hold, between letters: the assigned ones, or the others."""
    probes = []
    for character in map(chr, range(sys.maxunicode + 1)):
        category = unicodedata.category(character)
        if category != "Cs" and (category not in ("Cn", "Co")) == assigned:
            probes.append(f"a{character}b")
    return probes


assigned_and_slowly_the_others = pytest.mark.parametrize(
    "assigned", [pytest.param(True, id="assigned"), pytest.param(False, id="others", marks=pytest.mark.slow)]
)


def real_lines(shared: pathlib.Path, count: int) -> list[str]:
    """Lines of English novels and of Korean news, reviews and sentence pairs, evenly spread."""
    lines = []
    for name in (
        "corpus_small/eltec_small.txt",
        "corpus_small/sample_text.txt",
        "klue/klue-ner-v1.1_dev.tsv",
        "nsmc/ratings_train.txt",
        "kornlu/sts-train.tsv",
        "kornlu/xnli.test.ko.tsv",
    ):
        of_file = (shared / "data" / name).read_text(encoding="utf-8").split("\n")
        lines += of_file[:: max(1, len(of_file) // count)]
    for name in ("klue/klue-nli-v1.1_dev.json", "klue/klue-sts-v1.1_dev.json"):
        for example in json.loads((shared / "data" / name).read_text(encoding="utf-8"))[:count]:
            lines += [value for value in example.values() if isinstance(value, str)]
    return lines


def pieces_of(lines: list[str], normalize) -> list[str]:
    """A vocabulary in which real text comes apart in every way: frequent words, their heads and tails, characters."""
    counts: dict[str, int] = {}
    for line in lines:
        for word in normalize(line):
            counts[word] = counts.get(word, 0) + 1
    frequent = sorted(counts, key=counts.__getitem__, reverse=True)[:4000]
    heads, tails = [word[:3] for word in frequent], ["##" + word[-2:] for word in frequent]
    characters = sorted({c for word in frequent for c in word})
    return list(dict.fromkeys([*SPECIAL, *frequent, *heads, *tails, *characters, *("##" + c for c in characters)]))
