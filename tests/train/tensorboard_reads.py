"""What real TensorBoard reads in a folder of event files: a line for each number, its tag, step and value.

usage: tensorboard_reads.py FOLDER
"""
import logging
import sys

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

logging.disable()  # it tells of steps that it forgets, as it was told to
events = EventAccumulator(sys.argv[1])
events.Reload()
for tag in sorted(events.Tags()["scalars"]):
    for event in events.Scalars(tag):
        print(tag, event.step, event.value)
