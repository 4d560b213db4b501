"""Erasure: an author's words, or all that is too old, out of every table and file, so that they never come back."""
