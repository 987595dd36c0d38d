"""A reader of pickles that makes plain data, and calls nothing but the functions that it is given.

A pickle is a program for a stack machine. The standard library's machine imports and calls whatever the program names;
this one knows numbers, text, tuples, lists and dicts. The program is cut into instructions by `pickletools`, which only
parses. Both length and number of instructions are bounded, and with them time and memory.
"""

import io
import pickletools
from collections.abc import Callable, Iterable
from typing import Any

from official.errors import InputError

# A state dict takes some 150 bytes and 30 instructions a tensor: this is enough for 15,000 tensors.
MAX_BYTES = 8 << 20
MAX_INSTRUCTIONS = 500_000

# Instructions whose operand is the value that they push, and those that push a value of their own.
_LITERALS = frozenset({
    "BINFLOAT", "BININT", "BININT1", "BININT2", "BINUNICODE", "LONG1", "SHORT_BINUNICODE",
})  # fmt: skip
_CONSTANTS: dict[str, Callable[[], Any]] = {
    "EMPTY_DICT": dict,
    "EMPTY_LIST": list,
    "EMPTY_TUPLE": tuple,
    "NEWFALSE": lambda: False,
    "NEWTRUE": lambda: True,
    "NONE": lambda: None,
}


def load(data: io.BytesIO, find_global: Callable[[str], Any], find_persistent: Callable[[Any], Any]) -> Any:
    """What the pickle at the position of `data` holds; afterwards `data` stands behind it.

    Args:
        data: at most MAX_BYTES.
        find_global: from a name such as `torch.FloatStorage` to what stands for it. If that is a function, the pickle
            may call it: it is given the tuple of arguments.
        find_persistent: from what the pickle says of an object kept outside it to what stands for that.

    Raises:
        InputError: not a pickle, cut short, too long, or it asks for more than data. The message has no file's name.
    """
    machine = _Machine(find_global, find_persistent)
    try:
        for number, (opcode, operand, _) in enumerate(pickletools.genops(data)):
            if number == MAX_INSTRUCTIONS:
                raise InputError(f"its pickle has more than {MAX_INSTRUCTIONS:,} instructions: that is no state dict")
            machine.step(opcode.name, operand)
        return machine.pop()
    except ValueError as error:
        raise InputError(f"its pickle is damaged, or cut short: {shown(str(error))}") from error


def refused(what: str) -> InputError:
    """The error for a file that asks for something which is not data."""
    return InputError(f"asks for {shown(what)}: a file of tensors has no use for that; it may be an attack")


def shown(text: str) -> str:
    """Text of a stranger's, fit for one line of a message."""
    return repr(text[:100])[1:-1]


class _Machine:
    """The stack, the stacks below each mark, and the memo."""

    def __init__(self, find_global, find_persistent):
        self.find_global = find_global
        self.find_persistent = find_persistent
        self.stack: list[Any] = []
        self.below: list[list[Any]] = []
        self.memo: dict[int, Any] = {}

    def step(self, name: str, operand: Any) -> None:
        if name in _LITERALS:
            self.stack.append(operand)
        elif name in _CONSTANTS:
            self.stack.append(_CONSTANTS[name]())
        elif name in _ACTIONS:
            _ACTIONS[name](self, operand)
        else:
            raise refused(f"the pickle instruction {name}" + (f" {operand}" if isinstance(operand, str) else ""))

    def take(self, count: int) -> list[Any]:
        """Pops the uppermost values, in the order in which they were pushed."""
        if len(self.stack) < count:
            raise ValueError("it takes a value that is not there")
        taken = self.stack[len(self.stack) - count :]
        del self.stack[len(self.stack) - count :]
        return taken

    def pop(self) -> Any:
        return self.take(1)[0]

    def top(self) -> Any:
        if not self.stack:
            raise ValueError("it uses a value that is not there")
        return self.stack[-1]

    def mark(self, _) -> None:
        self.below.append(self.stack)
        self.stack = []

    def take_to_mark(self) -> list[Any]:
        if not self.below:
            raise ValueError("it goes back to a mark that is not there")
        taken, self.stack = self.stack, self.below.pop()
        return taken

    def tuple_to_mark(self, _) -> None:
        items = self.take_to_mark()
        self.stack.append(tuple(items))

    def put(self, index: int | None) -> None:
        self.memo[len(self.memo) if index is None else index] = self.top()

    def get(self, index: int) -> None:
        if index not in self.memo:
            raise ValueError(f"it uses its note {index}, which it has not made")
        self.stack.append(self.memo[index])

    def push_global(self, name: str) -> None:
        self.stack.append(self.find_global(name.replace(" ", ".", 1)))  # `pickletools` joins module and name so.

    def push_named_global(self, _) -> None:
        module, name = self.take(2)
        if not (isinstance(module, str) and isinstance(name, str)):
            raise ValueError("it names a global by something that is not text")
        self.push_global(f"{module} {name}")

    def push_persistent(self, _) -> None:
        self.stack.append(self.find_persistent(self.pop()))

    def call(self, _) -> None:
        function, arguments = self.take(2)
        if not callable(function) or not isinstance(arguments, tuple):
            raise refused("a call of what is not a function")
        self.stack.append(function(arguments))

    def append(self, items: Iterable[Any]) -> None:
        if not isinstance(self.top(), list):
            raise ValueError("it appends to what is not a list")
        self.top().extend(items)

    def set_items(self, items: list[Any]) -> None:
        target = self.top()
        if not isinstance(target, dict) or len(items) % 2:
            raise ValueError("it sets items of what is not a dict, or keys without values")
        for key, value in zip(items[::2], items[1::2]):
            if not isinstance(key, str):  # Numbers could be chosen to have one hash, for which a dict takes ages.
                raise InputError(
                    f"holds a dict with a key of type {type(key).__name__}: names of tensors were expected"
                )
            if key in target:
                raise InputError(f"holds the key {shown(key)} twice")
            target[key] = value

    def build(self, _) -> None:
        """Drops the one attribute that PyTorch sets: the versions of the modules, kept with a state dict."""
        target, state = self.take(2)
        if not (isinstance(target, dict) and isinstance(state, dict) and state.keys() <= {"_metadata"}):
            raise refused("attributes to be set")
        self.stack.append(target)


_ACTIONS: dict[str, Callable[[_Machine, Any], None]] = {
    "APPEND": lambda machine, _: machine.append(machine.take(1)),
    "APPENDS": lambda machine, _: machine.append(machine.take_to_mark()),
    "BINGET": _Machine.get,
    "BINPERSID": _Machine.push_persistent,
    "BINPUT": _Machine.put,
    "BUILD": _Machine.build,
    "FRAME": lambda machine, _: None,
    "GLOBAL": _Machine.push_global,
    "LONG_BINGET": _Machine.get,
    "LONG_BINPUT": _Machine.put,
    "MARK": _Machine.mark,
    "MEMOIZE": _Machine.put,
    "PROTO": lambda machine, _: None,
    "REDUCE": _Machine.call,
    "SETITEM": lambda machine, _: machine.set_items(machine.take(2)),
    "SETITEMS": lambda machine, _: machine.set_items(machine.take_to_mark()),
    "STACK_GLOBAL": _Machine.push_named_global,
    "STOP": lambda machine, _: None,
    "TUPLE": _Machine.tuple_to_mark,
    "TUPLE1": lambda machine, _: machine.stack.append(tuple(machine.take(1))),
    "TUPLE2": lambda machine, _: machine.stack.append(tuple(machine.take(2))),
    "TUPLE3": lambda machine, _: machine.stack.append(tuple(machine.take(3))),
}
