"""Readers of public registers: which clinics a file lists, and what had to be corrected."""
