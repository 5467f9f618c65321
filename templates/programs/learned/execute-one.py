ORDER = MODEL["order"]  # the order in which properties of the input are read
LINEAR = linear(MODEL["linear"])
READ = reading(MODEL["heads"][0]["reading"])


def execute(input_data):
    result, confidence = READ(LINEAR(tokenize("\n".join(pieces(input_data, ORDER, "")))))
    return {"result": result, "confidence": confidence}
