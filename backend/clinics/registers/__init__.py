"""Reading of public registers: what a file says of each clinic, and what had to be mended to know it."""
