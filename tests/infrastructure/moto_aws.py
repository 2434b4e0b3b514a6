"""moto as an AWS account that Terraform can work with: `python moto_aws.py PORT`.

moto takes every `Deny` of a bucket's policy as if its condition held, so that a bucket which
refuses requests without TLS refuses all. Here that condition, and no other, counts as not met.
"""

import json
import os
import sys

from moto.iam.access_control import IAMPolicy, PermissionResult
from moto.s3.models import FakeBucket
from moto.server import main

WITHOUT_TLS = {"Bool": {"aws:SecureTransport": "false"}}


def permission(bucket: FakeBucket, action: str, resource: str) -> PermissionResult:
    """What the bucket's policy says of a request that came by TLS."""
    policy = json.loads(bucket.policy) if bucket.policy else {"Statement": []}
    met = [each for each in policy["Statement"] if each.get("Condition") != WITHOUT_TLS]
    return IAMPolicy(json.dumps({**policy, "Statement": met})).is_action_permitted(action, resource)


if __name__ == "__main__":
    os.environ["MOTO_IAM_LOAD_MANAGED_POLICIES"] = "true"
    FakeBucket.get_permission = permission
    main(["--host", "127.0.0.1", "--port", sys.argv[1]])
