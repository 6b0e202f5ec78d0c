"""Stories in the simulated air, told from records: what a capture shows, lived again under another policy.

`recording.py` gives each reader of a frame one name, `passages.py` takes from it what was recorded around each drop,
`replay.py` lets a terminal live through one of them, `what_if.py` compares policies.
"""
