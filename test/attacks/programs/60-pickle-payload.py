def main(x):
    import pickle

    try:
        return {"breach": pickle.load(open(HERE + "/model.pkl", "rb")) == 0}
    except BaseException as e:
        return {"breach": False, "got": repr(e)[:100]}
