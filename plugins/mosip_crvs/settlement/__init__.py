"""Evidence in, state out: the pure rules of settlement."""
