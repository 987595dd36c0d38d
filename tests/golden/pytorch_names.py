"""PyTorch's name of each variable of the original, written without official.checkpoints, which it judges."""

SPECIAL = {
    "cls/predictions/output_bias": "cls.predictions.bias",
    "cls/seq_relationship/output_weights": "cls.seq_relationship.weight",
    "cls/seq_relationship/output_bias": "cls.seq_relationship.bias",
}
REPLACED = {"/": ".", "layer_": "layer.", ".kernel": ".weight", ".gamma": ".weight", ".beta": ".bias"}


def pytorch_name(name: str) -> str:
    """`bert/pooler/dense/kernel` → `bert.pooler.dense.weight`."""
    if name in SPECIAL:
        return SPECIAL[name]
    if name.endswith("_embeddings"):
        name += "/weight"
    for ours, theirs in REPLACED.items():
        name = name.replace(ours, theirs)
    return name
