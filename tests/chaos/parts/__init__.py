"""Parts of the service as the product starts them, with points at which a fault can happen (`tests.chaos.points`)."""
