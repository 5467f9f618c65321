"""@@NAME@@

@@TASK@@

Input:
@@INPUT@@

Output:
@@OUTPUT@@
"""


def execute(input_data):
    """Returns @@RETURNS@@.

    The answer may also be wrapped: {"result": answer, "confidence": 0.0 to 1.0, "reason": "why"}.
    """
    raise NotImplementedError("program.py is still a skeleton: write the body of execute")
