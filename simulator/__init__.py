"""A fleet of smart meters: readings, fault logs and injected faults, all from one seed."""
