"""The HTTP interface for staff: sessions, their scores, and why."""
