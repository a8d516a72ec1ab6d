"""Mapping files of known books: how the columns of a lender's files become events."""
