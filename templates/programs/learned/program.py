"""Answers as learned by loopai from labelled examples; the comments below name the task and what speaks most for each answer.

What was learned is in model.json, how it is used is in this file: `execute` at its end is where to start reading. Only the
standard library is used.
"""
# Name: @@NAME@@
# Task: @@TASK@@
#
# What it looks at most:
@@NOTES@@

@@IMPORTS@@

with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "model.json"), encoding="utf-8") as file:
    MODEL = json.load(file)

@@BODY@@
