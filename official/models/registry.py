"""The families that there are: the model that goes with a config, and the config that goes with a file or a name."""

import json
from typing import Any

from official import files
from official.errors import InputError
from official.models import albert, bert, distilbert, electra, roberta
from official.models.bert import Bert
from official.models.config import Config

MODELS: dict[type[Config], type[Bert]] = {
    bert.BertConfig: bert.Bert,
    roberta.RobertaConfig: roberta.Roberta,
    albert.AlbertConfig: albert.Albert,
    electra.ElectraConfig: electra.Electra,
    distilbert.DistilBertConfig: distilbert.DistilBert,
}
PRESETS: dict[str, Config] = {
    **bert.PRESETS,
    **roberta.PRESETS,
    **albert.PRESETS,
    **electra.PRESETS,
    **distilbert.PRESETS,
}


def model_class(config: Config) -> type[Bert]:
    """The class of models that have this config."""
    return MODELS[type(config)]


def build(config: Config, *heads: Any, **options: Any) -> Bert:
    """A new model of the config's family; arguments as of `Bert`."""
    return model_class(config)(config, *heads, **options)


def config_class(values: dict[str, Any]) -> type[Config]:
    """The family whose JSON this is: named by Hugging Face's `model_type`, else the original's of ALBERT or of BERT.

    Raises:
        InputError: it names none of ours.
    """
    known = {config.model_type: config for config in MODELS}
    original = albert.AlbertConfig if "num_hidden_groups" in values else bert.BertConfig
    model_type = values.get("model_type", original.model_type)
    if model_type not in known:
        raise InputError(f"model_type is {model_type!r}: one of {', '.join(known)} was expected")
    return known[model_type]


def read_config(path_or_preset: str) -> Config:
    """Reads a family's own JSON, or a `config.json` of Hugging Face, or gives the preset of that name.

    Raises:
        InputError: no such file or preset, not a JSON object, or an impossible value; the file is named.
    """
    if path_or_preset in PRESETS:
        return PRESETS[path_or_preset]
    if not files.exists(path_or_preset) and not path_or_preset.endswith(".json"):
        raise InputError(f"{path_or_preset}: no such file, and no preset of that name ({', '.join(PRESETS)})")
    try:
        with files.open_file(path_or_preset) as file:
            values = json.load(file)
        if not isinstance(values, dict):
            raise InputError("a JSON object was expected")
        config = config_class(values)
        return config.from_hugging_face(values) if "model_type" in values else config.from_dict(values)
    except json.JSONDecodeError as error:
        raise InputError(f"{path_or_preset}:{error.lineno}: not JSON: {error.msg}") from error
    except InputError as error:
        message = str(error)
        raise InputError(message if path_or_preset in message else f"{path_or_preset}: {message}") from error
