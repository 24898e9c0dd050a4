"""Networks and where their weights come from: by name, from seeds, from ImageNet, grown from a smaller one."""
