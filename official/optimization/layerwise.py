"""Learning rates that shrink from the head down to the embeddings (Clark et al. 2020, ELECTRA, appendix B)."""

import re
from collections.abc import Iterable

LAYER = re.compile(r".*/layer_(\d+)/")


def layerwise_scales(names: Iterable[str], num_layers: int, decay: float) -> dict[str, float]:
    """What the learning rate of each variable is multiplied by.

    The head and the pooler learn at the full rate, the uppermost layer at `decay` times that, each layer below at
    `decay` times the rate of the one above, and the embeddings at that of a layer below the lowest.

    Args:
        names: of the variables.
        num_layers: of the encoder, whose variables have `layer_N` in their names.
        decay: 1 for the same rate everywhere.
    """
    return {name: decay ** (num_layers + 1 - _depth(name, num_layers)) for name in names}


def _depth(name: str, num_layers: int) -> int:
    """0 for the embeddings, n + 1 for layer n, num_layers + 1 for what stands on the encoder."""
    if "embeddings/" in name:
        return 0
    match = LAYER.match(name)
    return int(match[1]) + 1 if match else num_layers + 1
