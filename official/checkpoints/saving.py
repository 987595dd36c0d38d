"""From a model to files that other programs read."""

import os

import keras

from official import files
from official.checkpoints import hugging_face, registry, tf1
from official.checkpoints.loading import variables_by_name


def save(model: keras.Model, directory: str, *, vocab_file: str | None = None, lower_case: bool = True) -> None:
    """Writes a Hugging Face directory: the native form, which PyTorch users load with no conversion.

    Args:
        model: of a known family.
        directory: made if need be; each file in it is replaced when the new one is whole.
        vocab_file: goes along, with the tokenizer's settings, if given.
        lower_case: whether the tokenizer lower-cases.

    Raises:
        InputError: a file can't be read or written.
    """
    hugging_face.save_directory(model, variables_by_name(model), directory, vocab_file, lower_case)


def save_tf1(model: keras.Model, prefix: str) -> None:
    """Writes a TF1 checkpoint that google-research/bert reads, and the config beside it.

    The original has no `gelu_erf`: it refuses a config that asks for it, as it must.

    Args:
        model: of a known family.
        prefix: such as `output/bert_model.ckpt`; its directory is made if need be.

    Raises:
        InputError: a file can't be written.
    """
    if os.path.dirname(prefix):
        files.make_directory(os.path.dirname(prefix))
    tf1.save_variables(variables_by_name(model), prefix)
    family = registry.family_of_model(model)
    with files.write_whole(tf1.beside(prefix, family.tf1_config_file)) as file:
        file.write(model.config.to_json())
