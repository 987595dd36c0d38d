"""Declarative maps between our variable names and those of another format.

A map is a list of rules. A rule is a pair of templates in which `{field}` stands for the same text on both sides:
`{n}` and `{m}` for numbers, any other field for a word. Keras counts the layers of a class with nothing, `_1`, `_2` …:
on its side, `{_n}` is the number in this form.
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
    heads_axis: int | None = None  # Of our axes, the one that Keras's attention keeps as two: [heads, size of one].


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


def classification(ours: str, theirs: str) -> tuple[Rule, ...]:
    """Weights [classes, H] and bias of a head; `ours` is the start of their names."""
    return Rule(f"{ours}output_weights", f"{theirs}.weight"), Rule(f"{ours}output_bias", f"{theirs}.bias")


def keras_layer(theirs: str, *ours: str, **options) -> tuple[Rule, ...]:
    """The variables of a layer as Keras keeps them: numbered in the order in which they were made."""
    return tuple(Rule(name, f"{theirs}/vars/{number}", **options) for number, name in enumerate(ours))


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
        inside = [rule.theirs.removeprefix(prefix) for rule in self.rules if rule.theirs.startswith(prefix)]
        self._inside = frozenset(name.split(".")[0] for name in inside) if prefix else frozenset()

    def to_ours(self, theirs: str) -> tuple[str, Rule] | None:
        """Our name for one of theirs and the rule that says so, or None."""
        spelt = self.canonical(theirs)
        for pattern, rule in self._by_theirs:
            for name in (spelt, self.prefix + spelt):
                if match := pattern.fullmatch(name):
                    return rule.ours.format_map(match.groupdict(default="0")), rule
        return None

    def to_theirs(self, ours: str) -> tuple[str, Rule]:
        """Their name for one of ours, with the prefix, and the rule that says so.

        Raises:
            KeyError: no rule speaks of it.
        """
        found = self.find_theirs(ours)
        if found is None:
            raise KeyError(ours)
        return found

    def find_theirs(self, ours: str) -> tuple[str, Rule] | None:
        """As `to_theirs`, or None where no rule speaks of it."""
        for pattern, rule in self._by_ours:
            if match := pattern.fullmatch(ours):
                counted = {"_" + key: "" if text == "0" else "_" + text for key, text in match.groupdict().items()}
                return rule.theirs.format_map(match.groupdict() | counted), rule
        return None

    def is_ignored(self, theirs: str) -> bool:
        return theirs in self.ignored or self.prefix + theirs in self.ignored

    def with_rules(self, *groups: tuple[Rule, ...]) -> "NameMap":
        """The same map with more rules, sought after its own."""
        return NameMap(
            [tuple(self.rules), *groups],
            prefix=self.prefix,
            spellings={old.pattern: new for old, new in self.spellings},
            tied=self.tied.values(),
            ignored=self.ignored,
        )

    def is_inside(self, theirs: str) -> bool:
        """Whether a name, known or not, is one of the encoder's rather than of something that stands on it."""
        inner = theirs.removeprefix(self.prefix)
        return inner != theirs or inner.split(".")[0] in self._inside

    def canonical(self, theirs: str) -> str:
        """Their name in today's spelling."""
        for old, new in self.spellings:
            theirs = old.sub(new, theirs)
        return theirs


def _pattern(template: str) -> re.Pattern[str]:
    def field(match: re.Match[str]) -> str:
        if match[1] == "_n":
            return r"(?:_(?P<n>[1-9]\d*))?"
        return rf"(?P<{match[1]}>\d+)" if match[1] in ("n", "m") else rf"(?P<{match[1]}>[A-Za-z_]+)"

    return re.compile(re.sub(r"\\\{(\w+)\\\}", field, re.escape(template)))
