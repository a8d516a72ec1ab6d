"""The naive fold: a loan's figures worked out from the definitions with plain dated lists.

Only `verify` and tests import it. It shares no code with the fold; where the two disagree, one of
them is wrong.
"""

from loanbook.reference.figures import naive_loan

__all__ = ["naive_loan"]
