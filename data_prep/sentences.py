"""Running text to sentences, by a small rule that any language with sentence-final punctuation can live with.

A sentence ends at `.`, `!`, `?` or `…` (with closing quotes and brackets) before white space, if what follows does not
begin with a lower-case letter or punctuation that goes on, and if the full stop does not belong to an abbreviation or
an initial. It also ends at the full stops of Chinese and Japanese, which no space follows.
"""

import re

CLOSING = "\"'”’»)\\]}」』）"
SENTENCE_END = re.compile(rf"(?:[.!?…]+[{CLOSING}]*(?=\s))|(?:[。！？]+[{CLOSING}]*)")
CONTINUES = re.compile(r"\s*[a-zß-öø-ÿ,;:)\]]")
LAST_WORD = re.compile(r"(?:^|[\s(\[\"'“‘])([^\s(\[\"'“‘]+)\.$")
# Before a capital letter these do not end a sentence; others, such as "etc.", do.
ABBREVIATIONS = frozenset((
    "mr mrs ms messrs mme mlle dr prof rev hon gen col maj capt lt sgt gov sen rep pres st sts mt ft vs cf ca "
    "approx dept est fig figs eq eqs sec ch vol vols nos pp ed eds jan feb mar apr jun jul aug sep sept oct nov "
    "dec i.e e.g viz resp arg param"
).split())  # fmt: skip


def split_sentences(text: str) -> list[str]:
    """The sentences of a text without their surrounding white space; a line break inside becomes a space."""
    text = " ".join(text.split())
    sentences, start = [], 0
    for match in SENTENCE_END.finditer(text):
        if _ends_sentence(text, match):
            sentences.append(text[start : match.end()].strip())
            start = match.end()
    sentences.append(text[start:].strip())
    return [sentence for sentence in sentences if sentence]


def _ends_sentence(text: str, match: re.Match) -> bool:
    if match.group()[0] in "。！？":
        return True
    if CONTINUES.match(text, match.end()):
        return False
    if match.group() != ".":
        return True
    word = LAST_WORD.search(text[max(0, match.start() - 40) : match.end()])
    if word is None:
        return True
    word = word.group(1).lower()
    is_initial = len(word) == 1 and word.isalpha() and word != "i"
    return not is_initial and word not in ABBREVIATIONS
