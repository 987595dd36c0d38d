"""The lecture's table of model sizes, counted: BERT and ALBERT, and what ALBERT's two ideas save (its tables 1 to 4).

python -m studies.model_sizes
"""

import dataclasses

from official import command_line

# What the lecture's slide prints, in millions.
PRINTED = {
    "bert-base": 108,
    "bert-large": 334,
    "albert-base-v2": 12,
    "albert-large-v2": 18,
    "albert-xlarge-v2": 60,
    "albert-xxlarge-v2": 235,
}
NOTES = {
    "bert-base": "without the pooler; with it {with_pooler:,}",
    "bert-large": "without the pooler; with it {with_pooler:,}",
    "albert-xlarge-v2": "the slide and the paper round up",
    "albert-xxlarge-v2": "the released shape has {count:,}: 235M does not follow from it",
}
EMBEDDINGS = (64, 128, 256, 768)


def main() -> None:
    command_line.import_tensorflow()
    from official.models.albert import AlbertConfig
    from official.models.parameters import count_parameters
    from official.models.registry import PRESETS

    print(f"{'model':<20}{'parameters':>13}{'slide':>7}")
    for name, printed in PRINTED.items():
        with_pooler = count_parameters(PRESETS[name])
        count = with_pooler if name.startswith("albert") else count_parameters(PRESETS[name], pooler=False)
        note = NOTES.get(name, "").format(count=count, with_pooler=with_pooler)
        print(f"{name:<20}{count:>13,}{printed:>6}M  {note}".rstrip())

    base = AlbertConfig(num_hidden_layers=12, hidden_size=768)
    print(f"\n{'ALBERT-base with':<24}" + "".join(f"{f'E={size}':>13}" for size in EMBEDDINGS))
    for shared in ("all", "attention", "feed_forward", "none"):
        configs = [dataclasses.replace(base, embedding_size=size, shared=shared) for size in EMBEDDINGS]
        counts = [count_parameters(config) for config in configs]
        print(f"{f'shared: {shared}':<24}" + "".join(f"{count:>13,}" for count in counts))


if __name__ == "__main__":
    command_line.run(main)
