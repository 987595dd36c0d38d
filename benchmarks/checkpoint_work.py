"""One piece of work of benchmarks/checkpoint_formats.py, in a process of its own, whose memory is therefore its own.

    python benchmarks/checkpoint_work.py PROGRAM {save,load} FORMAT DIRECTORY CONFIG REPETITIONS

Prints one line of JSON: the seconds of each repetition, and in bytes what the process held before (its libraries, and
when saving the model) and at its peak. Run by this project's Python, or for `transformers` by one that has PyTorch.
"""

import json
import pathlib
import sys
import time

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent


def this_project():
    sys.path.insert(0, str(REPOSITORY))
    from official.checkpoints import load, save
    from official.models.bert import Bert
    from official.models.registry import read_config

    return (
        lambda config_file: Bert(read_config(config_file)),
        lambda model, format, directory: save(model, directory, format=format),
        lambda format, directory: [variable.numpy for variable in load(directory).weights],
    )


def keras_hub():
    import keras_hub

    def build(config_file):
        config = json.loads(pathlib.Path(config_file).read_text("utf-8"))
        return keras_hub.models.BertBackbone(
            vocabulary_size=config["vocab_size"],
            num_layers=config["num_hidden_layers"],
            num_heads=config["num_attention_heads"],
            hidden_dim=config["hidden_size"],
            intermediate_dim=config["intermediate_size"],
            max_sequence_length=config["max_position_embeddings"],
            num_segments=config["type_vocab_size"],
        )

    def load(format, directory):
        return [variable.numpy for variable in keras_hub.models.BertBackbone.from_preset(directory).weights]

    return build, lambda model, format, directory: model.save_to_preset(directory), load


def transformers():
    import torch
    import transformers

    def build(config_file):
        values = json.loads(pathlib.Path(config_file).read_text("utf-8"))
        return transformers.BertModel(transformers.BertConfig(**values | {"hidden_act": "gelu_new"}))

    def save(model, format, directory):
        if format == "hugging_face":
            model.save_pretrained(directory, max_shard_size="10GB")
        else:
            model.config.save_pretrained(directory)
            torch.save(model.state_dict(), pathlib.Path(directory) / "pytorch_model.bin")

    def load(format, directory):
        model = transformers.BertModel.from_pretrained(directory)
        return [parameter.detach().numpy for parameter in model.parameters()]

    return build, save, load


PROGRAMS = {"this project": this_project, "keras-hub": keras_hub, "transformers": transformers}


def memory(field: str) -> int:
    """`VmRSS`, what this process holds now, or `VmHWM`, the most that it has held: bytes."""
    lines = pathlib.Path("/proc/self/status").read_text("ascii", errors="replace").splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith(f"{field}:"))


def forget_peak() -> None:
    """VmHWM starts again from VmRSS (https://man7.org/linux/man-pages/man5/proc_pid_clear_refs.5.html)."""
    pathlib.Path("/proc/self/clear_refs").write_text("5", "ascii")


def read_every_weight(weights) -> None:
    """So that one who maps the file into memory has to read it, too."""
    for weight in weights:
        weight().sum()


def main():
    program, action, format, directory, config_file, repetitions = sys.argv[1:]
    build, save, load = PROGRAMS[program]()
    model = build(config_file) if action == "save" else None
    before, seconds = memory("VmRSS"), []
    forget_peak()
    for _ in range(int(repetitions)):
        started = time.perf_counter()
        if action == "save":
            save(model, format, directory)
        else:
            read_every_weight(load(format, directory))
        seconds.append(time.perf_counter() - started)
    print(json.dumps({"seconds": seconds, "before": before, "peak": memory("VmHWM")}))


if __name__ == "__main__":
    main()
