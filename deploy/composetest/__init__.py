"""Tests docker-compose.yml: `deploy/test-compose`."""
