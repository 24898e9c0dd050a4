"""Pictures to calibrate, train and test with."""
