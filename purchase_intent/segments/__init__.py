"""Segments: rules over features, score and history; who belongs to them, live and night by night, and what it shows."""
