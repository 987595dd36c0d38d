"""Learning rates that shrink from the head down to the embeddings (Clark et al. 2020, ELECTRA, appendix B)."""

import re
from collections.abc import Iterable

LAYER = re.compile(r".*/layer_(\d+)/")


def layerwise_scales(
    names: Iterable[str], num_layers: int, decay: float, as_published: bool = False
) -> dict[str, float]:
    """What the learning rate of each variable is multiplied by.

    The head and the pooler learn at the full rate, the uppermost layer at `decay` times that, each layer below at
    `decay` times the rate of the one above, and the embeddings at that of a layer below the lowest. What all layers
    have in common learns as the uppermost.

    Args:
        names: of the variables.
        num_layers: of the encoder, whose variables have `layer_N` in their names.
        decay: 1 for the same rate everywhere.
        as_published: from the uppermost layer down one factor more, since ELECTRA's code counts one layer more than
            there is (model/optimization.py:181-193; google-research/electra#51).
    """
    depths = {name: _depth(name, num_layers) for name in names}
    more = 1 if as_published else 0
    return {
        name: decay ** (num_layers + 1 - depth + more) if depth <= num_layers else 1.0 for name, depth in depths.items()
    }


def _depth(name: str, num_layers: int) -> int:
    """0 for the embeddings, n + 1 for layer n, num_layers + 1 for what stands on the encoder."""
    if "/embedding" in name:  # Their tables, and what brings them to the width of the layers.
        return 0
    if match := LAYER.match(name):
        return int(match[1]) + 1
    return num_layers if "/encoder/" in name else num_layers + 1
