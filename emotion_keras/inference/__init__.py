"""Models that answer: loaded from a run, a baseline, an export; explained and exported."""
