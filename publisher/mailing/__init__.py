"""Who gets what and when: pure decisions about mailings, deliveries and schedules."""
