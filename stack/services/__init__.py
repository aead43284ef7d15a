"""The native services, one module each: how a service is prepared, started and asked."""
