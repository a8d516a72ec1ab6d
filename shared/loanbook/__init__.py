"""The loan book: the one package that all services share."""
