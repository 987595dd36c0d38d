"""Every source becomes lines with an empty one between documents, or a clear error."""

import json
import re

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data_prep.documents import Stretch, TextSource, as_lines, jsonl_documents, open_source, stretch_lines, text_lines
from official.errors import InputError


def write(path, text):
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return str(path)


def documents(lines):
    """Groups lines into documents."""
    groups = [[]]
    for line in lines:
        if line:
            groups[-1].append(line)
        else:
            groups.append([])
    return [group for group in groups if group]


def test_a_document_goes_on_over_the_end_of_a_file(tmp_path):
    paths = [write(tmp_path / "1", "a b\n\n c \nd"), write(tmp_path / "2", "e\r\n \t\nf\n")]
    assert documents(text_lines(map(Stretch, paths))) == [["a b"], ["c", "d", "e"], ["f"]]


def test_undecodable_bytes_are_dropped_and_other_line_separators_do_not_split(tmp_path):
    path = write(tmp_path / "1", b"a\xff\xc3(b\n" + "c\u2028d\x85e\x0bf\rg\n".encode())
    assert list(text_lines([Stretch(path)])) == ["a(b", "c\u2028d\x85e\x0bf\rg"]


def test_running_text_is_split_only_when_asked(tmp_path):
    path = write(tmp_path / "1", "One. Two.\nThree.\n\nFour.")
    assert documents(open_source(TextSource(path)).lines) == [["One. Two.", "Three."], ["Four."]]
    assert documents(open_source(TextSource(path, splitting=True)).lines) == [["One.", "Two.", "Three."], ["Four."]]


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]))))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_jsonl_gives_back_the_texts(tmp_path, texts):
    lines = [json.dumps({"id": k, "body": text}, ensure_ascii=k % 2 == 0) for k, text in enumerate(texts)]
    path = write(tmp_path / "1.jsonl", "\n\n".join(lines))
    assert list(jsonl_documents([Stretch(path)], "body")) == texts


@given(st.binary())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_jsonl_of_any_bytes_is_read_or_refused_with_file_and_line(tmp_path, data):
    path = write(tmp_path / "1.jsonl", data)
    try:
        assert all(isinstance(text, str) for text in jsonl_documents([Stretch(path)], "text"))
    except InputError as error:
        assert str(error).startswith(f"{path}:")


@pytest.mark.parametrize(
    "line, message",
    [
        ('{"text": "a"', "not a JSON object"),
        ("[1]", "found a JSON list, expected an object"),
        ("3", "found a JSON int"),
        ('{"title": "x"}', "no field 'text' (there are: 'title')"),
        ("{}", "there are: none"),
        ('{"text": null}', "is NoneType, expected a string"),
        ("[" * 100_000, "not a JSON object"),
    ],
)
def test_a_bad_jsonl_line_is_named(tmp_path, line, message):
    path = write(tmp_path / "1.jsonl", '{"text": "good"}\n\n' + line)
    with pytest.raises(InputError) as error:
        list(jsonl_documents([Stretch(path)], "text"))
    assert f"{path}:3: " in str(error.value) and message in str(error.value)


def test_a_jsonl_document_is_split_into_sentences_unless_told_otherwise(tmp_path):
    path = write(tmp_path / "1.jsonl", '{"text": "One. Two.\\n\\nThree."}\n{"text": "Four."}')
    assert list(open_source(TextSource(path, "jsonl")).lines) == ["One.", "Two.", "Three.", "", "Four.", ""]
    assert list(open_source(TextSource(path, "jsonl", splitting=False)).lines) == [
        "One. Two.",
        "Three.",
        "",
        "Four.",
        "",
    ]


def test_lines_of_documents_have_no_empty_line_inside():
    assert list(as_lines(["a\n\n \nb", "", "c"], splitting=False)) == ["a", "b", "", "", "c", ""]


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"input_file": None}, "no file is given"),
        ({"input_file": "absent*"}, "no file matches 'absent*'"),
        ({"input_file": "x", "tfds_name": "y"}, "only one of them"),
    ],
)
def test_a_missing_source_is_refused(arguments, message):
    with pytest.raises(InputError, match=message.replace("*", r"\*")):
        open_source(TextSource(**arguments))


def test_a_directory_is_refused(tmp_path):
    with pytest.raises(InputError, match="is a directory"):
        open_source(TextSource(str(tmp_path)))


@pytest.fixture(scope="module")
def tfds_data_dir(tmp_path_factory):
    """A small data set prepared on this machine, in several files."""
    import tensorflow_datasets as tfds

    class LocalNovels(tfds.core.GeneratorBasedBuilder):
        VERSION = tfds.core.Version("1.0.0")

        def _info(self):
            text, year = tfds.features.Text(), tfds.features.Scalar(np.int32)
            features = {"text": text, "meta": {"title": text}, "year": year}
            return tfds.core.DatasetInfo(builder=self, features=tfds.features.FeaturesDict(features))

        def _split_generators(self, dl_manager):
            return {"train": self._generate_examples(0, 5), "test": self._generate_examples(5, 7)}

        def _generate_examples(self, first, end):
            for k in range(first, end):
                yield k, {"text": f"Text {k}. Ende é.", "meta": {"title": f"Title {k}."}, "year": k}

    data_dir = tmp_path_factory.mktemp("tfds")
    LocalNovels(data_dir=data_dir).download_and_prepare()
    return str(data_dir)


@pytest.mark.parametrize(
    "name, feature, expected",
    [
        ("local_novels", "text", {f"Text {k}." for k in range(5)}),
        ("local_novels:test", "text", {"Text 5.", "Text 6."}),
        ("local_novels:test", "meta/title", {"Title 5.", "Title 6."}),
        ("local_novels:train[:2]", "text", None),
    ],
)
def test_tfds_examples_are_documents(tfds_data_dir, name, feature, expected):
    flags = {"tfds_name": name, "tfds_text_feature": feature, "tfds_data_dir": tfds_data_dir}
    lines = list(open_source(TextSource(None, **flags)).lines)
    found = {document[0] for document in documents(lines)}
    assert found == expected if expected else len(found) == 2
    assert lines == list(open_source(TextSource(None, **flags)).lines)


@pytest.mark.parametrize(
    "name, feature, message",
    [
        ("local_novels:absent", "text", "--tfds_name=local_novels:absent"),
        ("no_such_data_set", "text", "no_such_data_set"),
        ("local_novels", "body", "has no feature 'body' (there are: meta, text, year)"),
        ("local_novels", "year", "is not a text"),
        ("local_novels", "text/x", "has no feature 'text/x'"),
    ],
)
def test_a_bad_tfds_name_or_feature_is_refused(tfds_data_dir, name, feature, message):
    with pytest.raises(InputError) as error:
        source = TextSource(tfds_name=name, tfds_text_feature=feature, tfds_data_dir=tfds_data_dir)
        list(open_source(source).lines)
    assert message in str(error.value) and "\n" not in str(error.value)


@given(st.binary(max_size=60), st.integers(1, 12))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_line_is_in_one_of_the_stretches_that_make_up_a_file(tmp_path, data, size):
    path = write(tmp_path / "1", data)
    stretches = [Stretch(path, start, start + size) for start in range(0, len(data), size)]
    lines = [line for stretch in stretches for line in stretch_lines(stretch)]
    assert lines == list(stretch_lines(Stretch(path)))
    assert lines == [line.decode("utf-8", "ignore") for line in re.findall(rb"[^\n]*\n|[^\n]+", data)]


def test_a_bad_object_is_named_by_its_line_in_the_file(tmp_path):
    path = write(tmp_path / "1.jsonl", '{"text": "a"}\n\n{"text": "b"}\n[]\n')
    with pytest.raises(InputError, match=r"1\.jsonl:4: found a JSON list"):
        list(jsonl_documents([Stretch(path, 20, 40)], "text"))
