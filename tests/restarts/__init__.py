"""Services killed or stopped, all data lost and restored. Last on a stack: Trino has to warm up."""
