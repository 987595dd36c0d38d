"""SQuAD's files, v1.1 and v2.0: contexts with questions are read, answers are written."""

import codecs
import dataclasses
import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from official import files
from official.errors import InputError

LISTED = 5  # So many ids are named where many questions are spoken of.
_OTHER_ENCODINGS = (
    codecs.BOM_UTF16_LE,
    codecs.BOM_UTF16_BE,
    codecs.BOM_UTF32_BE,
)  # UTF-32-LE begins as UTF-16-LE does.
_KINDS = {str: "a string", list: "a list", dict: "an object", int: "a whole number", bool: "true or false"}


@dataclasses.dataclass(frozen=True, slots=True)
class Answer:
    """What an annotator marked: `text` is at character `start` of the context, if the file is right."""

    text: str
    start: int


@dataclasses.dataclass(frozen=True, slots=True)
class Question:
    """A question on a context.

    Attributes:
        id: a number in the file becomes its digits, as it does as a key of the predictions.
        text: may be empty.
        context: index of the context.
        answers: None where the file says nothing of answers.
        is_impossible: None where the file does not say.
        place: where it stands in the file, for messages.
    """

    id: str
    text: str
    context: int
    answers: tuple[Answer, ...] | None = None
    is_impossible: bool | None = None
    place: str = ""


@dataclasses.dataclass(frozen=True)
class SquadFile:
    """Contexts, and the questions on them in the order of the file."""

    path: str
    contexts: list[str]
    questions: list[Question]


def read_squad(path: str) -> SquadFile:
    """Reads a file of SQuAD v1.1 or v2.0; answers may be absent.

    Bytes that are not UTF-8 are left out and counted, ids that come twice are named: in one line each, on stderr.

    Raises:
        InputError: there is no such file, or it is not SQuAD's: the message names the field.
    """
    try:
        values = json.loads(_read_text(path))
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: not JSON: {error}") from error
    contexts, questions = [], []
    try:
        for place, paragraph in _paragraphs(values):
            contexts.append(_field(paragraph, place, "context", str))
            for number, question in enumerate(_field(paragraph, place, "qas", list)):
                questions.append(_question(question, f"{place}.qas[{number}]", len(contexts) - 1))
    except _Unlike as error:
        raise InputError(f"{path}: {error}: not a SQuAD file") from None
    if not questions:
        raise InputError(f"{path}: holds no question")
    _tell_of_repeated_ids(path, questions)
    return SquadFile(path, contexts, questions)


def _read_text(path: str) -> str:
    with files.open_file(path, "rb") as file:
        try:
            raw = file.read()
        except OSError as error:
            raise InputError(f"{path}: {files.describe_os_error(error)}") from error
    if raw.startswith(_OTHER_ENCODINGS):
        raise InputError(f"{path}: is UTF-16 or UTF-32, UTF-8 was expected")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("utf-8-sig", errors="ignore")
        print(f"note: {path}: bytes that are not UTF-8 were left out: {_lost_bytes(raw, text)}", file=sys.stderr)
        return text


def _lost_bytes(raw: bytes, text: str) -> int:
    return len(raw.removeprefix(b"\xef\xbb\xbf")) - len(text.encode())


class _Unlike(Exception):
    """A field that SQuAD's files have is not as they have it."""


def _paragraphs(values: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for article, entry in enumerate(_field(values, "", "data", list)):
        place = f"data[{article}]"
        for number, paragraph in enumerate(_field(entry, place, "paragraphs", list)):
            yield f"{place}.paragraphs[{number}]", paragraph


def _question(values: Any, place: str, context: int) -> Question:
    return Question(
        id=_id(values, place),
        text=_field(values, place, "question", str),
        context=context,
        answers=_answers(values, place) if "answers" in values else None,
        is_impossible=_field(values, place, "is_impossible", bool) if "is_impossible" in values else None,
        place=place,
    )


def _id(values: Any, place: str) -> str:
    kind = int if isinstance(values, dict) and type(values.get("id")) is int else str
    return str(_field(values, place, "id", kind))


def _answers(values: Mapping[str, Any], place: str) -> tuple[Answer, ...]:
    answers = []
    for number, answer in enumerate(_field(values, place, "answers", list)):
        inside = f"{place}.answers[{number}]"
        answers.append(Answer(_field(answer, inside, "text", str), _field(answer, inside, "answer_start", int)))
    return tuple(answers)


def _field(values: Any, place: str, name: str, kind: type) -> Any:
    """A member of an object, of the type it has in SQuAD's files."""
    if not isinstance(values, dict):
        raise _Unlike(f"{place or 'the whole'} is {_spell(values)}, an object with {name!r} was expected")
    where = f"{place}.{name}".removeprefix(".")
    if name not in values:
        raise _Unlike(f"{where} is missing")
    if type(values[name]) is not kind:  # In Python True is a whole number.
        raise _Unlike(f"{where} is {_spell(values[name])}, {_KINDS[kind]} was expected")
    return values[name]


def _spell(value: Any) -> str:
    if isinstance(value, (dict, list)):
        return _KINDS[type(value)]
    return json.dumps(value[:40] if isinstance(value, str) else value)[:60]


def _tell_of_repeated_ids(path: str, questions: Iterable[Question]) -> None:
    repeated = [name for name, count in Counter(question.id for question in questions).items() if count > 1]
    if repeated:
        print(f"note: {path}: ids that come more than once, the last counts: {name_some(repeated)}", file=sys.stderr)


def name_some(ids: list[str]) -> str:
    """How many they are, and the first of them."""
    more = ", …" if len(ids) > LISTED else ""
    return f"{len(ids)} ({', '.join(name[:40] for name in ids[:LISTED])}{more})"


def write_json(path: str, members: Iterable[tuple[str, Any]]) -> None:
    """Writes an object as the original does, `json.dumps(…, indent=4)` and a line end, a member at a time.

    Raises:
        InputError: the file can't be written.
    """
    with files.write_whole(path) as file:
        opening = "{"
        for name, value in members:
            # Line ends inside of strings are escaped: each that is left begins a line to be indented.
            spelt = json.dumps(value, indent=4).replace("\n", "\n    ")
            file.write(f"{opening}\n    {json.dumps(name)}: {spelt}")
            opening = ","
        file.write("{}\n" if opening == "{" else "\n}\n")
