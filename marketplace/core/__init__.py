"""What every domain stands on: database, unit of work, clock, facts, jobs, mail, permissions.

May not import any domain of `marketplace`, nor `search`, nor `billing`.
"""
