"""Names as vectors of their n-grams or words, weighed by how rare these are among the names at hand.

As scikit-learn's TfidfVectorizer counts and weighs, in a third of the time and without importing it.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

LONGEST = 4
"""Letters of an n-gram, two at least; a blank before and after each word counts as one."""

Words = Sequence[Sequence[str]]
"""The words of each name."""


def by_gram(words: Words) -> Any:
    """Return a sparse row of length one for each name: the n-grams of its words."""
    import numpy as np

    every = list(chain.from_iterable(words))
    text = np.frombuffer(f" {' '.join(every)} ".encode("utf-32-le"), np.uint32)
    # Of each letter, and of the blank before a word: what begins there is of the name of that word.
    owner: np.ndarray = np.repeat(_owners(words), [len(word) + 1 for word in every])
    letters: np.ndarray = _numbered(text).astype(np.uint64) + 1
    base, is_blank = letters.max() + 1, text == ord(" ")
    owners, grams = [], []
    gram = letters
    has_blank: np.ndarray = np.zeros(len(text), bool)  # between its ends
    for size in range(2, LONGEST + 1):
        gram = gram[:-1] * base + letters[size - 1 :]
        has_blank = has_blank[:-1] | (is_blank[size - 2 : -1] if size > 2 else False)
        owners.append(owner[: len(gram)][~has_blank])
        grams.append(gram[~has_blank])
    counted = _counted(np.concatenate(owners), _numbered(np.concatenate(grams)), len(words))
    counted.data = (1 + np.log(counted.data)) * _rarity(counted)[counted.indices]
    lengths = np.sqrt(np.add.reduceat(counted.data**2, counted.indptr[:-1]))
    counted.data /= np.repeat(lengths, np.diff(counted.indptr))
    return counted


def by_word(words: Words) -> tuple[Any, dict[str, float]]:
    """Return a sparse row for each name, what each of its words weighs, and that of every word."""
    import numpy as np

    number: dict[str, int] = {}
    columns = [number.setdefault(word, len(number)) for word in chain.from_iterable(words)]
    counted = _counted(_owners(words), np.array(columns, np.int32), len(words))
    rarity = _rarity(counted)
    counted.data = rarity[counted.indices]
    return counted, dict(zip(number, rarity.tolist(), strict=True))


def _owners(words: Words) -> np.ndarray:
    """Return of each word the number of its name."""
    import numpy as np

    return np.repeat(np.arange(len(words), dtype=np.int32), list(map(len, words)))


def _numbered(values: np.ndarray) -> np.ndarray:
    """Return values as numbers from zero; Arrow's hash table does that without sorting them."""
    import pyarrow as pa

    return pa.array(values).dictionary_encode().indices.to_numpy()


def _counted(owners: np.ndarray, columns: np.ndarray, names: int) -> Any:
    """Return how often each name has what each column stands for."""
    import numpy as np
    from scipy.sparse import csr_array

    return csr_array((np.ones(len(columns)), (owners, columns)), shape=(names, columns.max() + 1))


def _rarity(counted: Any) -> np.ndarray:
    """Return what each column weighs: the more, the fewer names have it."""
    import numpy as np

    names, columns = counted.shape
    having = np.bincount(counted.indices, minlength=columns)
    return np.log((1 + names) / (1 + having)) + 1
