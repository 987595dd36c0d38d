"""What transformers in PyTorch makes of our checkpoints, and checkpoints that it writes for us to read.

    python tests/oracle/answer.py DIRECTORY

`DIRECTORY/ours` holds Hugging Face directories with an `inputs.npz` in each: every one is loaded by the Auto class that
its config names, and gets an `answers.npz` and a `report.json` of what was not as expected in loading it.
`DIRECTORY/theirs` is then filled with directories as transformers and PyTorch write them, in every form that weights
come in, each with `inputs.npz` and `answers.npz`. Run in an environment with torch and transformers (`make oracle`).
"""

import itertools
import json
import pathlib
import sys

import numpy as np
import torch
import transformers

AUTO = {
    "BertModel": transformers.AutoModel,
    "BertForMaskedLM": transformers.AutoModelForMaskedLM,
    "BertForNextSentencePrediction": transformers.AutoModelForNextSentencePrediction,
    "BertForPreTraining": transformers.AutoModelForPreTraining,
    "BertForSequenceClassification": transformers.AutoModelForSequenceClassification,
    "BertForTokenClassification": transformers.AutoModelForTokenClassification,
    "BertForQuestionAnswering": transformers.AutoModelForQuestionAnswering,
}
DTYPES = (torch.float32, torch.float16, torch.bfloat16)


@torch.no_grad()
def answer(model: torch.nn.Module, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Every output of a model, by transformers' names; those of the layers are stacked."""
    outputs = model(
        input_ids=torch.from_numpy(inputs["input_ids"]).long(),
        attention_mask=torch.from_numpy(inputs["input_mask"]).long(),
        token_type_ids=torch.from_numpy(inputs["segment_ids"]).long(),
        output_hidden_states=True,
        output_attentions=True,
    )
    answers = {
        name: np.stack(value) if isinstance(value, tuple) else value.numpy()
        for name, value in outputs.items()
        if len(value)  # There is a tuple of cross-attentions, with nothing in it.
    }
    pooler = model.base_model.pooler
    if pooler is not None:
        answers["pooler_output"] = pooler(outputs.hidden_states[-1]).numpy()
    return answers


def load(directory: pathlib.Path, pooler: bool) -> tuple[torch.nn.Module, dict]:
    """The model that the directory's config asks for, and what was not as expected."""
    (architecture,) = json.loads((directory / "config.json").read_text("utf-8"))["architectures"]
    # That the bare encoder has no pooler is said by no field of a config: whoever loads it has to know.
    options = {} if pooler or architecture != "BertModel" else {"add_pooling_layer": False}
    return AUTO[architecture].from_pretrained(
        directory, attn_implementation="eager", dtype=torch.float32, output_loading_info=True, **options
    )


def answer_ours(directory: pathlib.Path) -> None:
    with np.load(directory / "inputs.npz") as inputs:
        model, report = load(directory, bool(inputs["pooler"]))
        answers = answer(model.eval(), inputs)
    np.savez(directory / "answers.npz", **answers)
    report = {name: sorted(map(str, found)) for name, found in report.items()}
    report["labels"] = [name for _, name in sorted(model.config.id2label.items())]
    (directory / "report.json").write_text(json.dumps(report), "utf-8")


def make(architecture: str, seed: int) -> torch.nn.Module:
    """A small model whose weights are all different from what they are initialised with."""
    torch.manual_seed(seed)
    labels = {"id2label": {0: "no", 1: "yes", 2: "perhaps"}} if "Classification" in architecture else {}
    config = transformers.BertConfig(
        vocab_size=120,
        hidden_size=32,
        num_hidden_layers=3,
        num_attention_heads=4,
        intermediate_size=50,
        max_position_embeddings=20,
        **labels,
        hidden_act=("gelu", "gelu_new", "relu")[seed % 3],
        layer_norm_eps=(1e-12, 1e-5)[seed % 2],
        attn_implementation="eager",
    )
    return perturb(getattr(transformers, architecture)(config).eval())


@torch.no_grad()
def perturb(model: torch.nn.Module) -> torch.nn.Module:
    """Adds noise to every weight, so that none is as it is initialised."""
    for parameter in model.parameters():
        parameter.add_(0.1 * torch.randn_like(parameter))
    return model


def draw_inputs(seed: int) -> dict[str, np.ndarray]:
    """Two segments and padding, [3, 14]."""
    random = np.random.RandomState(seed)
    place, lengths = np.arange(14), np.array([[14], [9], [5]])
    mask = (place < lengths).astype(np.int32)
    return {
        "input_ids": random.randint(1, 120, mask.shape).astype(np.int32) * mask,
        "input_mask": mask,
        "segment_ids": (place >= lengths // 2).astype(np.int32) * mask,
    }


def write_safetensors(model, directory, shard_size="1GB"):
    model.save_pretrained(directory, max_shard_size=shard_size)


def write_safetensors_in_shards(model, directory):
    write_safetensors(model, directory, shard_size="9KB")


def write_torch(model, directory, zipped=True):
    model.config.save_pretrained(directory)
    torch.save(model.state_dict(), directory / "pytorch_model.bin", _use_new_zipfile_serialization=zipped)


def write_torch_before_zip(model, directory):
    write_torch(model, directory, zipped=False)


def write_torch_in_shards(model, directory):
    """Two files and an index, as transformers 4 wrote them and 5 no longer does."""
    model.config.save_pretrained(directory)
    tensors = model.state_dict()
    place = {name: f"pytorch_model-0000{1 + index % 2}-of-00002.bin" for index, name in enumerate(tensors)}
    for file in set(place.values()):
        torch.save({name: values for name, values in tensors.items() if place[name] == file}, directory / file)
    index = {"metadata": {"total_size": sum(values.nbytes for values in tensors.values())}, "weight_map": place}
    (directory / "pytorch_model.bin.index.json").write_text(json.dumps(index), "utf-8")


FORMS = (
    write_safetensors,
    write_safetensors_in_shards,
    write_torch,
    write_torch_before_zip,
    write_torch_in_shards,
)


def write_theirs(root: pathlib.Path) -> None:
    """Every architecture in every form; half precision is widened again before the model answers."""
    for seed, (architecture, write, dtype) in enumerate(itertools.product(AUTO, FORMS, DTYPES)):
        directory = root / f"{architecture}-{write.__name__.removeprefix('write_')}-{str(dtype).removeprefix('torch.')}"
        directory.mkdir(parents=True)
        model = make(architecture, seed).to(dtype)
        model.config.architectures = [architecture]
        write(model, directory)
        inputs = draw_inputs(seed)
        np.savez(directory / "inputs.npz", **inputs)
        np.savez(directory / "answers.npz", **answer(model.float(), inputs))


def main():
    root = pathlib.Path(sys.argv[1])
    for directory in sorted((root / "ours").iterdir()):
        answer_ours(directory)
    write_theirs(root / "theirs")


if __name__ == "__main__":
    main()
