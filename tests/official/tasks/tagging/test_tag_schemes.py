"""Tags and the entities that they spell."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from official.tasks.tagging.tag_schemes import (
    Entity,
    Scheme,
    convert,
    detect,
    parse_tag,
    read_entities,
    read_strictly,
    spell_entities,
    write_tags,
)

# One sentence with two neighbouring entities of a type: [x x] [x] O [y]
SPELLINGS = {
    Scheme.IOB1: "I-x I-x B-x O I-y",
    Scheme.IOB2: "B-x I-x B-x O B-y",
    Scheme.BIOES: "B-x E-x S-x O S-y",
    Scheme.BILOU: "B-x L-x U-x O U-y",
}
ENTITIES = [Entity("x", 0, 2), Entity("x", 2, 3), Entity("y", 4, 5)]


@pytest.mark.parametrize("scheme", SPELLINGS)
def test_every_scheme_spells_the_same_entities(scheme):
    labels = SPELLINGS[scheme].split()
    assert read_entities(labels) == ENTITIES
    assert write_tags(ENTITIES, 5, scheme) == labels
    assert detect([labels]) is scheme
    for other, spelling in SPELLINGS.items():
        assert convert(labels, other) == spelling.split()


def test_io_makes_neighbours_of_a_type_one():
    assert convert(SPELLINGS[Scheme.IOB2].split(), Scheme.IO) == "I-x I-x I-x O I-y".split()
    assert detect([["I-x", "O"]]) is Scheme.IO


CONLLEVAL = {  # As the scorer of CoNLL-2000 reads what obeys no scheme.
    "I- without B- begins an entity": ("O I-x I-x", [("x", 1, 3)]),
    "a change of type begins one": ("B-x I-y I-y", [("x", 0, 1), ("y", 1, 3)]),
    "B- begins one": ("B-x B-x I-x", [("x", 0, 1), ("x", 1, 3)]),
    "E- ends one": ("E-x I-x E-x E-x", [("x", 0, 1), ("x", 1, 3), ("x", 3, 4)]),
    "S- is one of its own": ("B-x S-x I-x", [("x", 0, 1), ("x", 1, 2), ("x", 2, 3)]),
    "types may hold hyphens": ("B-creative-work I-creative-work", [("creative-work", 0, 2)]),
    "nothing": ("O O", []),
}


@pytest.mark.parametrize("labels, entities", CONLLEVAL.values(), ids=CONLLEVAL)
def test_any_tags_are_read_as_conlleval_does(labels, entities):
    assert read_entities(labels.split()) == [Entity(*entity) for entity in entities]


STRICT = {
    "an I- without B-": (Scheme.IOB2, "O I-x B-y I-y I-x", [("y", 2, 4)]),
    "a B- without E-": (Scheme.BIOES, "B-x I-x O S-y B-y E-y", [("y", 3, 4), ("y", 4, 6)]),
    "an E- of another type": (Scheme.BIOES, "B-x E-y", []),
    "a U-": (Scheme.BILOU, "U-x I-x L-x", [("x", 0, 1)]),
}


@pytest.mark.parametrize("scheme, labels, entities", STRICT.values(), ids=STRICT)
def test_strictly_read_what_breaks_the_scheme_is_no_entity(scheme, labels, entities):
    assert read_strictly(labels.split(), scheme) == [Entity(*entity) for entity in entities]


def test_a_scheme_is_found_though_a_few_tags_break_it():
    assert detect([SPELLINGS[Scheme.IOB2].split()] * 9 + [["I-x"]]) is Scheme.IOB2
    assert detect([SPELLINGS[Scheme.IOB1].split()] * 9 + [["B-x"]]) is Scheme.IOB1
    assert detect([["O"], ["NOUN", "B-x"]]) is Scheme.PLAIN


def test_what_is_a_tag():
    assert parse_tag("O") == ("O", "") and parse_tag("B-a-b") == ("B", "a-b")
    assert [parse_tag(label) for label in ("B", "B-", "X-a", "NOUN", "", "o")] == [None] * 6
    assert spell_entities(["O", "I-x"])
    assert not spell_entities(["O"]) and not spell_entities(["O", "B-x", "NOUN"])


@st.composite
def sentences(draw):
    """Entities that don't overlap, in order, and the length of their sentence."""
    bounds = sorted(draw(st.sets(st.integers(0, 20))))
    found = []
    for start, end in zip(bounds, bounds[1:]):
        if draw(st.booleans()):
            found.append(Entity(draw(st.sampled_from("xy")), start, end))
    return found, 21


@given(sentences(), st.sampled_from([Scheme.IOB1, Scheme.IOB2, Scheme.BIOES, Scheme.BILOU]))
def test_entities_survive_being_written(sentence, scheme):
    entities, length = sentence
    labels = write_tags(entities, length, scheme)
    assert read_entities(labels) == entities
    if scheme is not Scheme.IOB1:
        assert read_strictly(labels, scheme) == entities


@given(st.lists(st.sampled_from([f"{letter}-{kind}" for letter in "BIESLU" for kind in "xy"] + ["O"])))
def test_any_tags_give_entities_that_cover_every_word_but_those_outside(labels):
    entities = read_entities(labels)
    covered = [position for entity in entities for position in range(entity.start, entity.end)]
    assert covered == [position for position, label in enumerate(labels) if label != "O"]
