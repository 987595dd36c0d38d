"""Makes the training and evaluation files of the six comparisons from the folder of real data.

    python -m benchmarks.fine_tuning.prepare_data --data_dir=../shared/data --output_dir=fine_tuning_data

The same files every time: where a set has no split of its own, the hash of a sentence, question or title decides.
Prints how many examples each file holds, and what always giving the commonest answer would score.
"""

import collections
import gzip
import hashlib
import io
import json
import os
import zipfile
from collections.abc import Callable, Iterable

from absl import flags

from official import command_line, files

FLAGS = flags.FLAGS

flags.DEFINE_string("data_dir", "../shared/data", "The folder of real data, each set in a folder of its own.")
flags.DEFINE_string("output_dir", None, "Where the files are written, in a folder for each comparison.")

POLARITY_EVALUATION = 0.1  # Of the sentences.
QNLI_EVALUATION = 0.5  # Of the questions: the set is small, and its halves are what the issue asks for.
SQUAD_EVALUATION_ARTICLES = 4  # Of 16.

Rows = list[tuple[str, ...]]


def hash_fraction(text: str) -> float:
    """A number in [0, 1) that depends on the text alone, evenly spread."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") / 2**64


def split_by_hash(rows: Rows, key: Callable[[tuple[str, ...]], str], evaluation: float) -> tuple[Rows, Rows]:
    """Training and evaluation rows; rows of one key stay together, and about the share `evaluation` is held out."""
    held_out = [hash_fraction(key(row)) < evaluation for row in rows]
    return (
        [row for row, out in zip(rows, held_out) if not out],
        [row for row, out in zip(rows, held_out) if out],
    )


def split_by_article(squad: dict, evaluation_articles: int) -> tuple[dict, dict]:
    """Whole articles: those whose titles have the smallest hashes are held out."""
    by_hash = sorted(squad["data"], key=lambda article: hash_fraction(article["title"]))
    held_out = {article["title"] for article in by_hash[:evaluation_articles]}
    return (
        squad | {"data": [article for article in squad["data"] if article["title"] not in held_out]},
        squad | {"data": [article for article in squad["data"] if article["title"] in held_out]},
    )


def with_first_answers(squad: dict) -> dict:
    """The same questions with one answer each at most, as SQuAD's training files have them (run_squad.py:262)."""
    squad = json.loads(json.dumps(squad))
    for question in questions_of(squad):
        question["answers"] = question["answers"][:1]
    return squad


def questions_of(squad: dict) -> list[dict]:
    """All `qas` of a SQuAD file, in its order."""
    return [
        question for article in squad["data"] for paragraph in article["paragraphs"] for question in paragraph["qas"]
    ]


def prepare_polarity(read: "Source", write: "Target") -> None:
    """Pang and Lee's sentences, positive and negative: SST-2 was made from them."""
    rows = []
    with zipfile.ZipFile(io.BytesIO(read.bytes("movie_reviews/sentence_polarity.zip"))) as archive:
        for label, suffix in (("negative", "neg"), ("positive", "pos")):
            text = archive.read(f"sentence_polarity/rt-polarity.{suffix}").decode()
            rows += [(line.strip(), label) for line in text.split("\n") if line.strip()]
    train, evaluation = split_by_hash(rows, lambda row: row[0], POLARITY_EVALUATION)
    write.table("polarity/train.tsv", ("sentence", "label"), train)
    write.table("polarity/dev.tsv", ("sentence", "label"), evaluation)


def prepare_qnli(read: "Source", write: "Target") -> None:
    """GLUE's development set alone, since its training set is not at hand: no question is in both halves."""
    header, *rows = (tuple(line.split("\t")) for line in read.text("glue/QNLI/dev.tsv").strip("\n").split("\n"))
    train, evaluation = split_by_hash(rows, lambda row: row[1], QNLI_EVALUATION)
    write.table("qnli/train.tsv", header, train)
    write.table("qnli/dev.tsv", header, evaluation)


def prepare_wiki_to_xquad(read: "Source", write: "Target") -> None:
    """SQuADShifts' new Wikipedia questions to learn from, XQuAD's English ones (of other articles) to be asked."""
    write.squad("wiki_to_xquad/train.json", with_first_answers(json.loads(read.text("squadshifts/new_wiki_v1.0.json"))))
    write.squad("wiki_to_xquad/dev.json", json.loads(read.text("squad/xquad.en.json")))


def prepare_squad_2(read: "Source", write: "Target") -> None:
    """Half of SQuAD 2.0's development set, where half of the questions have no answer."""
    squad = json.loads(read.text("squad/dev-v2.0-cs224n.json"))
    train, evaluation = split_by_article(squad, SQUAD_EVALUATION_ARTICLES)
    write.squad("squad_2/train.json", with_first_answers(train))
    write.squad("squad_2/dev.json", evaluation)


def prepare_wnut(read: "Source", write: "Target") -> None:
    """Emerging entities as they are; the test set is what others report."""
    write.columns("wnut17/train.conll", read.text("wnut17/wnut17train.conll"), label_column=1)
    write.columns("wnut17/test.conll", read.text("wnut17/emerging.test.annotated"), label_column=1)


def prepare_ud(read: "Source", write: "Target") -> None:
    """The English Web Treebank as it is, for its parts of speech."""
    train = gzip.decompress(read.bytes("ud_english_ewt/en_ewt-ud-train.conllu.gz")).decode()
    write.columns("ud_pos/train.conllu", train, label_column=3)
    write.columns("ud_pos/test.conllu", read.text("ud_english_ewt/en_ewt-ud-test.conllu"), label_column=3)


class Source:
    """The folder of real data."""

    def __init__(self, directory: str):
        self.directory = directory

    def bytes(self, name: str) -> bytes:
        with files.open_file(os.path.join(self.directory, name), "rb") as file:
            return file.read()

    def text(self, name: str) -> str:
        return self.bytes(name).decode()


class Target:
    """The folder that is written; prints a line for each file."""

    def __init__(self, directory: str):
        self.directory = directory

    def table(self, name: str, header: tuple[str, ...], rows: Rows) -> None:
        """Tab-separated, with a header; the label is the last column."""
        self._write(name, "".join("\t".join(row) + "\n" for row in [header, *rows]))
        self._tell(name, "rows", (row[-1] for row in rows))

    def squad(self, name: str, squad: dict) -> None:
        self._write(name, json.dumps(squad, ensure_ascii=False) + "\n")
        answerable = ("no answer" if question.get("is_impossible") else "an answer" for question in questions_of(squad))
        self._tell(name, "questions", answerable)

    def columns(self, name: str, text: str, label_column: int) -> None:
        """One word a line, kept byte for byte."""
        self._write(name, text)
        lines = (line.split("\t") for line in text.split("\n") if line.strip())
        self._tell(name, "words", (line[label_column] for line in lines if len(line) == 2 or line[0].isdigit()))

    def _write(self, name, text):
        path = os.path.join(self.directory, name)
        files.make_directory(os.path.dirname(path))
        with files.write_whole(path) as file:
            file.write(text)

    @staticmethod
    def _tell(name: str, unit: str, labels: Iterable[str]) -> None:
        counts = collections.Counter(labels)
        (commonest, number), total = counts.most_common(1)[0], counts.total()
        print(f"{name:24}{total:>9,} {unit:10}always {commonest!r}: {number / total:.1%}")


PREPARATIONS = (prepare_polarity, prepare_qnli, prepare_wiki_to_xquad, prepare_squad_2, prepare_wnut, prepare_ud)


def main():
    command_line.require(FLAGS, "output_dir")
    source, target = Source(FLAGS.data_dir), Target(FLAGS.output_dir)
    for prepare in PREPARATIONS:
        prepare(source, target)


if __name__ == "__main__":
    command_line.run(main)
