#!/bin/sh
# Installs packages of Amazon Linux 2023, from the repository version that the source image is locked to. Runs only on
# Amazon Linux.
set -eu

# In this order: for the daemon's log, for time, for access, to unpack the release. All but the first are already in the
# source image, and are listed in case that changes.
dnf install --assumeyes --setopt=install_weak_deps=False amazon-cloudwatch-agent chrony amazon-ssm-agent tar gzip
