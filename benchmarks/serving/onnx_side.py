"""ONNX Runtime's side: the fast tokenizer and a model that `pytorch_to_onnx` wrote.

Runs with what pytorch_requirements.txt names, without TensorFlow.
"""

import numpy as np
import onnxruntime
from transformers import AutoTokenizer

from benchmarks.serving import timing


def main() -> None:
    arguments = timing.parse_arguments(__doc__)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = arguments.threads
    session = onnxruntime.InferenceSession(arguments.model, options, providers=["CPUExecutionProvider"])
    tokenizer = AutoTokenizer.from_pretrained(arguments.tokenizer)
    names = [each.name for each in session.get_inputs()]

    def answer(texts: list[str]) -> np.ndarray:
        batch = tokenizer(texts, padding=True, truncation=True, max_length=512, return_tensors="np")
        (states,) = session.run(["last_hidden_state"], {name: batch[name].astype(np.int64) for name in names})
        mask = batch["attention_mask"][:, :, None].astype(states.dtype)
        return (states * mask).sum(1) / mask.sum(1)

    timing.measure_all(answer, arguments)


if __name__ == "__main__":
    main()
