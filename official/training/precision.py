"""What a run computes in: one type where it learns, and perhaps another where it only looks."""

from contextlib import AbstractContextManager

import keras

from official.layers.tracing import Setting

_is_training = Setting(False)


@keras.saving.register_keras_serializable("official")  # Bidirectional layers make their halves of a description.
class TrainingPolicy(keras.DTypePolicy):
    """float32, but in `training_precision` another type: what learns as well by rounded products predicts exactly.

    Layers ask their policy whenever they are called, so that one model is traced either way.

    Args:
        training_dtype: computed in where steps are made; weights are float32 in any case.
    """

    def __init__(self, training_dtype: str):
        super().__init__("float32")
        self._training_dtype = training_dtype

    @property
    def compute_dtype(self) -> str:
        return self._training_dtype if _is_training.value else "float32"

    def get_config(self) -> dict[str, str]:
        return {"training_dtype": self._training_dtype}


def training_precision() -> AbstractContextManager[None]:
    """Within the block, layers made under a `TrainingPolicy` compute in its type."""
    return _is_training.set_to(True)


def training_dtype() -> str:
    """What a step computes in, of a model made now."""
    with training_precision():
        return keras.config.dtype_policy().compute_dtype


def set_precision(mixed_precision: str, fastest: str) -> None:
    """Sets the policy of the models that are made from now on.

    Args:
        mixed_precision: the flag: `float32`, `bfloat16` or `float16` for all that is computed; `auto` for `fastest` in
            training, and float32 elsewhere.
        fastest: of the types that the devices multiply natively.
    """
    if mixed_precision == "auto" and fastest != "float32":
        policy = TrainingPolicy(fastest)
    elif mixed_precision in ("auto", "float32"):
        policy = "float32"
    else:
        policy = f"mixed_{mixed_precision}"
    keras.config.set_dtype_policy(policy)


def about_precision() -> str:
    """The policy in words."""
    policy = keras.config.dtype_policy()
    if policy.compute_dtype != training_dtype():
        return f"{training_dtype()} in training, {policy.compute_dtype} elsewhere; weights in {policy.variable_dtype}"
    return policy.name.replace("_", " ")
