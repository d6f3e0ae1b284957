"""Programmes of known content, and whether the detectors say what a viewer sees and hears."""
