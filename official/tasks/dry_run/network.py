"""What the costs of a model depend on, and its parameters by part."""

import dataclasses
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence

import keras

from official.models import registry
from official.models.config import Config
from official.models.electra import ElectraPretraining
from official.models.feature_based_tagger import LSTM_LAYERS, FeatureBasedTagger

PARTS = ("embeddings", "encoder", "pooler", "heads")
_PART = re.compile(rf"(?:^|/)(?:{'|'.join(model.SCOPE for model in registry.MODELS.values())})/(embeddings|pooler|)")


@dataclasses.dataclass(frozen=True)
class Network:
    """A model, as far as its costs go.

    Attributes:
        config: of the encoder.
        heads: some of the model's `HEADS`.
        num_labels: of the head of fine-tuning.
        one_hot: whether words are looked up by a matrix product.
        lstm_inputs: the width of what each BiLSTM on a frozen encoder reads; none where the encoder is trained.
        lstm_size: of each direction of these.
        beside: other networks that take part in a step: a generator, a teacher.
        only_answers: whether it is not trained: a teacher.
    """

    config: Config
    heads: tuple[str, ...]
    num_labels: int = 0
    one_hot: bool = False
    lstm_inputs: tuple[int, ...] = ()
    lstm_size: int = 0
    beside: tuple["Network", ...] = ()
    only_answers: bool = False

    @property
    def frozen(self) -> bool:
        """Whether the encoder stays as it is."""
        return bool(self.lstm_inputs)

    @property
    def has_pooler(self) -> bool:
        return bool(registry.model_class(self.config).WITH_POOLER & set(self.heads))

    @property
    def top(self) -> int:
        """The width of what the head of fine-tuning reads."""
        return 2 * self.lstm_size if self.frozen else self.config.hidden_size


def network_of(model: keras.Model, teacher: keras.Model | None = None) -> Network:
    """That of a model as the scripts of training make it, with what takes part in its steps."""
    if teacher is not None:
        return dataclasses.replace(
            network_of(model), beside=(dataclasses.replace(network_of(teacher), only_answers=True),)
        )
    if isinstance(model, ElectraPretraining):
        return dataclasses.replace(network_of(model.discriminator), beside=(network_of(model.generator),))
    model = getattr(model, "student", model)
    if isinstance(model, FeatureBasedTagger):
        widths = (model.lstms[0].forward_layer.cell.kernel.shape[0], *[2 * model.lstm_size] * (LSTM_LAYERS - 1))
        head = ("token_classification",)
        return Network(model.config, head, len(model.labels), False, widths, model.lstm_size)
    one_hot = model.encoder.embeddings.use_one_hot_embeddings
    return Network(model.config, model.heads, len(model.labels), one_hot)


@dataclasses.dataclass(frozen=True)
class Parameters:
    """Numbers of them.

    Attributes:
        parts: by part of the model; what stands on the encoder is `heads`.
        trained: those that are trained.
        decayed: those of them that are subject to weight decay.
    """

    parts: dict[str, int]
    trained: int
    decayed: int

    @property
    def total(self) -> int:
        return sum(self.parts.values())


def count_parameters(
    shapes: Mapping[str, Sequence[int]], trained: Iterable[str], decays: Callable[[str], bool]
) -> Parameters:
    """Counts the parameters of a model.

    Args:
        shapes: of all variables, by their names in a checkpoint of the original.
        trained: names of those that are trained.
        decays: whether a variable of this name is subject to weight decay.
    """
    sizes = {name: math.prod(shape) for name, shape in shapes.items()}
    parts = dict.fromkeys(PARTS, 0)
    for name, size in sizes.items():
        found = _PART.search(name)
        parts[(found[1] or "encoder") if found else "heads"] += size
    trained = list(trained)
    return Parameters(
        parts={part: size for part, size in parts.items() if size},
        trained=sum(sizes[name] for name in trained),
        decayed=sum(sizes[name] for name in trained if decays(name)),
    )
