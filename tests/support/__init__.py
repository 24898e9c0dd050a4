"""What several tests share: the running service, photos, rows, and stand-ins for other machines."""
