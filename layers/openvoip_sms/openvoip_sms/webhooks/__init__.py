"""From a sender's webhook to messages, as data: no boto3, no environment, no clock."""
