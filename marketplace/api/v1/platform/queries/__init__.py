"""What the platform API reads: select() only, a file per subject.

Everything is asked for one partner, or one installation, in one environment. Lists are read by
row number from a place on, one row more than the page has.
"""
