"""scikit-learn on the same rows: reads {"kind", "train", "test"} from stdin and prints, as a line for each model, its answers."""
import json
import sys
import warnings

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_union
from sklearn.preprocessing import OrdinalEncoder
from sklearn.svm import LinearSVC

warnings.filterwarnings("ignore")
task = json.load(sys.stdin)


def texts(rows):
    return ["\n".join(str(value) for value in row["input"].values() if value is not None) for row in rows]


def text_columns():
    union = make_union(
        TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True),
        TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True),
    )
    return union.fit_transform(texts(task["train"])), union.transform(texts(task["test"]))


def table_columns():
    """Numbers as they are, categories by number; strings with many values are left out."""
    train, test = [], []
    for name in task["train"][0]["input"]:
        own, asked = ([row["input"].get(name) for row in rows] for rows in (task["train"], task["test"]))
        known = [value for value in own if value is not None]
        if all(isinstance(value, (int, float)) for value in known):
            train.append([np.nan if value is None else float(value) for value in own])
            test.append([np.nan if value is None else float(value) for value in asked])
        elif len(set(known)) <= max(30, 0.2 * len(known)):
            encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
            train.append(encoder.fit_transform([[str(value)] for value in own])[:, 0])
            test.append(encoder.transform([[str(value)] for value in asked])[:, 0])
    return np.array(train, float).T, np.array(test, float).T


is_number = task["kind"] == "number"
if task["kind"] == "text":
    train, test = text_columns()
    models = {"linear SVM": LinearSVC(), "logistic regression": LogisticRegression(C=10, max_iter=300)}
else:
    train, test = table_columns()
    models = {
        "gradient boosting": (HistGradientBoostingRegressor if is_number else HistGradientBoostingClassifier)(random_state=0),
        "random forest": (RandomForestRegressor if is_number else RandomForestClassifier)(random_state=0),
    }
only = task.get("only")
outputs = [row["output"] for row in task["train"]]
for name, model in models.items():
    if only and name != only:
        continue
    forest = name == "random forest"
    model.fit(np.nan_to_num(train, nan=-999) if forest else train, outputs)
    given = model.predict(np.nan_to_num(test, nan=-999) if forest else test).tolist()
    print(json.dumps({"model": name, "answers": given}), flush=True)
