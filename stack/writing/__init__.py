"""One writer at a time: the lock, and statements that a writer left in Trino."""
