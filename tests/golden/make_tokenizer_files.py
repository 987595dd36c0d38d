"""What transformers writes for a tokenizer, and the ids that it then gives: `tokenizer_files.json`.

Run from this directory, in an environment with `transformers`.
"""

import json
import os
import tempfile

from tokenizers import AddedToken
from transformers import AutoTokenizer, BertTokenizer, PreTrainedTokenizerFast

PIECES = (
    "the quick fox jump ##ed over caf ##e résumé Résumé resume The s ##s ##ed un ##ed ##able . , ! ' 1 ##9 "
    "한 ##국 ##어 가 ᄒ ##ᅡ ##ᆫ 中 国 δ ##ς ##σ <s1> covid"
)
VOCABULARY = ["[PAD]", "[unused1]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *dict.fromkeys(PIECES.split())]
TEXTS = [
    "The quick fox jumped over the café, unjumpable!",
    "RÉSUMÉ résumé Résumé re\u0301sume\u0301",
    "한국어 가 한 中国the国",
    "1999 ' the\tfox\u200b\x00es\u00a0the",
    "covid Covid covid19 <s1>the <S1> xcovidx",
    "jump" + "ed" * 8 + " jumped New!New! new!",
    "",
]
NAMED = AddedToken("covid", normalized=False)
APPENDED = AddedToken("New!", normalized=False)


def bert(added=(), **options):
    tokenizer = BertTokenizer({token: index for index, token in enumerate(VOCABULARY)}, **options)
    tokenizer.add_tokens(list(added))
    return tokenizer


def with_longest_word(tokenizer, length):
    """The same, of the class that does what tokenizer.json says; BertTokenizer passes over this setting."""
    backend = tokenizer.backend_tokenizer
    backend.model.max_input_chars_per_word = length
    return PreTrainedTokenizerFast(tokenizer_object=backend, unk_token="[UNK]", pad_token="[PAD]")


CASES = {
    "uncased": bert(),
    "cased": bert(do_lower_case=False),
    "cased without accents": bert(do_lower_case=False, strip_accents=True),
    "uncased with accents": bert(strip_accents=False),
    "added tokens": bert([NAMED, APPENDED]),
    "added special tokens": bert(extra_special_tokens=["<s1>", "<s2>"]),
    "short words": with_longest_word(bert(), 12),
}


def main():
    cases = {}
    for name, tokenizer in CASES.items():
        with tempfile.TemporaryDirectory() as directory:
            tokenizer.save_pretrained(directory)
            files = {}
            for file in sorted(os.listdir(directory)):
                with open(os.path.join(directory, file), encoding="utf-8") as stream:
                    files[file] = json.load(stream)
            loaded = AutoTokenizer.from_pretrained(directory)
            ids = loaded(TEXTS, add_special_tokens=False)["input_ids"]
            cases[name] = {"files": files, "ids": ids, "size": len(loaded)}
    with open("tokenizer_files.json", "w", encoding="utf-8") as stream:
        json.dump({"texts": TEXTS, "cases": cases}, stream, ensure_ascii=False, separators=(",", ":"))
        stream.write("\n")


if __name__ == "__main__":
    main()
