"""The face in the TensorFlow graph of a tokenizer, whatever its kind."""

import tensorflow as tf

from official.tokenization.byte_level_bpe import ByteLevelBpeTokenizer
from official.tokenization.byte_level_bpe_graph import GraphByteLevelBpeTokenizer
from official.tokenization.sentence_piece import SentencePieceTokenizer
from official.tokenization.sentence_piece_graph import GraphSentencePieceTokenizer
from official.tokenization.tokenizer import Tokenizer
from official.tokenization.wordpiece import WordPieceTokenizer
from official.tokenization.wordpiece_graph import GraphWordPieceTokenizer

GRAPHS: dict[type[Tokenizer], type[tf.Module]] = {
    WordPieceTokenizer: GraphWordPieceTokenizer,
    ByteLevelBpeTokenizer: GraphByteLevelBpeTokenizer,
    SentencePieceTokenizer: GraphSentencePieceTokenizer,
}


def graph_tokenizer(tokenizer: Tokenizer) -> tf.Module:
    """Strings [B] to token ids, int32 [B, None]; its `tokenize_words` takes words as they stand behind white space."""
    return GRAPHS[type(tokenizer)](tokenizer)
