"""Keep the tables' files few and their history short, as one writer among others."""

from stack.maintenance.service import run_maintenance

__all__ = ["run_maintenance"]
