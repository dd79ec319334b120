"""What the computer does now, once a second: graphics devices, processor, memory, disk, network."""
