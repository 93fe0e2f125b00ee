"""Contacts out of files: `rows` reads a file's rows, `columns` knows what is in them, `drafts` makes contacts of them.

Nothing here knows a database or waits. A file is read once, row by row, and never held.
"""
