"""A shop that takes reviews: spam is refused, the rest gets its sentiment and its department."""

import json
import sys

from loopai import LoopaiClient


class EcommercePlatform:
    def __init__(self):
        self.spam_detector = LoopaiClient("spam-detector-001")
        self.sentiment_analyzer = LoopaiClient("sentiment-analyzer-001")
        self.product_categorizer = LoopaiClient("product-categorizer-001")

    def process_review(self, review):
        # Check if review is spam
        if self.spam_detector.execute({"text": review})["output"] == "spam":
            return {"status": "rejected", "reason": "spam"}

        # Analyze sentiment
        sentiment = self.sentiment_analyzer.execute({"text": review})["output"]

        # Categorize product
        category = self.product_categorizer.execute({"text": review})["output"]

        return {"status": "approved", "sentiment": sentiment, "category": category}


if __name__ == "__main__":
    shop = EcommercePlatform()
    for review in sys.stdin:
        print(json.dumps(shop.process_review(review.strip())))
