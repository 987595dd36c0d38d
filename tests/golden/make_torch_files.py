"""Makes torch_*.bin, files of tensors in each form that torch.save has, and torch_files.npz, what is in them.

Run in an environment with torch, from this directory: python make_torch_files.py
"""

import os

import numpy as np
import torch

HERE = os.path.dirname(os.path.abspath(__file__))


def tensors() -> dict[str, torch.Tensor]:
    """Every type, and every way in which a tensor may lie in its storage."""
    torch.manual_seed(3)
    module = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.LayerNorm(3))
    state_dict = module.state_dict()  # An OrderedDict with `_metadata`.
    base = torch.randn(6, 5)
    state_dict["tied.a"] = state_dict["tied.b"] = torch.randn(4)
    state_dict["base"] = base
    state_dict["view"] = base[2:4]
    state_dict["strided"] = base[1::2, ::2]
    state_dict["transposed"] = torch.randn(2, 3, 4).permute(2, 0, 1)
    state_dict["part"] = torch.randn(100)[7:9]
    state_dict["parameter"] = torch.nn.Parameter(torch.randn(2, 2))
    state_dict["scalar"] = torch.tensor(-1.5)
    state_dict["empty"] = torch.zeros(0, 3)
    for dtype in (torch.float16, torch.bfloat16, torch.float64):
        state_dict[str(dtype)] = torch.randn(3, 2).T.to(dtype)
    state_dict["position_ids"] = torch.arange(4).expand(1, -1)
    state_dict["flags"] = torch.tensor([True, False])
    return state_dict


def others() -> dict[str, torch.Tensor]:
    """Other names, so that they can be a second shard."""
    return {"other.weight": torch.randn(2, 3), "other.bias": torch.randn(3).half()}


def save(name: str, values: dict[str, torch.Tensor], **options) -> None:
    torch.save(values, os.path.join(HERE, name), **options)


def main():
    ours, theirs = tensors(), others()
    save("torch_zip.bin", ours)
    save("torch_legacy.bin", ours, _use_new_zipfile_serialization=False)
    save("torch_protocol_4.bin", theirs, pickle_protocol=4)
    torch.serialization.set_crc32_options(False)
    save("torch_without_crc.bin", ours)
    expected = {
        name: value.detach().to(torch.float32 if value.is_floating_point() else value.dtype).numpy()
        for name, value in {**ours, **theirs}.items()
    }
    np.savez_compressed(os.path.join(HERE, "torch_files.npz"), **expected)


if __name__ == "__main__":
    main()
