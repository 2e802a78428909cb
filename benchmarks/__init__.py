"""natfit side by side with its peers: seconds, memory and distance from the maximum. Run ``python -m benchmarks``."""
