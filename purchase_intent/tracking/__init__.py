"""From a request to recorded events: who sends, what happened, and the fold gone on with it."""
