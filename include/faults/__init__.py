"""The campaign of faults: everything that can go wrong, at random, until three books are compared."""
