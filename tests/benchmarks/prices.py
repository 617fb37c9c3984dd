"""AWS's list prices in us-east-1, in US dollars, without free tiers.

Source: the pricing page of each service, aws.amazon.com/<service>/pricing/. Durable operations are by a
copy of that page of 20 September 2026, DynamoDB by its prices since November 2024; the others are long-
standing list prices that were not looked up on a particular day. Other regions differ by up to a fifth. A
price that changes is changed here; then run `make cost`.
"""

from dataclasses import dataclass

MILLION = 1_000_000


@dataclass(frozen=True)
class Price:
    """The price of one unit, and its service on the bill."""

    service: str
    unit: str
    dollars: float


PRICES = {
    "api": Price("API Gateway (HTTP)", "1 million requests: 1.00", 1.00 / MILLION),
    "invocation": Price("Lambda", "1 million requests: 0.20", 0.20 / MILLION),
    "gb_second": Price("Lambda", "1 million GB-seconds (arm64): 13.33", 0.0000133334),
    "durable": Price("Lambda", "1 million durable operations: 8.00", 8.00 / MILLION),
    "event": Price("EventBridge", "1 million events of one's own: 1.00", 1.00 / MILLION),
    "sqs": Price("SQS", "1 million requests: 0.40", 0.40 / MILLION),
    "write": Price("DynamoDB", "1 million write units (1 KB): 0.625", 0.625 / MILLION),
    "read": Price("DynamoDB", "1 million read units (4 KB): 0.125", 0.125 / MILLION),
    "stored_gb": Price("DynamoDB", "1 GB and month, with point-in-time recovery: 0.45", 0.25 + 0.20),
    "secret": Price("Secrets Manager", "1 secret and month: 0.40", 0.40),
    "secret_call": Price("Secrets Manager", "10,000 calls: 0.05", 0.05 / 10_000),
    "key": Price("KMS", "1 key and month: 1.00", 1.00),
    "log_gb": Price("CloudWatch", "1 GB of logs: 0.50", 0.50),
    "metric": Price("CloudWatch", "1 custom metric and month: 0.30", 0.30),
    "alarm": Price("CloudWatch", "1 metric of an alarm and month: 0.10", 0.10),
    "dashboard": Price("CloudWatch", "1 dashboard and month: 3.00", 3.00),
    "trace": Price("X-Ray", "1 million traces: 5.00", 5.00 / MILLION),
    "s3_put": Price("S3", "1,000 writes and lists: 0.005", 0.005 / 1000),
    "s3_get": Price("S3", "1,000 reads: 0.0004", 0.0004 / 1000),
}
