"""Sentence embeddings on ONNX Runtime: sentences as unit vectors whose dot product says how close they are in meaning.

The model of the catalogue is all-MiniLM-L6-v2 (English; Reimers and Gurevych 2019, Wang et al. 2020).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from thetool.config import Settings
from thetool.text.watching import Watch, unwatched
from thetool.text.wordpiece import WordPiece
from thetool.weights.folder import loading
from thetool.weights.sessions import open_session, threads_of_one_call

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]

MAX_TOKENS = 256
"""Tokens that the model was made for, the two markers included; a longer sentence is encoded in windows."""
BATCH_TOKENS = 512
"""Tokens of one batch: more makes each one slower, because it no longer fits the processor's cache."""

_loaded: dict[tuple[Path, ...], SentenceEncoder] = {}
_loading = Lock()


class SentenceEncoder:
    """One model in memory (about 100 MB), giving vectors of `size` numbers. Safe to use from several threads.

    Args:
        model: ONNX file with the inputs `input_ids`, `attention_mask`, `token_type_ids` and the output
            `last_hidden_state`.
        tokenizer: its `tokenizer.json`.
        threads: cores that one call uses.
    """

    def __init__(self, model: Path, tokenizer: Path, *, threads: int = 1) -> None:
        self._session = open_session(model, threads=threads)
        self._tokenizer = WordPiece(tokenizer)
        self.size = int(self._session.get_outputs()[0].shape[-1])

    def encode(self, sentences: Sequence[str], watch: Watch = unwatched) -> Vectors:
        """Turn each sentence into a unit vector: the mean of its tokens' vectors.

        A sentence of more than `MAX_TOKENS` tokens is encoded in windows and their mean is taken, weighted by length.

        Returns:
            One row a sentence, in order; a sentence without tokens is all zeros.
        """
        import numpy as np

        pieces = [piece for number, sentence in enumerate(sentences) for piece in self._windows(number, sentence)]
        pieces.sort(key=lambda piece: len(piece[1]))
        vectors: Vectors = np.zeros((len(sentences), self.size), np.float32)
        done = 0
        for batch in _batches(pieces):
            means = self._run([ids for _, ids in batch])
            for (number, ids), mean in zip(batch, means, strict=True):
                vectors[number] += mean * len(ids)
            done += len(batch)
            watch(done / len(pieces))
        return unit(vectors)

    def _windows(self, number: int, sentence: str) -> Iterator[tuple[int, list[int]]]:
        ids = self._tokenizer.encode(sentence)
        size = MAX_TOKENS - 2
        for start in range(0, len(ids), size):
            yield number, [self._tokenizer.start, *ids[start : start + size], self._tokenizer.end]

    def _run(self, rows: list[list[int]]) -> Vectors:
        """The unit mean vector of each row of ids; shorter rows are padded."""
        import numpy as np

        longest = len(rows[-1])
        ids = np.zeros((len(rows), longest), np.int64)  # 0 is [PAD]
        mask = np.zeros_like(ids)
        for row, tokens in enumerate(rows):
            ids[row, : len(tokens)] = tokens
            mask[row, : len(tokens)] = 1
        inputs = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        (hidden,) = self._session.run(["last_hidden_state"], inputs)
        return unit(np.einsum("rtd,rt->rd", hidden, mask.astype(np.float32)))


def load_encoder(settings: Settings) -> SentenceEncoder:
    """The encoder that the settings choose; loaded at its first use, once a process.

    Raises:
        WeightsUnavailable: when its weights are not here, or damaged (503).
    """
    with _loading, loading(settings, "embeddings") as files:
        key = (files["model.onnx"], files["tokenizer.json"])
        if key not in _loaded:
            _loaded[key] = SentenceEncoder(*key, threads=threads_of_one_call(settings))
        return _loaded[key]


def unit(vectors: Vectors) -> Vectors:
    """Rows scaled to length 1; a row of zeros stays."""
    import numpy as np

    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    scaled: Vectors = np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0)
    return scaled


def _batches(pieces: Sequence[tuple[int, list[int]]]) -> Iterator[Sequence[tuple[int, list[int]]]]:
    """Cut pieces, which are sorted by length, into batches of up to `BATCH_TOKENS` tokens with their padding."""
    start = 0
    for end in range(1, len(pieces) + 1):
        if end == len(pieces) or (end + 1 - start) * len(pieces[end][1]) > BATCH_TOKENS:
            yield pieces[start:end]
            start = end
