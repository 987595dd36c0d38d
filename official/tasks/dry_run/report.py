"""The report of a dry run: its parts, and how numbers are written in it."""

import textwrap
from collections.abc import Iterable, Mapping, Sequence

from official.models.config import Config
from official.tasks.dry_run import costs
from official.tasks.dry_run.network import Network, Parameters
from official.training.rehearsal import Rehearsal

Row = tuple[str, str]
WIDTH = 120  # Of a line, as far as words allow.
SHOWN_SHARE = 0.0005  # Of a step's work, from which on a part is named.


def section(title: str, rows: Iterable[Row]) -> str:
    """A title, and under it names with what is to be said of them."""
    rows = list(rows)
    width = max(len(name) for name, _ in rows)
    return "\n".join([title, *(line for name, value in rows for line in _wrapped(f"  {name:<{width}}  ", value))])


def _wrapped(start: str, value: str) -> list[str]:
    return textwrap.wrap(
        value.rstrip(),
        WIDTH,
        initial_indent=start,
        subsequent_indent=" " * len(start),
        break_long_words=False,
        break_on_hyphens=False,
    )


def examples_section(title: str, examples: Sequence[Sequence[str]]) -> str:
    """Examples, each of several lines."""
    lines = [title]
    for number, example in enumerate(examples, start=1):
        lines += [f"  {number}: {example[0]}", *(f"  {line}" for line in example[1:])]
    return "\n".join(lines)


def join(sections: Iterable[str]) -> str:
    """The whole report."""
    return "\n\n".join(sections)


# === Numbers ===


def in_bytes(number: float) -> str:
    """`1.23 GB`: 10⁹ bytes."""
    for unit, size in (("GB", 1e9), ("MB", 1e6)):
        if number >= size:
            return f"{number / size:.3g} {unit}" if number < 1_000 * size else f"{number / size:,.0f} {unit}"
    return f"{number / 1e3:.3g} kB"


def in_flops(number: float) -> str:
    """`1.23 TFLOP`: 10¹² operations."""
    for unit, size in (("EFLOP", 1e18), ("PFLOP", 1e15), ("TFLOP", 1e12), ("GFLOP", 1e9)):
        if number >= size:
            return f"{number / size:.3g} {unit}" if number < 1_000 * size else f"{number / size:,.0f} {unit}"
    return f"{number / 1e6:.3g} MFLOP"


def in_figures(number: float) -> str:
    """`12,500`, `2.5`."""
    return f"{number:,.0f}" if number >= 100 else f"{number:.3g}"


def in_time(seconds: float) -> str:
    """`3 days 4 h`, `2 h 5 min`, `3 min 20 s`, `4.21 s`, `31 ms`."""
    if seconds < 1:
        return f"{1e3 * seconds:.3g} ms"
    if seconds < 60:
        return f"{seconds:.3g} s"
    minutes, hours, days = seconds / 60, seconds / 3_600, seconds / 86_400
    if minutes < 60:
        return f"{int(minutes)} min {int(seconds) % 60} s"
    if hours < 48:
        return f"{int(hours)} h {int(minutes) % 60} min"
    return f"{int(days):,} days {int(hours) % 24} h" if days < 100 else f"{days:,.0f} days"


# === Parts that all scripts have ===


def model_section(config: Config, parameters: Parameters) -> str:
    shape = (
        f"Model: {config.num_hidden_layers} layers, {config.hidden_size:,} wide, {config.num_attention_heads} heads, "
        f"feed-forward {config.intermediate_size:,}, {config.vocab_size:,} tokens, "
        f"{config.max_position_embeddings:,} positions"
    )
    rows = [(part, f"{size:>13,}") for part, size in parameters.parts.items()]
    trained = f"{parameters.trained:,} trained, {parameters.decayed:,} of them with weight decay"
    return section(shape, [*rows, ("parameters", f"{parameters.total:>13,}  {trained}")])


def memory_section(title: str, sizes: Mapping[str, int], about: Mapping[str, str], process: int | None) -> str:
    """What a device holds at most.

    Args:
        title: says of what batch.
        sizes: bytes, by what they hold.
        about: what is to be said of some of them.
        process: the most that this process took, where it is the device; None elsewhere.
    """
    rows = [(name, f"{in_bytes(size):>8}  {about.get(name, '')}") for name, size in sizes.items()]
    total = in_bytes(sum(sizes.values()))
    rows.append(("in all", f"{total:>8}  if all is held at once; TensorFlow itself is not in it"))
    if process is not None:
        rows.append(("this process", f"{in_bytes(process):>8}  at most so far, with TensorFlow and all that was read"))
    return section(title, rows)


def work_section(network: Network, shape: costs.BatchShape, recompute: bool, replicas: int, batches: str = "") -> str:
    """Tokens and operations of a step.

    Args:
        shape: a replica's batch.
        recompute: whether blocks are computed a second time.
        batches: what is to be said of the shape, where batches differ.
    """
    flops = {part: replicas * number for part, number in costs.training_flops(network, shape, recompute).items()}
    total, tokens = sum(flops.values()), replicas * shape.tokens
    passes = "forward and backward" + (", blocks forward twice" if recompute else "")
    rows = [("tokens", f"{tokens:,}{batches}")]
    rows.append(("matrix products", f"{in_flops(total)}, {passes}; {in_flops(total / tokens)} a token"))
    rows += [(f"  {part}", f"{number / total:>6.1%}") for part, number in flops.items() if number > SHOWN_SHARE * total]
    return section("Work of a step", rows)


def speed_rows(rehearsal: Rehearsal, tokens: int, flops: int) -> list[Row]:
    """What the steps took that were made.

    Args:
        tokens, flops: of one of these steps.
    """
    seconds, timings = rehearsal.seconds_per_step, rehearsal.timings
    spread = f"{in_time(min(timings))} to {in_time(max(timings))}"
    return [
        ("first step", f"{in_time(rehearsal.first)}, most of it tracing and compiling"),
        ("a step", f"{in_time(seconds)}, the median of {len(timings)} ({spread})"),
        ("rate", f"{in_figures(tokens / seconds)} tokens/s, {in_flops(flops / seconds)}/s"),
    ]


def loss_row(rehearsal: Rehearsal, guessing: Mapping[str, float]) -> Row:
    """The losses of the first step.

    Args:
        guessing: what a loss is where every answer is held as likely as the others.
    """
    losses = [
        f"{name} {value:.3f}" + (f" ({guessing[name]:.3f} by guessing)" if name in guessing else "")
        for name, value in rehearsal.losses.items()
    ]
    return "first loss", ", ".join(losses) or "not finite; the step was skipped"


def batch_section(title: str, batch: Mapping) -> str:
    """Shapes and types of what a replica is given."""
    return section(title, [(name, f"{value.dtype.name} {list(value.shape)}") for name, value in batch.items()])
