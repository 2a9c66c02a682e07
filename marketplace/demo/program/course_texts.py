"""The words of the demo's courses: lessons in Markdown; a right answer begins with a star."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Text:
    """A course: its settings, lessons (title, text) and questions (text, answers, explanation)."""

    settings: dict[str, Any]
    lessons: tuple[tuple[str, str], ...]
    questions: tuple[tuple[str, tuple[str, ...], str], ...]


INTEGRATE = Text(
    {
        "title": "Build an integration that lasts",
        "summary": "From the first permission to the last retry: what an integration needs so that "
        "customers keep it switched on for years.",
        "validity_months": 12,
        "pass_percent": 80,
        "attempts_allowed": 3,
        "wait_hours": 1,
        "drawn": 6,
    },
    (
        (
            "Ask for little",
            "Every permission is a question that a customer must answer before they have seen any "
            "use. Ask for what the **first** useful thing needs, and no more.\n\n"
            "- Read before write. Many integrations never need to write.\n"
            "- Say why, in one sentence that names the customer's gain: *to add the tides to your "
            "calendar*, not *for calendar access*.\n"
            "- A later feature can ask again. The customer knows you by then.\n\n"
            "A permission that was never used for ninety days is one that somebody will ask you "
            "about. Give it back before they do.",
        ),
        (
            "Expect every call to fail",
            "A network fails in three ways: it refuses, it does not answer, and it answers after "
            "you have given up. Only the third is dangerous.\n\n"
            "Give everything that creates something an **idempotency key** that you choose before "
            "the first try. A retry with the same key is then harmless, however late the first "
            "answer comes.\n\n"
            "Wait longer after each failure, with some randomness, and stop at some point: a "
            "thousand clients that retry in step are an attack.\n\n"
            "| What you see | What to do |\n|-|-|\n| no answer | try again with the same key |\n"
            "| 429 | wait as long as it says |\n| 4xx | stop, and tell a person |\n"
            "| 5xx | try again, later each time |",
        ),
        (
            "Take webhooks as hints",
            "A webhook can come twice, late, or out of order. It tells you **that** something "
            "changed. What it is now, you ask.\n\n"
            "1. Check the signature and the time in it.\n"
            "2. Write the event down under its id, and answer with 2xx at once.\n"
            "3. Work on it afterwards, by fetching the object.\n\n"
            "An event that you have seen is skipped by its id. One that never came is found by a "
            "nightly comparison, which you need anyway.",
        ),
        (
            "Leave well",
            "Customers judge an integration by how it ends. When they remove yours, forget their "
            "tokens at once, stop calling, and delete what you need not keep.\n\n"
            "Confirm an erasure when it is **done**, not when it is planned. And tell your own "
            "support what was removed, so that nobody switches it on again by kindness.",
        ),
    ),
    (
        (
            "Which permissions do you ask for at first?",
            (
                "* Those that the first useful thing needs",
                "All that you may ever need",
                "None, and you try calls until they work",
            ),
            "Each further permission is a reason not to install. You can ask again later.",
        ),
        (
            "A call that creates an invoice did not answer. What now?",
            (
                "Send it again with a new key",
                "* Send it again with the same idempotency key",
                "Take it as failed and tell the customer",
            ),
            "The first call may have worked. With the same key the second one finds its result.",
        ),
        (
            "What does a status of 429 ask of you?",
            ("* To wait as long as it says", "To try at once again", "To use another token"),
            "You were too fast. Another token would be a way around the limit, and noticed.",
        ),
        (
            "Which of these can happen to webhooks?",
            (
                "* One comes twice",
                "* A later one comes first",
                "* One comes hours late",
                "They always hold the newest state",
            ),
            "They are hints that something changed. Fetch the object to see what it is now.",
        ),
        (
            "When do you answer a webhook with 2xx?",
            (
                "* As soon as it is checked and written down",
                "When all work that follows is done",
                "Only when the object has really changed",
            ),
            "Whoever sends it waits for you, and tries again when you take too long.",
        ),
        (
            "A nightly comparison is superfluous once webhooks work.",
            ("True", "* False"),
            "Deliveries end after some days of failures. What never came is found by comparing.",
        ),
        (
            "A customer removes your integration. What do you do at once?",
            (
                "* Forget its tokens",
                "* Stop calling",
                "Keep the tokens for a month in case they come back",
            ),
            "They did not ask you to wait. Coming back is a new consent.",
        ),
        (
            "Clients that retry should all wait exactly the same time.",
            ("True", "* False"),
            "Then they come back in step. Some randomness spreads them.",
        ),
    ),
)

PROTECT = Text(
    {
        "title": "Keep customers’ data safe",
        "summary": "Secrets, access, incidents: what everybody who touches customers’ data here "
        "must know. Needed once a year.",
        "validity_months": 12,
        "pass_percent": 80,
        "attempts_allowed": 0,
        "time_limit_minutes": 20,
        "drawn": 5,
    },
    (
        (
            "Secrets have one home",
            "A secret belongs in one store that logs who read it, and nowhere else: not in code, "
            "not in a ticket, not in a chat.\n\n"
            "Give each service its own. Then a leak says where it was, and you exchange one secret "
            "and not all of them. Exchange them **before** somebody leaves, not after.\n\n"
            "What you have pasted somewhere counts as read by everybody who can see that place. "
            "Exchange it, then delete the message.",
        ),
        (
            "Access is for a task",
            "Nobody needs all customers' data to answer one customer. Grant access for a task and "
            "a time, and write down why.\n\n"
            "- Work on made-up data. A copy of real data is real data.\n"
            "- Look at a customer's account only when they have asked, and say so in the record.\n"
            "- Two people for what cannot be undone.",
        ),
        (
            "The first hour",
            "You notice something odd: a token used from a new country, a file that should not be "
            "public. In the first hour:\n\n"
            "1. **Tell** the person on duty. An alarm for nothing is welcome.\n"
            "2. **Stop** it: revoke the token, take the page down.\n"
            "3. **Keep** the logs. Do not tidy up.\n"
            "4. **Write** down what you did and when.\n\n"
            "Whom to notify, and until when, is decided by those who know the law. They can only "
            "decide once they know.",
        ),
    ),
    (
        (
            "You pasted a key into a chat by mistake. What is right?",
            (
                "Delete the message, nobody saw it",
                "* Exchange the key, then delete the message",
                "Wait whether it is misused",
            ),
            "Whoever can see the chat may have it. Only exchanging it helps.",
        ),
        (
            "Where may a secret be kept?",
            ("* In the secret store", "In the code, when the repository is private", "In a ticket"),
            "Repositories are copied, and tickets are read by many.",
        ),
        (
            "For testing, a copy of customers’ data is fine when nobody outside sees it.",
            ("True", "* False"),
            "A copy of real data is real data, with one more place to guard.",
        ),
        (
            "What do you do in the first hour of an incident?",
            (
                "* Tell the person on duty",
                "* Stop the leak",
                "* Keep the logs",
                "Clean up the logs",
            ),
            "The logs say what happened. Tidying them up destroys that.",
        ),
        (
            "You are not sure whether it is an incident. Do you tell somebody?",
            ("* Yes, at once", "Once I am sure", "Only when a customer asks"),
            "An alarm for nothing costs minutes. A late one costs much more.",
        ),
        (
            "Each service has a secret of its own. Why?",
            (
                "* A leak says where it was, and one exchange is enough",
                "It is faster",
                "So that they are easier to remember",
            ),
            "Shared secrets make every leak everybody's.",
        ),
    ),
)

TRAIN = Text(
    {
        "title": "Train others",
        "summary": "For people who teach colleagues and customers. Whoever passes may be "
        "registered as a trainer of their organization.",
        "validity_months": 24,
        "pass_percent": 80,
        "attempts_allowed": 3,
        "min_tier": "",
        "is_trainer": True,
    },
    (
        (
            "Begin with what they do on Monday",
            "Ask before you prepare: who comes, what did they try, what must they be able to do "
            "next week? A session has **one** answer to *what can you do now that you could not "
            "before*.\n\n"
            "Three goals are two too many. What does not serve the goal goes into a page to read "
            "afterwards.",
        ),
        (
            "They do it, you watch",
            "People remember what their hands did. Show a thing once, slowly; then let them do it "
            "with an account of their own, in the sandbox, while you watch.\n\n"
            "- Silence is work. Count to ten before you help.\n"
            "- Mistakes are the material: ask the room what happened.\n"
            "- End with each one doing it alone, without your notes.\n\n"
            "Write down who came and what did not work. The next session begins there.",
        ),
    ),
    (
        (
            "How many goals does a good session have?",
            ("* One", "At least three", "As many as fit into the slides"),
            "What serves no goal can be read afterwards.",
        ),
        (
            "What do you ask before you prepare?",
            (
                "* Who comes",
                "* What they must be able to do next week",
                "Which slides they like",
            ),
            "A session is for people with a task, not for a topic.",
        ),
        (
            "Somebody is stuck. What first?",
            ("Take the mouse", "* Wait, and count to ten", "Go on, they will follow"),
            "Most find it themselves, and remember it then.",
        ),
        (
            "Participants practise with customers’ real accounts.",
            ("True", "* False"),
            "That is what the sandbox is for.",
        ),
        (
            "How does a session end?",
            (
                "* Everybody does it once alone",
                "With a summary by you",
                "With questions, if there is time",
            ),
            "What they did alone they can do on Monday.",
        ),
    ),
)

COURSES = (INTEGRATE, PROTECT, TRAIN)
