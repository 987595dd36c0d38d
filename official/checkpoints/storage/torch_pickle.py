"""What a pickle of PyTorch's says of tensors: which numbers of which storage each is. Nothing of PyTorch's is needed.

The names are those of torch/_utils.py (`_rebuild_…`) and torch/serialization.py (`persistent_id`).
"""

import dataclasses
import io
import math
from collections.abc import Callable
from typing import Any

from official.checkpoints.storage import restricted_pickle
from official.checkpoints.storage.restricted_pickle import refused, shown
from official.errors import InputError

MAX_AXES = 32  # numpy 1's limit.
MAX_EXTENT = 1 << 40  # Of the axes of a tensor without elements, which has no bytes to be held against.


@dataclasses.dataclass(frozen=True, slots=True)
class _Type:
    """The type of a storage's elements, by numpy's name."""

    name: str
    item_bytes: int


@dataclasses.dataclass(frozen=True, slots=True)
class Storage:
    """A run of numbers in which tensors lie."""

    key: str
    type: _Type
    count: int

    @property
    def length(self) -> int:
        return self.count * self.type.item_bytes


@dataclasses.dataclass(frozen=True, slots=True)
class View:
    """A tensor: offset and strides are counted in elements of the storage."""

    storage: Storage
    offset: int
    shape: tuple[Any, ...]
    strides: tuple[Any, ...]

    def span(self) -> int:
        """How many elements lie between the first and the last, with both."""
        return 1 + sum((size - 1) * stride for size, stride in self.axes()) if all(self.shape) else 0

    def axes(self) -> zip:
        """Size and stride of each."""
        return zip(self.shape, self.strides)

    def is_inside(self) -> bool:
        """Whether it needs no more elements than its storage has; the product is of few and bounded numbers."""
        numbers = (self.offset, *self.shape, *self.strides)
        if len(self.shape) != len(self.strides) or len(self.shape) > MAX_AXES or not all(map(_is_size, numbers)):
            return False
        limit = self.storage.count if all(self.shape) else MAX_EXTENT
        return math.prod(filter(None, self.shape)) <= limit and self.offset + self.span() <= self.storage.count


def _is_size(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 63


def load(data: io.BytesIO, storages: dict[str, Storage]) -> Any:
    """What the next pickle holds, tensors being `View`s; the storages it refers to are added to `storages`.

    Raises:
        InputError: as `restricted_pickle.load`, or it describes an impossible tensor or storage.
    """
    return restricted_pickle.load(data, _find_global, _storage_finder(storages))


def tensors(state_dict: Any) -> dict[str, View]:
    """The state dict, once it is seen to be one."""
    if not isinstance(state_dict, dict):
        raise InputError(f"holds a value of type {_kind(state_dict)}: a dict of tensors was expected")
    for name, value in state_dict.items():
        if not isinstance(name, str) or not name.isprintable():
            raise InputError(f"has the key {shown(str(name))}: the name of a tensor was expected")
        if not isinstance(value, View):
            raise InputError(
                f"{shown(name)} is of type {_kind(value)}: a tensor was expected; of a training checkpoint, "
                "save the state_dict alone"
            )
        if not value.is_inside():
            raise InputError(f"{shown(name)} is a tensor that is larger than its storage, or does not lie within it")
    return state_dict


def _kind(value: Any) -> str:
    return "tensor" if isinstance(value, View) else type(value).__name__.lstrip("_").lower()


def _storage_finder(storages: dict[str, Storage]) -> Callable[[Any], Storage]:
    """Turns what a pickle says of a storage into that storage, and notes it."""

    def find(reference: Any) -> Storage:
        match reference:
            # The sixth, in legacy files only, is for storages that are views of others: PyTorch 0.3 and before.
            case ("storage", _Type() as dtype, str(key), str(), int(count), *rest) if rest in ([], [None]):
                storage = Storage(key, dtype, count)
            case _:
                raise InputError("refers to something outside its pickle that is no storage")
        if not _is_size(count) or storages.setdefault(key, storage) != storage:
            raise InputError(f"its storage {shown(key)} is used with different types or lengths, or an impossible one")
        return storage

    return find


def _ordered_dict(arguments: tuple[Any, ...]) -> dict[Any, Any]:
    if arguments:
        raise refused("an OrderedDict that is made from something")
    return {}


def _tensor(arguments: tuple[Any, ...]) -> View:
    match arguments:
        case (Storage() as storage, offset, tuple(shape), tuple(strides), *rest) if len(rest) <= 3:
            # The last says that the numbers are to be negated, or conjugated (torch/_utils.py:229-243).
            if rest[2:] and rest[2]:
                raise InputError("holds a tensor that is marked as negated or conjugated: save its resolved copy")
            return View(storage, offset, shape, strides)
    raise InputError("holds a tensor whose description is damaged")


def _parameter(arguments: tuple[Any, ...]) -> View:
    match arguments:
        case (View() as view, _, _):
            return view
    raise InputError("holds a parameter whose description is damaged")


_GLOBALS = {
    "collections.OrderedDict": _ordered_dict,
    "torch._utils._rebuild_parameter": _parameter,
    "torch._utils._rebuild_tensor": _tensor,
    "torch._utils._rebuild_tensor_v2": _tensor,
    "torch.BFloat16Storage": _Type("bfloat16", 2),
    "torch.BoolStorage": _Type("bool", 1),
    "torch.ByteStorage": _Type("uint8", 1),
    "torch.CharStorage": _Type("int8", 1),
    "torch.DoubleStorage": _Type("float64", 8),
    "torch.FloatStorage": _Type("float32", 4),
    "torch.HalfStorage": _Type("float16", 2),
    "torch.IntStorage": _Type("int32", 4),
    "torch.LongStorage": _Type("int64", 8),
    "torch.ShortStorage": _Type("int16", 2),
}
# Honest tensors all the same, of kinds that no BERT has.
_OTHER_KINDS = {
    "torch.ComplexFloatStorage": "complex numbers",
    "torch.ComplexDoubleStorage": "complex numbers",
    "torch._utils._rebuild_meta_tensor_no_storage": "a tensor without values",
    "torch._utils._rebuild_nested_tensor": "a nested tensor",
    "torch._utils._rebuild_parameter_with_state": "a parameter with attributes",
    "torch._utils._rebuild_qtensor": "a quantised tensor",
    "torch._utils._rebuild_sparse_csr_tensor": "a sparse tensor",
    "torch._utils._rebuild_sparse_tensor": "a sparse tensor",
    "torch._utils._rebuild_tensor_v3": "a tensor of float8 or of wide unsigned numbers",
    "torch._utils._rebuild_wrapper_subclass": "a tensor of a class of its own",
}


def _find_global(name: str) -> Any:
    """What stands for a name in a pickle of PyTorch's."""
    if name in _OTHER_KINDS:
        raise InputError(f"holds {_OTHER_KINDS[name]} ({name}): plain tensors were expected")
    if name not in _GLOBALS:
        raise refused(name)
    return _GLOBALS[name]
