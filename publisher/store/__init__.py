"""The database of readers, mailings and schedules: one file of queries for each noun."""
