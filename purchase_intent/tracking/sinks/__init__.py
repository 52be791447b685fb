"""Where events go: the database, and what stands in for it while it is gone. `chain` is the way in."""
