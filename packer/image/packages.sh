#!/bin/sh
# What the image has from Amazon Linux 2023's own repositories, at the version of them that the source image is locked
# to. Runs on Amazon Linux only.
set -eu

# The daemon's log goes to CloudWatch by the first, time comes by the second, access by the third, the release by the
# rest. All but the first are in the source image already, and are named so that they still are when that changes.
dnf install --assumeyes --setopt=install_weak_deps=False amazon-cloudwatch-agent chrony amazon-ssm-agent tar gzip
