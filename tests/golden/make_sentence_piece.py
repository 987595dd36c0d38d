"""What ALBERT's own code and transformers make of texts with a small SentencePiece model: `sentence_piece.json`.

Run from this directory, twice: first in an environment with transformers 4, sentencepiece 0.2.1, protobuf, six and
`albert-tensorflow==1.1 --no-deps` (google-research/albert as a package; TensorFlow is only named in it, not used here),
with the path of a text to learn a model from; then with transformers 5, sentencepiece 0.2.1 and protobuf, with no path.
"""

import json
import os
import random
import sys
import tempfile
import types

import sentencepiece
import transformers
from sentencepiece import sentencepiece_model_pb2
from transformers import AlbertTokenizer, AutoTokenizer

MODEL, ANSWERS = "sentence_piece.model", "sentence_piece.json"
SYMBOLS = ["(", ")", '"', "-", ".", "–", "£", "€"]
# Digits, and pieces that ALBERT parts once more: so little text has hardly any.
NUMBERS = [(str(digit), -9.1 - digit / 7) for digit in range(10)]
NUMBERS += [("00", -10.7), ("▁1", -8.3), ("▁1,", -4.0), ("2,", -4.5), ("00,", -5.0), ("▁19,", -4.0), (",000", -5.0)]
PARTS = (
    "the", "The", " ", " ", " ", "well-known", "£", "10,000", "1,", "12,", "19,", "100,", "3,5", "²,", "é",
    "e\u0301", "É",
    "½", "ﬁ", "İ", "ΑΣ", "Σ", "ß", "Å", "한", "東京", "ไม่", "हि", "\u00a8", "\u00a0", "\u3000", "\t", "\u2028",
    "\x00", "\u200b", "\ufffd",
    "``", "''", "`", "'", "“", "…", "(", ")", '"', "-", "–", "€", "U.S.", "▁", "[MASK]", "[CLS]", "<unk>",
    "\U0001d7d8,", "٣,",
    "\U0001f600", "x", "ing", "000", "0000", "!!", "aaaa",
)  # fmt: skip
SENTENCES = (
    "She paid £10,000 for it, and 1,250 more in 1912.",
    "A well-known café (in Zürich) closed at 19, Rue de l'Église.",
    "``Quite so,'' he said; ''nothing else.''",
    "12, 112, 1,2,3, and 5,",
    "  two   spaces\tand a tab  ",
    "",
    " ",
)


def texts():
    rng = random.Random(1)
    return [*SENTENCES, *("".join(rng.choices(PARTS, k=rng.randrange(1, 9))) for _ in range(300))]


def learn(text_file):
    with open(text_file, encoding="utf-8") as file:
        lines = [" ".join(line.lower().split()) for line in file][:6000]
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(filter(None, lines)), model_writer=(writer := Written()), vocab_size=1200,
        model_type="unigram", pad_id=0, unk_id=1, bos_id=-1, eos_id=-1, pad_piece="<pad>", num_threads=1,
        control_symbols=["[CLS]", "[SEP]", "[MASK]"], user_defined_symbols=SYMBOLS, minloglevel=2,
    )  # fmt: skip
    model = sentencepiece_model_pb2.ModelProto.FromString(writer.content)
    model.trainer_spec.ClearField("input")
    known = {piece.piece for piece in model.pieces}
    for piece, score in NUMBERS:
        if piece not in known:
            model.pieces.add(piece=piece, score=score)
    return model.SerializeToString(deterministic=True)


class Written:
    def write(self, content):
        self.content = content


def published_ids():
    sys.modules["tensorflow"] = types.ModuleType("tensorflow")
    from albert import tokenization

    pieces = sentencepiece.SentencePieceProcessor(model_file=MODEL)
    return [tokenization.encode_ids(pieces, tokenization.preprocess_text(text, lower=True)) for text in texts()]


def saved(directory, tokenizer):
    """The files that transformers writes, without what the model has too, and the ids that they then give."""
    tokenizer.save_pretrained(directory)
    files = {}
    for name in ("tokenizer.json", "tokenizer_config.json"):
        with open(os.path.join(directory, name), encoding="utf-8") as file:
            files[name] = json.load(file)
    model = sentencepiece_model_pb2.ModelProto()
    with open(MODEL, "rb") as file:
        model.ParseFromString(file.read())
    scores = enumerate(files["tokenizer.json"]["model"]["vocab"])
    files["tokenizer.json"]["model"]["vocab"] = {i: s for i, (_, s) in scores if s != model.pieces[i].score}
    for step in files["tokenizer.json"]["normalizer"]["normalizers"]:
        if step["type"] == "Precompiled":
            step["precompiled_charsmap"] = ""
    ids = AutoTokenizer.from_pretrained(directory)(texts(), add_special_tokens=False)["input_ids"]
    return {"files": files, "ids": ids}


def main():
    version = transformers.__version__.split(".")[0]
    answers = {}
    if version == "4":
        with open(MODEL, "wb") as file:
            file.write(learn(sys.argv[1]))
        slow = AlbertTokenizer(MODEL)
        answers = {"texts": texts(), "published": published_ids()}
        answers["slow"] = [slow(text, add_special_tokens=False)["input_ids"] for text in texts()]
    else:
        with open(ANSWERS, encoding="utf-8") as file:
            answers = json.load(file)
    with tempfile.TemporaryDirectory() as directory:
        with open(MODEL, "rb") as source, open(os.path.join(directory, "spiece.model"), "wb") as target:
            target.write(source.read())
        with open(os.path.join(directory, "config.json"), "w") as file:
            json.dump({"model_type": "albert"}, file)
        tokenizer = AutoTokenizer.from_pretrained(directory)
        answers[f"saved by transformers {version}"] = saved(directory, tokenizer)
    with open(ANSWERS, "w", encoding="utf-8") as file:
        json.dump(answers, file, ensure_ascii=False, separators=(",", ":"))
        file.write("\n")


if __name__ == "__main__":
    main()
