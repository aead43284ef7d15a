"""The programs that the stack runs: how they are fetched, prepared, started and asked."""
