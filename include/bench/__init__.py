"""The benchmark behind ``./run bench``: what the guarantees cost, as ratios of one run on one machine."""
