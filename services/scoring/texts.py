"""Texts of a batch of loans: what many loans share stands once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class Texts:
    """A text for each loan: the different ones, and which of them it is."""

    different: Sequence[str]
    places: npt.NDArray[np.int64]

    def __getitem__(self, loan: int) -> str:
        """The text of a loan."""
        return self.different[int(self.places[loan])]
