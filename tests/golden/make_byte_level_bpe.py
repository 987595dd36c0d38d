"""What transformers answers and writes for byte-level BPE: `byte_level_bpe.json`.

Run from this directory, in an environment with `transformers`. The vocabulary is learnt here from the texts below, by
the tokenizers library.
"""

import json
import os
import tempfile

from tokenizers import AddedToken, Tokenizer, models, pre_tokenizers, trainers
from transformers import AutoTokenizer, PreTrainedTokenizerFast, RobertaTokenizer

SPECIAL = ["<s>", "<pad>", "</s>", "<unk>"]
TEXTS = [
    "The quick brown foxes jumped over the lazy dogs' café; they'd seen it, I'll say!",
    " A space before, two  spaces,   three \tand a tab, and some behind  ",
    "lines\nand\n\n  indented\r\nlines \n\n",
    "don't DON'T 'tis ''s 's's can't've they'rest x'll.y 's o'clock ' s",
    "1999 12,345.67 ٣٤ ½ Ⅷ 第3回 x2y2",
    "日本語の文章、改行なし。한국어 문장 한 ไทยไม่มีเว้นวรรค",
    "😀 👩‍👩‍👧 🇩🇪 e\u0301 ﬁ Ǆ \u200b\u00ad\ufeffx",
    "\x00 \x1c\x85\u00a0\u2028\u3000 \u00a0x \u3000y",
    "a <mask> word, a <mask>, </s> and <s> <pad><unk>",
    "<mask>first  <mask>\n<mask> <x1>glued<x1> last <mask> ",
    "x" * 300 + " " + "ab" * 40,
    "\U0001ccf0\U00031350\U0001e4d0 new letters \U0010ffff",
    " ",
    "",
]
CORPUS = [text for text in TEXTS if "<" not in text] * 3 + ["the foxes and the dogs and the spaces, they say"] * 5


def learnt(size=420):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(
        vocab_size=size, min_frequency=2, special_tokens=SPECIAL, initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(CORPUS, trainer)
    model = json.loads(tokenizer.to_str())["model"]
    return model["vocab"] | {"<mask>": len(model["vocab"])}, [tuple(pair) for pair in model["merges"]]


VOCAB, MERGES = learnt()
MASK = AddedToken("<mask>", lstrip=True, normalized=False, special=True)


def roberta(added=(), **options):
    tokenizer = RobertaTokenizer(VOCAB, MERGES, mask_token=MASK, **options)
    tokenizer.add_tokens(list(added))
    return tokenizer


def without_class():
    """As a file of the tokenizers library alone gives it."""
    tokenizer = roberta(add_prefix_space=True).backend_tokenizer
    names = {"bos_token": "<s>", "eos_token": "</s>", "cls_token": "<s>", "sep_token": "</s>", "pad_token": "<pad>"}
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="<unk>", mask_token=MASK, **names)


def few_bytes():
    """Without most of the bytes, as in transformers' own tests."""
    tokens = "l o w e r s t i d n Ġ Ġl Ġn Ġlo Ġlow er Ġlowest <unk> <s> </s> <pad> <mask>".split()
    merges = [("Ġ", "l"), ("Ġl", "o"), ("Ġlo", "w"), ("e", "r")]
    return RobertaTokenizer({token: index for index, token in enumerate(tokens)}, merges)


CASES = {
    "roberta": roberta(),
    "prefix space": roberta(add_prefix_space=True),
    "mask without lstrip": RobertaTokenizer(VOCAB, MERGES),
    "added tokens": roberta([AddedToken("<x1>", rstrip=True), AddedToken("fox", normalized=False)]),
    "added special tokens": roberta(extra_special_tokens=["<x1>", "<x2>"]),
    "no class": without_class(),
    "few bytes": few_bytes(),
}


def main():
    cases = {}
    for name, tokenizer in CASES.items():
        with tempfile.TemporaryDirectory() as directory:
            tokenizer.save_pretrained(directory)
            with open(os.path.join(directory, "config.json"), "w", encoding="utf-8") as stream:
                json.dump({"model_type": "roberta"}, stream)
            loaded = AutoTokenizer.from_pretrained(directory)
            encoded = loaded(TEXTS, add_special_tokens=False, return_offsets_mapping=True)
            files = {}
            for file in sorted(os.listdir(directory)):
                with open(os.path.join(directory, file), encoding="utf-8") as stream:
                    files[file] = json.load(stream)
            cases[name] = {
                "files": files,
                "ids": encoded["input_ids"],
                "offsets": encoded["offset_mapping"],
                "pair": loaded("a", "b")["input_ids"],
                "size": len(loaded),
            }
    with open("byte_level_bpe.json", "w", encoding="utf-8") as stream:
        json.dump({"texts": TEXTS, "cases": cases}, stream, ensure_ascii=True, separators=(",", ":"))
        stream.write("\n")


if __name__ == "__main__":
    main()
