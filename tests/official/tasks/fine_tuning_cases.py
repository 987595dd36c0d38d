"""Fine-tuning as the scripts do it, each on a few real examples: files of them, the task's run, and its head."""

import dataclasses
import functools
import json
import pathlib
import re
import zipfile
from collections.abc import Callable, Sequence

from official.tasks.classification.classification import Wanted, classify
from official.tasks.classification.classification_examples import Task
from official.tasks.classification.glue import glue_task
from official.tasks.classification.own_data import Columns, Table, own_data
from official.tasks.fine_tuning.fine_tuning_run import FineTuningRun
from official.tasks.squad import squad
from official.tasks.squad.squad_answers import SearchOptions
from official.tasks.squad.squad_features import WindowSize
from official.tasks.squad.squad_run import SquadRun
from official.tasks.tagging import tagging
from official.tasks.tagging.tagging_data import TaggingRun
from official.training.strategy import make_strategy

TRAIN, HELD_OUT = 32, 8  # Rows. In three epochs of 32 to 34 there are twelve batches of eight.
TAGGED = 18  # Sentences, which make 32 windows.
ENTITIES = ("corporation", "creative-work", "group", "location", "person", "product")  # Of WNUT 2017.
TAGS = ("O", *(f"{side}-{entity}" for entity in ENTITIES for side in "BI"))


@dataclasses.dataclass(frozen=True)
class Case:
    """A task of a script.

    Attributes:
        write: from the folder of real data to files in a directory, to train on and held out.
        run: trains on them, and predicts for those held out.
        head, labels, label_type: of the model.
        max_seq_length: so small that there are few lengths of batches, for each of which blocks are compiled.
    """

    write: Callable[[pathlib.Path, pathlib.Path], None]
    run: Callable[[FineTuningRun, pathlib.Path], None]
    head: str
    labels: tuple[str, ...] = ()
    label_type: str | None = None
    max_seq_length: int = 32


# === Real data ===


def write_tables(directory: pathlib.Path, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    for name, some in (("train", rows[:TRAIN]), ("dev", rows[TRAIN : TRAIN + HELD_OUT])):
        (directory / f"{name}.tsv").write_text("".join("\t".join(row) + "\n" for row in [header, *some]), "utf-8")


def write_polarity(data: pathlib.Path, directory: pathlib.Path) -> None:
    """Sentences on films, which like and dislike them by turns."""
    with zipfile.ZipFile(data / "movie_reviews" / "sentence_polarity.zip") as archive:
        sides = [archive.read(f"sentence_polarity/rt-polarity.{side}").decode().split("\n") for side in ("neg", "pos")]
    rows = [(line.strip(), label) for lines in zip(*sides) for line, label in zip(lines, ("bad", "good"))]
    write_tables(directory, ("sentence", "label"), rows)


def write_wnli(data: pathlib.Path, directory: pathlib.Path) -> None:
    lines = (data / "glue" / "WNLI" / "train.tsv").read_text("utf-8").split("\n")
    header, *rows = (line.split("\t") for line in lines[: 1 + TRAIN + HELD_OUT])
    write_tables(directory, header, rows)


def write_squad(file: str, questions: int, data: pathlib.Path, directory: pathlib.Path) -> None:
    """One question on each of the shorter paragraphs, now the first, now another: of v2.0, some have no answer."""
    articles = json.loads((data / "squad" / file).read_text("utf-8"))["data"]
    paragraphs = [found for article in articles for found in article["paragraphs"] if len(found["context"]) < 500]
    chosen = [
        paragraph | {"qas": [paragraph["qas"][number % len(paragraph["qas"])]]}
        for number, paragraph in enumerate(paragraphs[: questions + 2])
    ]
    for name, some in (("train", chosen[:questions]), ("dev", chosen[questions:])):
        (directory / f"{name}.json").write_text(json.dumps({"data": [{"title": file, "paragraphs": some}]}), "utf-8")


def sentences_with_entities(data: pathlib.Path) -> list[str]:
    """As they stand in the file, a word and its tag a line."""
    text = (data / "wnut17" / "wnut17train.conll").read_text("utf-8")
    return [sentence.strip() for sentence in re.split("\n\t?\n", text) if "\tB-" in sentence]


def write_tagged(data: pathlib.Path, directory: pathlib.Path) -> None:
    sentences = sentences_with_entities(data)
    for name, some in (("train", sentences[:TAGGED]), ("dev", sentences[TAGGED : TAGGED + HELD_OUT])):
        (directory / f"{name}.txt").write_text("\n\n".join(some) + "\n", "utf-8")


def write_counts(data: pathlib.Path, directory: pathlib.Path) -> None:
    """Sentences with what kinds of entities are in them, often several, and how many entities."""
    lines = []
    for sentence in sentences_with_entities(data):
        words, tags = zip(*(line.split("\t") for line in sentence.split("\n")))
        first = [tag[2:] for tag in tags if tag.startswith("B-")]
        lines.append(json.dumps({"text": " ".join(words), "kinds": sorted(set(first)), "count": len(first)}) + "\n")
    for name, some in (("train", lines[:TRAIN]), ("dev", lines[TRAIN : TRAIN + HELD_OUT])):
        (directory / f"{name}.jsonl").write_text("".join(some), "utf-8")


# === What the scripts do ===


def run_classifier(make_task: Callable[[str], Task], run: FineTuningRun, directory: pathlib.Path) -> None:
    classify(run, make_strategy("one_device"), make_task(str(directory)), Wanted(do_train=True, do_eval=True))


def wnli(directory: str) -> Task:
    return glue_task("wnli", directory, {})


def own(form: str, column: str, label_type: str, labels: Sequence[str] | None, directory: str) -> Task:
    columns, paths = Columns(label=column), {split: f"{directory}/{split}.{form}" for split in ("train", "dev", "test")}
    tables = {split: Table(path, form, columns, label_type == "multi") for split, path in paths.items()}
    return own_data(tables, label_type, labels)


def run_squad(with_negative: bool, run: FineTuningRun, directory: pathlib.Path) -> None:
    asked = SquadRun(
        train_file=str(directory / "train.json"),
        predict_file=str(directory / "dev.json"),
        window=WindowSize(run.max_seq_length, doc_stride=32, max_query_length=20),
        search=SearchOptions(version_2_with_negative=with_negative),
        do_train=True,
        do_predict=True,
    )
    squad.fine_tune(run, asked, make_strategy("one_device"))


def run_tagger(run: FineTuningRun, directory: pathlib.Path) -> None:
    asked = TaggingRun(train_file=str(directory / "train.txt"), eval_file=str(directory / "dev.txt"))
    tagging.run_tagging(run, asked, make_strategy("one_device"))


def _classifier(write: Callable, make_task: Callable, labels: tuple[str, ...], label_type: str = "single") -> Case:
    return Case(write, functools.partial(run_classifier, make_task), "sequence_classification", labels, label_type)


def _reader(file: str, questions: int, with_negative: bool) -> Case:
    """Of so many questions that there are 32 to 34 windows."""
    write, run = functools.partial(write_squad, file, questions), functools.partial(run_squad, with_negative)
    return Case(write, run, "question_answering", max_seq_length=64)


CASES = {
    "sentences": _classifier(write_polarity, functools.partial(own, "tsv", "label", "single", None), ("bad", "good")),
    "pairs": _classifier(write_wnli, wnli, ("0", "1")),
    "several_labels": _classifier(
        write_counts, functools.partial(own, "jsonl", "kinds", "multi", ENTITIES), ENTITIES, label_type="multi"
    ),
    "numbers": _classifier(
        write_counts, functools.partial(own, "jsonl", "count", "regression", None), ("value",), label_type="regression"
    ),
    "squad_1": _reader("xquad.en.json", questions=11, with_negative=False),
    "squad_2": _reader("dev-v2.0-cs224n.json", questions=11, with_negative=True),
    "tags": Case(write_tagged, run_tagger, "token_classification", TAGS),
}
