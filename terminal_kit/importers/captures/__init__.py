"""Bluetooth HCI captures: what a phone or a computer writes of the talk with its Bluetooth controller.

`containers.py` sniffs the container and reads it as `Records`; `reading.py` turns the records of one phone's files into
the log's columns.
"""
