variable "architecture" {
  type        = string
  description = "Of the image and of the instances that run it: arm64, or x86_64."
  default     = "arm64"

  validation {
    condition     = contains(["arm64", "x86_64"], var.architecture)
    error_message = "The architecture has to be arm64 or x86_64."
  }
}

variable "release" {
  type        = string
  description = "The release tarball that `npm run release` made; \"\" takes release/integratord-VERSION-linux-ARCH.tar.gz."
  default     = ""
}

variable "region" {
  type        = string
  description = "Where the image is built and registered; \"\" takes the region of AWS_PROFILE."
  default     = env("AWS_REGION")
}

variable "kernel" {
  type        = string
  description = "Kernel line of Amazon Linux 2023: 6.1, 6.12 or 6.18."
  default     = "6.12"
}

variable "kms_key_id" {
  type        = string
  description = "Key of the root volume: id, ARN or alias; \"\" takes the account's default key for EBS."
  default     = ""
}

variable "instance_type" {
  type        = string
  description = "Of the build instance; \"\" takes t4g.small, or t3.small for x86_64."
  default     = ""
}

variable "root_volume_gib" {
  type        = number
  description = "Size of the root volume. The system takes 2 GiB, the logs up to 1 GiB."
  default     = 10

  # cdk/launch.ts gives an instance 20 GiB, and EC2 launches none whose volume is smaller than its image.
  validation {
    condition     = var.root_volume_gib >= 8 && var.root_volume_gib <= 20
    error_message = "The root_volume_gib has to be from 8, as the source image has them, to 20, as instances have them."
  }
}

variable "vpc_id" {
  type        = string
  description = "Where the build instance runs; \"\" takes the default VPC."
  default     = ""
}

variable "subnet_id" {
  type        = string
  description = "Where the build instance runs; it must reach Amazon Linux's repositories, which S3 serves."
  default     = ""
}

variable "ssh_interface" {
  type        = string
  description = "How Packer reaches the build instance: public_ip, private_ip, or session_manager, which opens no port."
  default     = "public_ip"

  validation {
    condition     = contains(["public_ip", "private_ip", "session_manager"], var.ssh_interface)
    error_message = "The ssh_interface has to be public_ip, private_ip or session_manager."
  }
}

variable "iam_instance_profile" {
  type        = string
  description = "Of the build instance; session_manager needs one with AmazonSSMManagedInstanceCore. The image keeps nothing of it."
  default     = ""
}
