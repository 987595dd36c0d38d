"""What a progress line says."""

import pytest

from official.progress import Progress


@pytest.mark.parametrize(
    ("unit", "total", "done", "line"),
    [
        (("examples", 1), 12_000, 3_000, "reading: 3,000/12,000 examples, 150.00 examples/s, 0:20, 1:00 left"),
        (("examples", 1), None, 3_000, "reading: 3,000 examples, 150.00 examples/s, 0:20"),
        (("MB", 1e6), 8e6, 2.5e6, "reading: 2.5/8.0 MB, 0.12 MB/s, 0:20, 0:44 left"),
    ],
)
def test_what_is_counted_is_whole_and_what_is_divided_has_a_decimal(capsys, unit, total, done, line):
    seconds = iter([0.0, 20.0, 20.0, 20.0])
    Progress("reading", total, unit, lambda: next(seconds)).advance(done)
    assert capsys.readouterr().err == f"{line}\n"
