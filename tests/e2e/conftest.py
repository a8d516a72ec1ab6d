"""The whole stack for tests from end to end."""

from tests.stack import stack

__all__ = ["stack"]
