"""The corpus that is on every machine."""

import itertools

import pytest

from data_prep.python_documentation import prose_sentences, python_documentation

NUMPY_STYLE = """Return the mean of the values along the given axis.

    The mean is the sum divided by the number of values.  For example::

        >>> mean([1, 2])
        1.5

    It is computed in the type of the array.

    Parameters
    ----------
    a : array_like
        Array containing numbers whose mean is to be found.
    axis : int, optional
        If this is a tuple, the mean is over all of these axes.

    .. versionadded:: 1.7
        Not a part of the text at all.

    See Also
    --------
    average : Weighted average

    >>> this is code in a doctest with the form of a sentence.

    | a | table of the things |
    """
GOOGLE_STYLE = """Reads a file into the `Dataset` of :class:`~tf.data.Reader` objects.

    ```python
    This is the code of an example, not a sentence.
    ```

    Args:
      path: The name of the file that is to be read.
      size (int): How many bytes of the file are read.

    Returns:
      A list of the records in the file, see [the guide](https://x.org/y).
    """


@pytest.mark.parametrize(
    "docstring, expected",
    [
        (
            NUMPY_STYLE,
            [
                "Return the mean of the values along the given axis.",
                "The mean is the sum divided by the number of values.",
                "It is computed in the type of the array.",
                "Array containing numbers whose mean is to be found.",
                "If this is a tuple, the mean is over all of these axes.",
            ],
        ),
        (
            GOOGLE_STYLE,
            [
                "Reads a file into the Dataset of tf.data.Reader objects.",
                "The name of the file that is to be read.",
                "How many bytes of the file are read.",
                "A list of the records in the file, see the guide.",
            ],
        ),
        ("Too short.", []),
        ("Gibt den Namen der Datei und alles Weitere zurück.", []),
    ],
)
def test_prose_is_taken_out_of_markup(docstring, expected):
    assert prose_sentences(docstring) == expected


def test_documents_are_prose_and_no_sentence_comes_twice():
    documents = list(python_documentation(max_characters=400_000))
    sentences = list(itertools.chain.from_iterable(documents))
    assert len(documents) > 500 and min(map(len, documents)) >= 2
    assert len(set(sentences)) == len(sentences)
    assert not any("\n" in sentence or ">>>" in sentence for sentence in sentences)


def test_the_order_is_the_same_each_time():
    assert list(python_documentation(max_characters=50_000)) == list(python_documentation(max_characters=50_000))


def test_held_out_text_is_a_twentieth_and_not_among_the_rest():
    training = list(python_documentation(max_characters=600_000))
    held_out = list(python_documentation(held_out=True, max_characters=600_000))
    assert 0.02 < len(held_out) / len(training) < 0.1
    assert not set(itertools.chain(*training)) & set(itertools.chain(*held_out))
