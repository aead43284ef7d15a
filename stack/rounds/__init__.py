"""dbt on a schedule and by hand, one writer at a time."""
