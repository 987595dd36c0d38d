"""IMDb's directories."""

import pytest

from official.errors import InputError
from official.tasks.classification.imdb import imdb_task


@pytest.fixture
def reviews(tmp_path):
    for split in ("train", "test"):
        for label in ("neg", "pos", "unsup"):
            folder = tmp_path / split / label
            folder.mkdir(parents=True)
            for number in (2, 10):
                (folder / f"{number}_7.txt").write_text(f"{split} {label}\n{number}", "utf-8")
            (folder / "urls.html").write_text("no review")
    return tmp_path


@pytest.mark.parametrize("split, folder", [("train", "train"), ("dev", "test"), ("test", "test")])
def test_each_file_is_a_review_and_its_directory_the_label(reviews, split, folder):
    examples = imdb_task(str(reviews)).read(split)
    assert [(example.guid, example.labels) for example in examples] == [
        (f"{split}-neg-10_7", ("neg",)),
        (f"{split}-neg-2_7", ("neg",)),
        (f"{split}-pos-10_7", ("pos",)),
        (f"{split}-pos-2_7", ("pos",)),
    ]
    assert examples[0].pairs == ((f"{folder} neg\n10", None),)
    assert examples[0].place == str(reviews / folder / "neg" / "10_7.txt")


def test_another_directory_is_refused(tmp_path):
    with pytest.raises(InputError, match="train/neg: no such file; a directory of reviews was expected"):
        imdb_task(str(tmp_path)).read("train")


def test_directories_without_reviews_are_refused(reviews):
    for path in reviews.glob("train/*/*.txt"):
        path.unlink()
    with pytest.raises(InputError, match="train: holds no example"):
        imdb_task(str(reviews)).read("train")
