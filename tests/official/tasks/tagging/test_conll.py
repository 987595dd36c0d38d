"""Files of one word a line: what is read, what is refused, what is written."""

import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from official.errors import InputError
from official.tasks.tagging import conll

CONLL_2003 = """-DOCSTART- -X- -X- O

EU NNP B-NP B-ORG
rejects VBZ B-VP O

Peter NNP B-NP B-PER
Blackburn NNP I-NP I-PER

-DOCSTART- -X- -X- O

# NN B-NP O
"""
WNUT = "@paul\tO\n#fun\tO\nEmpire\tB-location\n\t\n:\tO\n  \nEnd\tO"
CONLL_U = """# newdoc id = a
# sent_id = 1
1-2\tvámonos\t_\t_\t_\t_\t_\t_\t_\t_
1\tvamos\tir\tVERB\tV\t_\t0\troot\t_\t_
2\tnos\tnosotros\tPRON\tP\t_\t1\tobj\t_\t_
2.1\tnada\tnada\tPRON\tP\t_\t_\t_\t1:obj\t_
3\t10 000\t10 000\tNUM\tZ\t_\t1\tobj\t_\t_

# sent_id = 2
# newdoc
1\t#\t#\tSYM\t#\t_\t0\troot\t_\t_

"""
KLUE = (
    "## 주석 : ##\n## 컬럼명 : CHAR\tNE_TAG\n## dev_0\t<경찰:OG>은\n"
    "경\tB-OG\n찰\tI-OG\n \tO\n#\tO\n\n## dev_1\ta\n가\tO\n"
)


def read(text, tmp_path, *arguments, name="file.txt", **options):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return conll.read(str(path), *arguments, **options)


def words_and_labels(file):
    return [list(zip(sentence.words, sentence.labels or [None] * len(sentence.words))) for sentence in file.sentences]


def test_conll_2003_has_four_columns_and_documents(tmp_path):
    file = read(CONLL_2003, tmp_path)
    assert words_and_labels(file) == [
        [("EU", "B-ORG"), ("rejects", "O")],
        [("Peter", "B-PER"), ("Blackburn", "I-PER")],
        [("#", "O")],
    ]
    assert [sentence.begins_document for sentence in file.sentences] == [True, False, True]
    assert file.marks_documents
    assert file.place(1, 1).endswith("file.txt:7")


def test_other_columns_can_be_asked_for(tmp_path):
    file = read(CONLL_2003, tmp_path, 0, 1)
    assert words_and_labels(file)[0] == [("EU", "NNP"), ("rejects", "VBZ")]
    assert words_and_labels(read(CONLL_2003, tmp_path, -4, -2))[0] == [("EU", "B-NP"), ("rejects", "B-VP")]


def test_wnut_has_tabs_even_on_its_blank_lines_and_words_that_begin_with_a_hash(tmp_path):
    file = read(WNUT, tmp_path)
    assert words_and_labels(file) == [
        [("@paul", "O"), ("#fun", "O"), ("Empire", "B-location")],
        [(":", "O")],
        [("End", "O")],
    ]
    assert not file.marks_documents


@pytest.mark.parametrize("pack", [str.encode, lambda text: gzip.compress(text.encode())], ids=["plain", "gzip"])
def test_conll_u_has_form_and_upos_and_passes_over_what_is_no_word(tmp_path, pack):
    file = read(pack(CONLL_U), tmp_path)
    assert words_and_labels(file) == [[("vamos", "VERB"), ("nos", "PRON"), ("10 000", "NUM")], [("#", "SYM")]]
    assert [sentence.begins_document for sentence in file.sentences] == [True, True]


def test_conll_u_gives_xpos_when_asked(tmp_path):
    assert words_and_labels(read(CONLL_U, tmp_path, None, 4))[0] == [("vamos", "V"), ("nos", "P"), ("10 000", "Z")]


def test_conll_u_of_underscores_has_no_labels(tmp_path):
    text = "1\tDogs\t" + "\t".join("_" * 8) + "\n"
    assert not read(text, tmp_path, labels_expected=False).has_labels
    with pytest.raises(InputError, match="no labels"):
        read(text, tmp_path)


def test_klue_has_comments_with_tabs_and_a_space_as_a_word(tmp_path):
    assert words_and_labels(read(KLUE, tmp_path)) == [
        [("경", "B-OG"), ("찰", "I-OG"), (" ", "O"), ("#", "O")],
        [("가", "O")],
    ]


def test_real_files_have_as_many_sentences_and_words_as_their_source_says(shared):
    for path, sentences, words in (
        ("wnut17/wnut17train.conll", 3_394, 62_730),
        ("wnut17/emerging.dev.conll", 1_009, 15_733),
        ("wnut17/emerging.test.annotated", 1_287, 23_394),
        ("ud_english_ewt/en_ewt-ud-dev.conllu", 2_001, 25_147),  # 25,510 lines, of which 363 are no words.
        ("klue/klue-ner-v1.1_dev.tsv", 5_000, 285_929),
    ):
        file = conll.read(str(shared / "data" / path))
        assert (len(file.sentences), sum(len(sentence.words) for sentence in file.sentences)) == (sentences, words)


SPELLINGS = {
    "CRLF": WNUT.replace("\n", "\r\n").encode(),
    "byte order mark": b"\xef\xbb\xbf" + WNUT.encode(),
    "spaces and tabs at the ends": WNUT.replace("O\n", "O \t\n").encode(),
    "spaces, with tabs at the ends": WNUT.replace("\tO\n", " O\t\n").replace("\tB-", " B-").encode(),
    "tabs, and spaces here and there": WNUT.replace(":\t", ":  ").encode(),
    "gzip": gzip.compress(WNUT.encode()),
}


@pytest.mark.parametrize("content", SPELLINGS.values(), ids=SPELLINGS)
def test_the_same_words_however_the_file_is_spelt(content, tmp_path):
    assert words_and_labels(read(content, tmp_path)) == words_and_labels(read(WNUT, tmp_path))


def test_a_no_break_space_does_not_part_columns(tmp_path):
    assert words_and_labels(read("10\u00a0000 O\nyears O\n", tmp_path)) == [[("10\u00a0000", "O"), ("years", "O")]]


def test_comments_between_white_space_are_not_words_but_a_hash_is(tmp_path):
    text = "# id 7 x\n# x O\na b O\n\n# id 8 = 9\nb b O\n"
    assert words_and_labels(read(text, tmp_path)) == [[("#", "O"), ("a", "O")], [("b", "O")]]


def test_a_file_of_words_alone_can_be_read_for_prediction_only(tmp_path):
    file = read("EU\nrejects\n\nPeter\n", tmp_path, labels_expected=False)
    assert [sentence.words for sentence in file.sentences] == [["EU", "rejects"], ["Peter"]]
    assert not file.has_labels
    with pytest.raises(InputError, match="holds no labels: its lines have 1 column$"):
        read("EU\nrejects\n", tmp_path)
    with pytest.raises(InputError, match="2 columns and --label_column is 3"):
        read("EU x\n", tmp_path, None, 3)


def test_very_long_sentences_and_words(tmp_path):
    text = "".join(f"{'x' * 1_000}{number}\tO\n" for number in range(10_000))
    (sentence,) = read(text, tmp_path).sentences
    assert len(sentence.words) == 10_000 and sentence.words[-1] == "x" * 1_000 + "9999"


REFUSED = {
    "too few columns": ("a\tO\nb\tO\nc\n", r":3: 1 column \('c'\), expected was a word in 2 columns"),
    "too many columns": ("a O\nb O\nNew York O\n", r":3: 3 columns"),
    "a line of CoNLL-U that ends early": (
        CONLL_U + "9\tx\n",
        r":13: 2 columns .*expected was a word in at least 4 columns",
    ),
    "SQuAD's JSON": ('{"version": "1.1", "data": []}\n', "is JSON: one word a line was expected"),
    "JSON on several lines": ('[\n  {\n    "id": 1\n  }\n]\n', "is JSON"),
    "a table of GLUE's": ("sentence\tlabel\nit is a fine film\t1\nit is not a film\t0\n", ":1: is a table of texts"),
    "nothing but blank lines": ("\n \n\t\n", "holds no words"),
    "nothing but comments": ("# a\n# b\n", "holds no words"),
    "CoNLL-U with an ID that is no number": (CONLL_U + "x" + "\t_" * 9 + "\n", r":13: 'x' as an ID"),
}


@pytest.mark.parametrize("text, message", REFUSED.values(), ids=REFUSED)
def test_what_is_wrong_is_named_with_its_line(text, message, tmp_path):
    with pytest.raises(InputError, match=message):
        read(text, tmp_path)


def test_a_token_column_beyond_the_last_is_refused(tmp_path):
    with pytest.raises(InputError, match="2 columns, but --token_column is 2"):
        read("a O\n", tmp_path, 2)


@pytest.mark.parametrize("column", [2, 5, -3])
def test_a_label_column_beyond_the_last_is_refused_with_a_line(column, tmp_path):
    with pytest.raises(
        InputError, match=rf":3: holds no labels: its lines have 2 columns and --label_column is {column}"
    ):
        read("# text\n\na O\n", tmp_path, None, column)


def labelled(file, tmp_path, label="X"):
    target = tmp_path / "copy"
    conll.write_with_labels(file, [[label] * len(sentence.words) for sentence in file.sentences], str(target))
    return target.read_bytes().decode()


def test_predictions_become_the_last_column_and_all_other_lines_stay(tmp_path):
    assert labelled(read(CONLL_2003, tmp_path), tmp_path) == CONLL_2003.replace("X- O\n", "X- O O\n").replace(
        "B-ORG\n", "B-ORG X\n"
    ).replace("VP O\n", "VP O X\n").replace("-PER\n", "-PER X\n").replace("NP O\n", "NP O X\n")
    assert labelled(read(WNUT, tmp_path), tmp_path) == (
        "@paul\tO\tX\n#fun\tO\tX\nEmpire\tB-location\tX\n\t\n:\tO\tX\n  \nEnd\tO\tX\n"
    )
    assert labelled(read("-DOCSTART-\n\na\n", tmp_path, labels_expected=False), tmp_path) == "-DOCSTART- O\n\na X\n"


def test_conll_u_stays_conll_u_with_other_labels(tmp_path):
    file = read(CONLL_U, tmp_path)
    expected = CONLL_U.replace("\tVERB\t", "\tX\t").replace("nosotros\tPRON", "nosotros\tX")
    assert labelled(file, tmp_path) == expected.replace("\tNUM\t", "\tX\t").replace("\tSYM\t", "\tX\t")


@pytest.mark.parametrize("path", ["ud_english_ewt/en_ewt-ud-dev.conllu"])
def test_conll_u_with_its_own_labels_is_the_same_file(path, shared, tmp_path):
    source = shared / "data" / path
    file = conll.read(str(source))
    conll.write_with_labels(file, [sentence.labels for sentence in file.sentences], str(tmp_path / "copy"))
    assert (tmp_path / "copy").read_bytes() == source.read_bytes()


words = st.text(st.characters(blacklist_characters="\t\n\r \v\f", blacklist_categories=["Cs"]), min_size=1, max_size=5)
cells = st.sampled_from(["O", "B-x", "I-x"])
sentences = st.lists(
    st.lists(st.tuples(words.filter(lambda w: w[0] not in "#-\x00\ufeff"), cells), min_size=1), min_size=1
)


@given(sentences, st.sampled_from(["\t", " "]))
def test_what_was_written_is_what_is_read(tmp_path_factory, rows, separator):
    text = "\n\n".join("\n".join(separator.join(row) for row in sentence) for sentence in rows)
    file = read(text.replace("\x00", "0"), tmp_path_factory.mktemp("rows"))
    assert [sentence.labels for sentence in file.sentences] == [[label for _, label in row] for row in rows]
    assert [len(sentence.words) for sentence in file.sentences] == [len(row) for row in rows]


lines = st.lists(st.text(st.sampled_from("a#-1.\t\r\v \u00a0\ufeffO"), max_size=12))


@given(lines, st.sampled_from([None, -1, 0, 2]), st.booleans())
def test_any_file_gives_words_or_a_clear_error_and_can_be_written(tmp_path_factory, rows, column, expected):
    directory = tmp_path_factory.mktemp("any")
    try:
        file = read("\n".join(rows), directory, None, column, labels_expected=expected)
    except InputError as error:
        assert "file.txt" in str(error) and "\n" not in str(error)
        return
    copy = labelled(file, directory).split("\n")
    named = {line for sentence in file.sentences for line in sentence.lines}
    assert len(copy) == len(file.lines) + 1
    assert all(copy[number - 1].endswith("X") for number in named)
