"""A publication in simulated time: what would be sent when, what would be missed, and why.

The code that runs is the very code that would: scheduler, dispatcher, their decisions and their
queries on a database in memory. Clock, relay, newsroom and what goes wrong are simulated. The
tests' simulations live in the same world.
"""
