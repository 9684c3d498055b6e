"""Batch scoring: an export goes in, the same rows come out with the output columns appended.

The way of a file: `sources` read it in chunks, `scoring` turns each chunk into a part on disk (in several processes where that
pays), `writers` join the parts into the output, which gets its final name only when it is complete. A killed run leaves its
parts and a checkpoint behind, so that ``--resume`` scores only what is missing.
"""

from __future__ import annotations
