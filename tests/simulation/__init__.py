"""Delivery and schedules in simulated time: what is promised holds in every history."""
