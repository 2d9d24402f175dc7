"""What makes it run: the command line, the configuration, the schedule, and the wiring of all the rooms."""
