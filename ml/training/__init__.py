"""Training: from the records of a data set to a run, a folder of weights and what is known of them."""
