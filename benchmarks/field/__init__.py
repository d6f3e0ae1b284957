"""Live streams of real encoders and packagers, each with the same scripted faults."""
