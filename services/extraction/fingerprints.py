"""Fingerprints of text: near-duplicate articles are a few bits apart, and equal quotes have equal ones."""

import unicodedata
from hashlib import blake2b

import numpy as np

_BITS = 64
_SHINGLE_WORDS = 3
"""Words in a feature of SimHash. Three keep word order; more would make short edits cost too many features."""


def simhash(text: str) -> str:
    """Return the 64-bit SimHash of a text as 16 hex digits; sixteen zeros for a text without words.

    Features are runs of three normalised words, each weighted by how often it occurs. Near-duplicates (a syndicated
    copy, a corrected name) differ in a few of the 64 bits, unrelated articles in about half of them.
    Source: Charikar, "Similarity estimation techniques from rounding algorithms" (2002); Manku, Jain and Das Sarma,
    "Detecting near-duplicates for web crawling" (2007).
    """
    words = _normalised_words(text)
    firsts = range(max(1, len(words) - _SHINGLE_WORDS + 1) if words else 0)
    digests = b"".join(_digest(words[first : first + _SHINGLE_WORDS]) for first in firsts)
    bits = np.unpackbits(np.frombuffer(digests, dtype=np.uint8).reshape(-1, _BITS // 8), axis=1)
    return np.packbits(2 * bits.sum(axis=0, dtype=np.int64) > len(firsts)).tobytes().hex()


def quote_fingerprint(words: str) -> str:
    """Return 16 hex digits that are the same for the same words, whatever their case, punctuation or spacing."""
    return _digest(_normalised_words(words)).hex()


def _normalised_words(text: str) -> list[str]:
    """Return the words in compatibility form and without case; what is neither letter nor digit separates them.

    Apostrophes go without a trace, so that "don't" is the same word with a curly, a straight and a lost one.
    """
    folded = unicodedata.normalize("NFKC", text).casefold().replace("'", "").replace("’", "")
    return "".join(character if character.isalnum() else " " for character in folded).split()


def _digest(words: list[str]) -> bytes:
    return blake2b(" ".join(words).encode("utf-8", "surrogatepass"), digest_size=_BITS // 8).digest()
