"""Declarative maps between our variable names and those of another format.

A map is a list of rules. A rule is a pair of templates in which `{field}` stands for the same text on both sides:
`{n}` for a number, any other field for a word.
"""

import dataclasses
import re
from collections.abc import Iterable, Mapping


@dataclasses.dataclass(frozen=True)
class Rule:
    """One variable of ours, or one in each layer, and what it is called elsewhere."""

    ours: str
    theirs: str
    transposed: bool = False  # PyTorch's Linear keeps [out, in], we keep [in, out].


@dataclasses.dataclass(frozen=True)
class Tied:
    """A tensor that some files hold although it is another one of our variables: a copy of it, or in its place."""

    theirs: str
    same_as: str
    head: str  # The head that would need it.


def tensor(ours: str, theirs: str) -> tuple[Rule, ...]:
    """A variable that is stored as it is."""
    return (Rule(ours, theirs),)


def dense(ours: str, theirs: str) -> tuple[Rule, ...]:
    """Kernel and bias of a dense layer."""
    return Rule(f"{ours}/kernel", f"{theirs}.weight", transposed=True), Rule(f"{ours}/bias", f"{theirs}.bias")


def layer_norm(ours: str, theirs: str) -> tuple[Rule, ...]:
    """Scale and shift of a layer normalisation."""
    return Rule(f"{ours}/gamma", f"{theirs}.weight"), Rule(f"{ours}/beta", f"{theirs}.bias")


class NameMap:
    """Translates names both ways.

    Args:
        groups: rules, as `tensor`, `dense` and `layer_norm` make them.
        prefix: what some files put before the encoder's names and others leave out: `bert.`.
        spellings: regular expressions for older spellings, and what they are rewritten to before a rule is sought.
        tied: tensors that are the same as others.
        ignored: names of what is no weight.
    """

    def __init__(
        self,
        groups: Iterable[tuple[Rule, ...]],
        *,
        prefix: str = "",
        spellings: Mapping[str, str] | None = None,
        tied: Iterable[Tied] = (),
        ignored: Iterable[str] = (),
    ):
        self.rules = [rule for group in groups for rule in group]
        self.prefix = prefix
        self.spellings = [(re.compile(old), new) for old, new in (spellings or {}).items()]
        self.tied = {tied.theirs: tied for tied in tied}
        self.ignored = frozenset(ignored)
        self._by_theirs = [(_pattern(rule.theirs), rule) for rule in self.rules]
        self._by_ours = [(_pattern(rule.ours), rule) for rule in self.rules]

    def to_ours(self, theirs: str) -> tuple[str, Rule] | None:
        """Our name for one of theirs and the rule that says so, or None."""
        spelt = self.canonical(theirs)
        for pattern, rule in self._by_theirs:
            for name in (spelt, self.prefix + spelt):
                if match := pattern.fullmatch(name):
                    return rule.ours.format_map(match.groupdict()), rule
        return None

    def to_theirs(self, ours: str) -> tuple[str, Rule]:
        """Their name for one of ours, with the prefix, and the rule that says so.

        Raises:
            KeyError: no rule speaks of it.
        """
        for pattern, rule in self._by_ours:
            if match := pattern.fullmatch(ours):
                return rule.theirs.format_map(match.groupdict()), rule
        raise KeyError(ours)

    def is_ignored(self, theirs: str) -> bool:
        return theirs in self.ignored or self.prefix + theirs in self.ignored

    def canonical(self, theirs: str) -> str:
        """Their name in today's spelling."""
        for old, new in self.spellings:
            theirs = old.sub(new, theirs)
        return theirs


def _pattern(template: str) -> re.Pattern[str]:
    def field(match: re.Match[str]) -> str:
        return rf"(?P<{match[1]}>\d+)" if match[1] == "n" else rf"(?P<{match[1]}>[A-Za-z_]+)"

    return re.compile(re.sub(r"\\\{(\w+)\\\}", field, re.escape(template)))
