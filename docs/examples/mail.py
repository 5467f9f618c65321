"""An e-mail client: spam goes away, the rest into its folder with its priority."""

import json
import sys
from dataclasses import asdict, dataclass

from loopai import LoopaiClient


@dataclass
class Email:
    subject: str
    body: str


class EmailClient:
    def __init__(self):
        self.spam_detector = LoopaiClient("spam-detector-001")
        self.email_categorizer = LoopaiClient("email-categorizer-001")
        self.priority_scorer = LoopaiClient("priority-scorer-001")

    def process_incoming_email(self, email):
        # Filter spam
        if self.spam_detector.execute({"text": email.body})["output"] == "spam":
            return "move_to_spam"

        # Categorize
        category = self.email_categorizer.execute({"subject": email.subject, "body": email.body})["output"]

        # Score priority
        priority = self.priority_scorer.execute({"email": asdict(email)})["output"]

        return {"folder": category, "priority": priority}


if __name__ == "__main__":
    client = EmailClient()
    for line in sys.stdin:
        print(json.dumps(client.process_incoming_email(Email(**json.loads(line)))))
