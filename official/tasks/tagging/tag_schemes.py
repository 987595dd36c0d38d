"""How tags of words spell entities: IOB1, IOB2, BIOES (and BILOU, the same with other letters), IO; or not at all.

A tag is `O`, outside of any entity, or a letter, a hyphen and the entity's type: `B-person`. Entities are read in two
ways. `read_entities` takes any sequence, as the CoNLL-2000 scorer conlleval does; `read_strictly` takes only what obeys
the scheme.
"""

import enum
import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

OUTSIDE = "O"
_TAG = re.compile(r"([BIESLU])-(.+)", re.DOTALL)
_SINGLE_OR_LAST = frozenset("ESLU")


class Scheme(enum.Enum):
    """What the letters mean.

    - IOB1 (Ramshaw and Marcus 1995): `I-` everywhere; `B-` only where an entity follows another of its type.
    - IOB2: `B-` begins every entity.
    - BIOES: `B-` … `E-` for entities of several words, `S-` for those of one.
    - BILOU: the same, with `L-` and `U-`.
    - IO: `I-` everywhere: neighbours of one type are one entity.
    - PLAIN: labels that spell no entities, such as parts of speech.
    """

    IOB1 = "iob1"
    IOB2 = "iob2"
    BIOES = "bioes"
    BILOU = "bilou"
    IO = "io"
    PLAIN = "plain"


class Entity(NamedTuple):
    """Words [start, end) of a sentence."""

    type: str
    start: int
    end: int


class Tag(NamedTuple):
    """`B-person` in two parts; the letter is `O`, and the type empty, outside of entities."""

    letter: str
    type: str


def parse_tag(label: str) -> Tag | None:
    """None for a label that spells no entity."""
    if label == OUTSIDE:
        return Tag(OUTSIDE, "")
    match = _TAG.fullmatch(label)
    return Tag(*match.groups()) if match else None


def spell_entities(labels: Iterable[str]) -> bool:
    """Whether labels are tags, and one of them at least is of an entity."""
    tags = [parse_tag(label) for label in set(labels)]
    return None not in tags and any(tag.letter != OUTSIDE for tag in tags)


def _tags(labels: Sequence[str]) -> list[Tag]:
    """What is no tag counts as outside."""
    return [parse_tag(label) or Tag(OUTSIDE, "") for label in labels]


def read_entities(labels: Sequence[str]) -> list[Entity]:
    """The entities of a sentence, as conlleval reads them: every tag but `O` belongs to one.

    An entity begins where the type changes, at `B` and `S`, after `E` and `S`, and at any tag that follows `O`.
    """
    entities, start, previous = [], 0, Tag(OUTSIDE, "")
    for position, tag in enumerate([*_tags(labels), Tag(OUTSIDE, "")]):
        if _begins(tag, previous) or tag.letter == OUTSIDE:
            if previous.letter != OUTSIDE:
                entities.append(Entity(previous.type, start, position))
            start = position
        previous = tag
    return entities


def _begins(tag: Tag, previous: Tag) -> bool:
    return tag.letter != OUTSIDE and (
        previous.type != tag.type or tag.letter in "BSU" or previous.letter in _SINGLE_OR_LAST
    )


def read_strictly(labels: Sequence[str], scheme: Scheme) -> list[Entity]:
    """The entities of a sentence that are spelt as IOB2, BIOES or BILOU demand; what is not is no entity.

    The same as seqeval's strict mode.
    """
    if scheme not in STRICT:
        raise ValueError(f"{scheme.name} has no strict reading")
    marked = scheme is not Scheme.IOB2  # Entities carry a mark at their end.
    tags, entities, position = [*_tags(labels), Tag(OUTSIDE, "")], [], 0
    while position < len(labels):
        tag, start = tags[position], position
        position += 1
        if tag.letter not in "BSU":
            continue
        while tags[position].type == tag.type and _goes_on(tags[position - 1].letter, tags[position].letter):
            position += 1
        if not marked or tags[position - 1].letter in _SINGLE_OR_LAST:
            entities.append(Entity(tag.type, start, position))
    return entities


def _goes_on(letter: str, following: str) -> bool:
    return letter in "BI" and following in "IEL"


STRICT = frozenset({Scheme.IOB2, Scheme.BIOES, Scheme.BILOU})


def write_tags(entities: Iterable[Entity], length: int, scheme: Scheme) -> list[str]:
    """The tags of a sentence of so many words; the entities don't overlap and are in order."""
    tags, previous = [OUTSIDE] * length, None
    for entity in entities:
        after_its_like = previous is not None and (previous.type, previous.end) == (entity.type, entity.start)
        letters = _letters(entity.end - entity.start, scheme, after_its_like)
        tags[entity.start : entity.end] = [f"{letter}-{entity.type}" for letter in letters]
        previous = entity
    return tags


def _letters(length: int, scheme: Scheme, after_its_like: bool) -> str:
    if scheme in (Scheme.BIOES, Scheme.BILOU):
        single, last = "SE" if scheme is Scheme.BIOES else "UL"
        return single if length == 1 else "B" + "I" * (length - 2) + last
    begins = scheme is Scheme.IOB2 or (scheme is Scheme.IOB1 and after_its_like)
    return ("B" if begins else "I") + "I" * (length - 1)


def convert(labels: Sequence[str], scheme: Scheme) -> list[str]:
    """The same entities, as `read_entities` reads them, in another scheme."""
    return write_tags(read_entities(labels), len(labels), scheme)


def detect(sentences: Iterable[Sequence[str]]) -> Scheme:
    """The scheme of labelled sentences.

    Between IOB1 and IOB2 the one decides that fewer tags break: in IOB2 an `I-` that begins an entity, in IOB1 a `B-`
    that does not follow an entity of its type.
    """
    letters, broken = set(), {Scheme.IOB1: 0, Scheme.IOB2: 0}
    for labels in sentences:
        previous = Tag(OUTSIDE, "")
        for label in labels:
            tag = parse_tag(label)
            if tag is None:
                return Scheme.PLAIN
            letters.add(tag.letter)
            broken[Scheme.IOB2] += tag.letter == "I" and previous.type != tag.type
            broken[Scheme.IOB1] += tag.letter == "B" and previous.type != tag.type
            previous = tag
    return _scheme_of(letters, broken)


def _scheme_of(letters: set[str], broken: dict[Scheme, int]) -> Scheme:
    if letters & {"L", "U"}:
        return Scheme.BILOU
    if letters & {"E", "S"}:
        return Scheme.BIOES
    if "B" in letters:
        return Scheme.IOB1 if broken[Scheme.IOB1] < broken[Scheme.IOB2] else Scheme.IOB2
    return Scheme.IO if "I" in letters else Scheme.PLAIN
