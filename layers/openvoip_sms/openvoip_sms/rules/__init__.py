"""Rules without side effects: no boto3, no environment, no clock."""
