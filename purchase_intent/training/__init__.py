"""From an event log to a champion: data set, run, checks, registration, evaluation."""
