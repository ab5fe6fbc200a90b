"""One run: a network or a baseline, the loop, the schedule, the chosen settings."""
