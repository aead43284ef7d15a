"""Keep the tables' files few and their history short, as one writer among others."""
