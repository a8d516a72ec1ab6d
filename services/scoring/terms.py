"""Terms of loans read lately: a state names the version since which they are what they are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from scoring.features import IntArray

TERMS = ("terms_version", "term_days", "disbursed_on", "installments", "first_due_on", "last_due_on")
_ROW = np.dtype(f"V{8 * len(TERMS)}")
_UNKNOWN = np.array([-1, *[0] * (len(TERMS) - 1)], np.int64).tobytes()  # no state names this version


class TermsCache:
    """Rows of TERMS by loan, some 200 bytes each; when it is full it begins anew."""

    def __init__(self, loans_max: int) -> None:
        self._loans_max = loans_max
        self._rows: dict[int, bytes] = {}

    def find(self, loan_keys: Sequence[int]) -> IntArray:
        """A row of TERMS each, its version -1 where none is kept."""
        get = self._rows.get
        rows = b"".join([get(loan_key, _UNKNOWN) for loan_key in loan_keys])
        return np.frombuffer(rows, np.int64).reshape(-1, len(TERMS))

    def keep(self, loan_keys: Sequence[int], terms: IntArray) -> None:
        """Keep rows of TERMS."""
        if len(self._rows) + len(loan_keys) > self._loans_max:
            self.forget()
        self._rows.update(
            zip(loan_keys, np.ascontiguousarray(terms).view(_ROW).ravel().tolist(), strict=True)
        )

    def forget(self) -> None:
        """Drop all."""
        self._rows.clear()
