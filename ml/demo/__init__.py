"""The demo bundle that ships with the code, made from seeds and openly licensed photographs (`ml.demo.bundle`)."""
