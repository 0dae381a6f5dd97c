"""Checks a text of somebody else against what is known, sentence by sentence.

Only hashes of words, numbers, dates and ids are sent to the database, in no case words of the text.
"""
