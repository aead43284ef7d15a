"""Pages in a browser that show meters, customers, the flow of data and SQL, read-only."""
