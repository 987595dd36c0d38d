"""Data preparation on Apache Beam's runners, with the functions of the local path."""
