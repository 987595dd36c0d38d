"""The messages inside a `spiece.model`, and a model made of a vocabulary with scores.

Fields: google/sentencepiece src/sentencepiece_model.proto.
"""

from collections.abc import Collection, Sequence

from sentencepiece import sentencepiece_model_pb2

from official.errors import InputError

UNIGRAM = sentencepiece_model_pb2.TrainerSpec.UNIGRAM
_Piece = sentencepiece_model_pb2.ModelProto.SentencePiece


def parse(model: bytes) -> sentencepiece_model_pb2.ModelProto:
    """The message of a model that the library has accepted."""
    return sentencepiece_model_pb2.ModelProto.FromString(model)


def user_defined(model: bytes) -> set[str]:
    """The pieces that are found before all others."""
    return {piece.piece for piece in parse(model).pieces if piece.type == _Piece.USER_DEFINED}


def build(
    vocabulary: Sequence[tuple[str, float]],
    unk_id: int,
    control: Collection[str],
    character_map: bytes,
) -> bytes:
    """A unigram model.

    Args:
        vocabulary: pieces and their scores.
        unk_id: which of them is [UNK].
        control: those that stand for no text.
        character_map: how characters are normalised, as the library compiles it; empty: not at all.
    """
    model = sentencepiece_model_pb2.ModelProto()
    for index, (piece, score) in enumerate(vocabulary):
        kind = _Piece.UNKNOWN if index == unk_id else _Piece.CONTROL if piece in control else _Piece.NORMAL
        model.pieces.add(piece=piece, score=score, type=kind)
    trainer = model.trainer_spec
    trainer.model_type, trainer.vocab_size = UNIGRAM, len(vocabulary)
    trainer.unk_id, trainer.unk_piece = unk_id, vocabulary[unk_id][0]
    trainer.bos_id = trainer.eos_id = trainer.pad_id = -1
    normalizer = model.normalizer_spec
    normalizer.name, normalizer.precompiled_charsmap = "user_defined", character_map
    normalizer.add_dummy_prefix = normalizer.remove_extra_whitespaces = normalizer.escape_whitespaces = True
    return model.SerializeToString(deterministic=True)


def require_usual(model: bytes) -> sentencepiece_model_pb2.ModelProto:
    """The message of a model whose tokenizer other libraries can be told of: unigram, white space as always.

    Raises:
        InputError: it is of another kind.
    """
    parsed = parse(model)
    trainer, normalizer = parsed.trainer_spec, parsed.normalizer_spec
    found = {
        "model_type": trainer.model_type == UNIGRAM,
        "byte_fallback": not trainer.byte_fallback,
        "treat_whitespace_as_suffix": not trainer.treat_whitespace_as_suffix,
        "add_dummy_prefix": normalizer.add_dummy_prefix,
        "remove_extra_whitespaces": normalizer.remove_extra_whitespaces,
        "escape_whitespaces": normalizer.escape_whitespaces,
    }
    if unusual := [field for field, usual in found.items() if not usual]:
        raise InputError(
            f"the SentencePiece model has another {', '.join(unusual)} than ALBERT's: tokenizer.json can't say the same"
        )
    return parsed
