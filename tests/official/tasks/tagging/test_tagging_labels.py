"""Which labels a tagger knows, and which it refuses."""

import pytest

from official.errors import InputError
from official.tasks.tagging import conll, tagging_labels
from official.tasks.tagging.tag_schemes import Scheme


@pytest.fixture
def file_of(tmp_path):
    def make(*labels):
        path = tmp_path / "file.txt"
        path.write_text("".join(f"word\t{label}\n" for label in labels))
        return conll.read(str(path))

    return make


def test_labels_are_given_in_a_flag_or_in_a_file(tmp_path):
    assert tagging_labels.labels_of_flag("O, B-x,I-x") == ("O", "B-x", "I-x")
    path = tmp_path / "labels.txt"
    path.write_text(",\n.\nNN\n\n")
    assert tagging_labels.labels_of_flag(str(path)) == (",", ".", "NN")
    for value, message in (("O,O", "'O' is given twice"), (",", "names no label")):
        with pytest.raises(InputError, match=message):
            tagging_labels.labels_of_flag(value)


def test_o_comes_first_and_the_others_are_sorted():
    assert tagging_labels.in_order(["I-x", "B-x", "O", "B-a", "O"]) == ("O", "B-a", "B-x", "I-x")


def test_the_labels_show_the_task():
    assert tagging_labels.task_of(["O", "B-x"]) == "ner"
    assert tagging_labels.task_of(["NOUN", "X"]) == tagging_labels.task_of(["O"]) == "pos"


def test_files_in_another_scheme_are_converted_and_those_in_the_same_are_left_alone(file_of):
    assert tagging_labels.labels_in(file_of("I-x", "O", "B-x"), "ner", Scheme.IOB2) == [["I-x", "O", "B-x"]]
    assert tagging_labels.labels_in(file_of("S-x", "O"), "ner", Scheme.IOB2) == [["B-x", "O"]]
    assert tagging_labels.labels_in(file_of("B-x", "I-x"), "ner", Scheme.BIOES) == [["B-x", "E-x"]]
    assert tagging_labels.labels_in(file_of("B-x", "NN"), "pos", Scheme.PLAIN) == [["B-x", "NN"]]


def test_what_is_no_tag_or_not_known_is_named_with_its_line(file_of):
    with pytest.raises(InputError, match=r"file.txt:2: 'PER' is no tag"):
        tagging_labels.labels_in(file_of("B-x", "PER"), "ner")
    with pytest.raises(InputError, match=r"file.txt:2: the label is empty"):
        conll_file = file_of("B-x", "O")
        conll_file.sentences[0].labels[1] = ""
        tagging_labels.labels_in(conll_file, "ner")
    file = file_of("B-x", "B-y")
    with pytest.raises(InputError, match=r"file.txt:2: the label 'B-y' is not among the 2 of the model \(O, B-x\)"):
        tagging_labels.check_known(file, tagging_labels.labels_in(file, "ner"), ["O", "B-x"])


def test_a_directory_of_a_run_with_other_labels_is_not_used_for_another(tmp_path):
    tagging_labels.write_labels(["O", "B-x"], str(tmp_path))
    tagging_labels.write_labels(["O", "B-x"], str(tmp_path))
    assert tagging_labels.read_labels(str(tmp_path)) == ("O", "B-x")
    with pytest.raises(InputError, match="another --output_dir was expected"):
        tagging_labels.write_labels(["O", "B-y"], str(tmp_path))
