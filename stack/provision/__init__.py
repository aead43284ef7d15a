"""What services need before work: users, rights, topics, certificates, readiness."""
