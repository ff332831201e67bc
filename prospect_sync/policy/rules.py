"""The field rules by name: what each id says, in one sentence, and who says so.

The manual's table and the explanations are made from this; a decision carries one of these ids and no other. Which rule
applies when is not decided here.
"""

from collections.abc import Mapping as MappingOf
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class Source(StrEnum):
    """Who says that a rule is so."""

    ARTICLE = "the article “How Sync Behavior Works”"
    CONNECTOR = "other documented behavior of the native connector"
    OURS = "our own rule where the documents are silent"


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: its id, what it says, and its source."""

    id: str
    says: str
    source: Source


RULES: MappingOf[str, Rule] = MappingProxyType(
    {
        rule.id: rule
        for rule in (
            Rule("UNREAD", "One side was not read, so nothing is written.", Source.OURS),
            Rule("SAME", "Both sides say the same, or both are empty; nothing is written.", Source.ARTICLE),
            Rule("AE-1", "Account Engagement's value is used.", Source.ARTICLE),
            Rule("AE-2", "Account Engagement's value is used, but it is empty: Salesforce's fills it.", Source.ARTICLE),
            Rule("AE-3", "Account Engagement's value fills the empty Salesforce field.", Source.ARTICLE),
            Rule("SF-1", "Salesforce's value is used.", Source.ARTICLE),
            Rule("SF-2", "Salesforce's value is used, but it is empty: Account Engagement's fills it.", Source.ARTICLE),
            Rule(
                "SF-3", "Salesforce's value is used, and blank values count: the prospect is emptied.", Source.ARTICLE
            ),
            Rule("SF-4", "Salesforce's value fills the empty prospect field.", Source.ARTICLE),
            Rule("RF-1", "The field was changed later on the winning side.", Source.ARTICLE),
            Rule("RF-2", "Only one side has a value; it fills the other, whichever is later.", Source.ARTICLE),
            Rule("RR-1", "The record was changed later on the winning side.", Source.ARTICLE),
            Rule("RR-2", "Only one side has a value; it fills the other, whichever is later.", Source.ARTICLE),
            Rule("TIE", "The times prove no order; the mapping's choice for ties decides.", Source.OURS),
            Rule("UNK", "One side's field time is not known; the mapping's choice for that decides.", Source.OURS),
            Rule("ECHO", "The side stored our write in its own way; neither has changed since.", Source.OURS),
            Rule(
                "CL-1", "Salesforce was emptied, and this field lets that count: the prospect is emptied.", Source.OURS
            ),
            Rule("CL-2", "One side was cleared on purpose; the clearing takes part like a value.", Source.OURS),
            Rule("FB-1", "Only blanks are filled; the one value there is fills the other side.", Source.OURS),
            Rule("FB-2", "Only blanks are filled; two values that differ are left alone.", Source.OURS),
            Rule("PR-1", "Score, grade and campaign go from Account Engagement to Salesforce only.", Source.CONNECTOR),
            Rule(
                "PR-2", "The assigned user follows Salesforce's owner, through the mapping's users.", Source.CONNECTOR
            ),
            Rule("OO-2", "Opted Out by the later change needs field history, which is not available.", Source.ARTICLE),
            Rule("EM-1", "There is one prospect per address, and the prospect's address is used.", Source.ARTICLE),
            Rule("EM-2", "Salesforce's address changed: a new prospect is created for it.", Source.ARTICLE),
            Rule("EM-3", "Salesforce's address changed, and the prospect follows it.", Source.ARTICLE),
            Rule("CO-1", "The contact has an account: the company is the account's name.", Source.ARTICLE),
        )
    }
)
