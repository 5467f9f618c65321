def main(x):
    import ctypes

    b = ctypes.create_string_buffer(256)
    r = sysc(425, 8, ctypes.cast(b, ctypes.c_void_p))
    return {"breach": r[0] >= 0, "got": r}
