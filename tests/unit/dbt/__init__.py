"""Unit tests of the dbt project, without dbt and without a connection."""
