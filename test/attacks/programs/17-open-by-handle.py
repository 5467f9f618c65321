def main(x):
    import ctypes

    handle = ctypes.create_string_buffer((120).to_bytes(4, "little") + bytes(124), 128)
    mount = ctypes.create_string_buffer(8)
    named = sysc(
        303,
        -100,
        sys.executable.encode(),
        ctypes.cast(handle, ctypes.c_void_p),
        ctypes.cast(mount, ctypes.c_void_p),
        0,
    )
    opened = sysc(304, -100, ctypes.cast(handle, ctypes.c_void_p), 0)
    return {"breach": named[0] >= 0 or opened[0] >= 0, "got": [named, opened]}
