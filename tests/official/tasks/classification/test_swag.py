"""SWAG's layout: four endings, one is right."""

import pytest

from official.errors import InputError
from official.tasks.classification.swag import swag_task

HEADER = ",video-id,fold-ind,startphrase,sent1,sent2,gold-source,ending0,ending1,ending2,ending3,label\n"
ROW = '0,v,1,"A, b. She","A, b.",She,gold,runs.,sits.,"eats, then",sleeps.,2\n'


def test_each_ending_goes_on_from_the_second_sentence(tmp_path):
    (tmp_path / "train.csv").write_text(HEADER + ROW)
    task = swag_task(str(tmp_path), {})
    (example,) = task.read("train")
    assert example.pairs == tuple(("A, b.", f"She {end}") for end in ("runs.", "sits.", "eats, then", "sleeps."))
    assert (example.labels, example.guid, task.choices) == (("2",), "train-1", 4)


def test_the_test_set_has_no_label(tmp_path):
    (tmp_path / "test.csv").write_text(HEADER.replace(",label", "") + ROW.replace(",2\n", "\n"))
    assert swag_task(str(tmp_path), {}).read("test")[0].labels is None


@pytest.mark.parametrize(
    "content, message",
    [
        ("a,b\n", "val.csv:1: has no column sent1, sent2, ending0"),
        (HEADER + ROW + "0,v\n", "val.csv:3: 2 columns, the header has 12"),
        (HEADER, "val.csv: holds no example"),
    ],
)
def test_another_file_is_refused(tmp_path, content, message):
    (tmp_path / "val.csv").write_text(content)
    with pytest.raises(InputError) as error:
        swag_task(str(tmp_path), {}).read("dev")
    assert message in str(error.value)
