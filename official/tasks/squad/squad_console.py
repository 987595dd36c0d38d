"""Questions typed or piped in, a line each: what a line asks, and how it is answered."""

import dataclasses
import json
import sys
from collections.abc import Iterable

from official.errors import InputError
from official.tasks.squad.squad_answers import NBest

EXPECTED = 'a question, a tab and a context, or {"question": "…", "context": "…"}, was expected'


@dataclasses.dataclass(frozen=True)
class Asked:
    """A question with its context; a line of JSON is answered by one."""

    question: str
    context: str
    as_json: bool

    def answer(self, n_best: NBest, null_score_diff_threshold: float) -> str:
        """The line that answers: the text alone, or an object with `answer`, `probability` and, of v2.0, `null_odds`.

        The probability is that of the text among the candidates; 0 where there are none.
        """
        text = n_best.text(null_score_diff_threshold) if n_best.texts else ""
        if not self.as_json:
            return text
        probability = dict(zip(n_best.texts, n_best.probabilities())).get(text, 0.0)
        values = {"answer": text, "probability": probability}
        return json.dumps(values if n_best.null_odds is None else values | {"null_odds": n_best.null_odds})


def parse_line(line: str) -> Asked | None:
    """What a line asks; None for an empty one.

    Raises:
        InputError: it is neither of the two forms.
    """
    if not line.strip():
        return None
    if line.lstrip().startswith("{"):
        return _parse_json(line)
    question, tab, context = line.partition("\t")
    if not tab:
        raise InputError(f"{line.strip()[:40]!r} has no tab: {EXPECTED}")
    return Asked(question.strip(), context.strip("\r\n"), as_json=False)


def _parse_json(line: str) -> Asked:
    try:
        values = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise InputError(f"not JSON: {error}: {EXPECTED}") from error
    for name in ("question", "context"):
        if not isinstance(values.get(name), str):
            raise InputError(f"{name} is not a string: {EXPECTED}")
    return Asked(values["question"], values["context"], as_json=True)


def parse_lines(lines: Iterable[bytes]) -> Iterable[Asked | None]:
    """Each line as it comes; None for one that can't be understood, of which stderr is told."""
    for number, line in enumerate(lines, start=1):
        try:
            yield parse_line(line.decode("utf-8", errors="ignore"))
        except InputError as error:
            print(f"error: line {number}: {error}", file=sys.stderr)
            yield None
