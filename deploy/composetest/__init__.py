"""Shows that docker-compose.yml works: `deploy/test-compose`."""
