"""What ``pyconv bench`` measures with: every peer in a process of its own, in turn."""
