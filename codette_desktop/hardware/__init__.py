"""What this computer is and does now: devices, memory, sensors."""
