"""What comes in by the batch: from browsers by the script, from servers with a key. Each event is judged alone."""
