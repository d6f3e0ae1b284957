"""Times in which incidents notify nobody."""
