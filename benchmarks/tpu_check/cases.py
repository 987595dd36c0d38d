"""What is checked: steps of pretraining and of each kind of fine-tuning, and steps that have to be refused."""

from typing import NamedTuple

COMPILED = "compiled"
DYNAMIC_SHAPE = "shape found dynamic"
HOST_OPERATION = "host operation found"
REFUSED_BY_BRIDGE = "refused by the bridge"
OUT_OF_MEMORY = "refused by the compiler: out of memory"
REFUSED_BY_COMPILER = "refused by the compiler"
TASKS = ("pretraining", "classification", "multi_label", "regression", "choice", "question_answering", "tagging")
DEFECTS = ("numpy_function", "string", "unique", "boolean_mask")


class Case(NamedTuple):
    """A training step.

    Attributes:
        task: one of `TASKS`.
        bert_config_file: the model's shape, a preset.
        batch_size: examples a replica.
        max_seq_length: their length.
        topology: of `topologies.TOPOLOGIES`.
        max_predictions_per_seq: in pretraining.
        gradient_accumulation_steps, recompute, optimizer, pack_examples, method: as the run scripts' flags.
        defect: one of `DEFECTS` that is built into the step, or none.
    """

    task: str
    bert_config_file: str
    batch_size: int
    max_seq_length: int
    topology: str = "v5e:2x2"
    max_predictions_per_seq: int = 20
    gradient_accumulation_steps: int = 1
    recompute: bool = False
    optimizer: str = "adamw_bert"
    defect: str = ""
    pack_examples: bool = False
    method: str = "bert"

    @property
    def name(self) -> str:
        parts = [self.task, self.bert_config_file, f"{self.batch_size}x{self.max_seq_length}", self.topology]
        return "_".join([*parts, *self.particulars]).replace(":", "-").replace(" ", "-")

    @property
    def particulars(self) -> list[str]:
        """What distinguishes it from a plain step."""
        parts = self.gradient_accumulation_steps
        return [
            *[f"{parts} micro-batches"] * (parts > 1),
            *["recomputed"] * self.recompute,
            *["packed"] * self.pack_examples,
            *[self.method] * (self.method != "bert"),
            *[self.optimizer] * (self.optimizer != "adamw_bert"),
            *[f"{self.defect} built in"] * bool(self.defect),
        ]

    @property
    def flags(self) -> list[str]:
        """What describes it to the first two stages (`case_flags.py`)."""
        return [f"--{name}={value}" for name, value in self._asdict().items()]


# How each has to end; the cheap ones first. The published lengths of pretraining are 128 with 20 predictions, then 512
# with 80 (google-research/bert README, "Pre-training tips and caveats": about 15 % of the length).
CASES = {
    Case("pretraining", "bert-tiny", 8, 128, defect="numpy_function"): REFUSED_BY_BRIDGE,
    Case("pretraining", "bert-tiny", 8, 128, defect="string"): REFUSED_BY_BRIDGE,
    Case("pretraining", "bert-tiny", 8, 128, defect="unique"): DYNAMIC_SHAPE,
    Case("pretraining", "bert-tiny", 8, 128, defect="boolean_mask"): DYNAMIC_SHAPE,
    Case("pretraining", "bert-tiny", 8, 128): COMPILED,
    Case("pretraining", "bert-tiny", 8, 128, gradient_accumulation_steps=2, recompute=True, optimizer="lamb"): COMPILED,
    Case("pretraining", "bert-tiny", 8, 128, method="albert", optimizer="lamb_albert"): COMPILED,
    Case("pretraining", "bert-tiny", 8, 128, method="electra"): COMPILED,
    Case("pretraining", "bert-base", 64, 128): COMPILED,
    Case("pretraining", "bert-base", 1024, 128): OUT_OF_MEMORY,
    Case("pretraining", "bert-base", 16, 512, max_predictions_per_seq=80): COMPILED,
    Case("pretraining", "bert-base", 256, 128, gradient_accumulation_steps=4): COMPILED,
    Case("pretraining", "bert-base", 64, 128, recompute=True, optimizer="lamb"): COMPILED,
    Case("question_answering", "bert-small", 32, 384): COMPILED,
    Case("tagging", "bert-small", 32, 128): COMPILED,
    Case("classification", "bert-small", 32, 128): COMPILED,
    Case("classification", "bert-small", 32, 128, pack_examples=True): COMPILED,
    Case("multi_label", "bert-small", 32, 128): COMPILED,
    Case("regression", "bert-small", 32, 128): COMPILED,
    Case("choice", "bert-small", 8, 128): COMPILED,
    Case("pretraining", "bert-small", 64, 128, topology="v4:2x2x1"): COMPILED,
    Case("pretraining", "bert-small", 64, 128, topology="v5e:4x4"): COMPILED,
    Case("pretraining", "bert-base", 64, 128, topology="v4:2x2x1"): COMPILED,
    Case("classification", "bert-base", 32, 128): COMPILED,
    Case("question_answering", "bert-base", 12, 384): COMPILED,
    Case("tagging", "bert-base", 32, 128): COMPILED,
}
