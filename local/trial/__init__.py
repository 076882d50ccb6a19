"""What a payload would cause at a source, in every step and with every reason; nothing is sent."""

from local.trial.call import Call, NotTried, call_of
from local.trial.facts import Trial
from local.trial.outcome import try_source
from local.trial.text import as_text

__all__ = ["Call", "NotTried", "Trial", "as_text", "call_of", "try_source"]
