"""What this software knows of the machine: devices, cores, terminals, Keras loaded quietly."""
