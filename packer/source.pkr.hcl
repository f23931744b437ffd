locals {
  version = jsondecode(file("${path.root}/../package.json")).version
  # Node's names for the architectures.
  node_architecture = { arm64 = "arm64", x86_64 = "x64" }[var.architecture]
  build_instance    = { arm64 = "t4g.small", x86_64 = "t3.small" }[var.architecture]
  tarball           = "integratord-${local.version}-linux-${local.node_architecture}.tar.gz"
  release           = var.release != "" ? var.release : "${path.root}/../release/${local.tarball}"
  built_at          = formatdate("YYYYMMDD-hhmmss", timestamp())
}

source "amazon-ebs" "integratord" {
  region          = var.region
  ami_name        = "integratord-${local.version}-${var.architecture}-${local.built_at}"
  ami_regions     = var.ami_regions
  ami_users       = var.ami_users
  ami_description = "integratord ${local.version}: real-time transcription of Amazon Connect calls with Deepgram"

  # "amazon" is an alias for AWS's own accounts, so no foreign image with such a name can match. The dot after 2023
  # excludes the minimal images and those for ECS, which have no SSM agent.
  source_ami_filter {
    filters = {
      name                = "al2023-ami-2023.*-kernel-${var.kernel}-${var.architecture}"
      architecture        = var.architecture
      root-device-type    = "ebs"
      virtualization-type = "hvm"
    }
    owners      = ["amazon"]
    most_recent = true
  }

  # Encrypted from the start, so that the image's snapshot is encrypted without another copy.
  launch_block_device_mappings {
    device_name           = "/dev/xvda"
    volume_type           = "gp3"
    iops                  = 3000
    throughput            = 125
    volume_size           = var.root_volume_gib
    encrypted             = true
    kms_key_id            = var.kms_key_id
    delete_on_termination = true
  }

  instance_type        = var.instance_type != "" ? var.instance_type : local.build_instance
  iam_instance_profile = var.iam_instance_profile
  vpc_id               = var.vpc_id
  subnet_id            = var.subnet_id
  shutdown_behavior    = "terminate"

  ssh_username  = "ec2-user"
  ssh_interface = var.ssh_interface
  # The key pair exists only for this build; clean-up.sh removes what it leaves in the file system.

  # newer than Packer 1.6, until the next such line: test/packer removes this part for that version.
  imds_support                              = "v2.0"
  temporary_key_pair_type                   = "ed25519"
  temporary_security_group_source_public_ip = var.ssh_interface == "public_ip"
  # IMDSv2 only, on the build instance; imds_support is for every instance of the image.
  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }
  # newer than Packer 1.6: end

  run_tags = {
    Name = "integratord image build"
  }
  tags = {
    Name         = "integratord ${local.version}"
    Version      = local.version
    Architecture = var.architecture
    SourceImage  = "{{ .SourceAMIName }}"
  }
}
