"""The command `stamp`: what a person does with workflows and envelopes at a terminal.

Standard output is data, standard error is progress and problems. Exit status: 0 when all is well, 1 when something was found
(bad lines, parked messages, envelopes that cannot be read in full), 2 when the command could not run.
"""
