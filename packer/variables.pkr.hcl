variable "architecture" {
  type        = string
  description = "Architecture of the image and its instances: arm64 or x86_64."
  default     = "arm64"

  validation {
    condition     = contains(["arm64", "x86_64"], var.architecture)
    error_message = "The architecture must be arm64 or x86_64."
  }
}

variable "release" {
  type        = string
  description = "Release tarball built by `npm run release`; \"\" is release/integratord-VERSION-linux-ARCH.tar.gz."
  default     = ""
}

variable "region" {
  type        = string
  description = "Region of the build and of the image; \"\" is the region of AWS_PROFILE."
  default     = env("AWS_REGION")
}

variable "ami_regions" {
  type        = list(string)
  description = "Further regions that get a copy of the image."
  default     = []
}

variable "ami_users" {
  type        = list(string)
  description = "Accounts that may launch the image; they need a kms_key_id whose policy allows them to use it."
  default     = []
}

variable "kernel" {
  type        = string
  description = "Kernel line of Amazon Linux 2023: 6.1, 6.12 or 6.18."
  default     = "6.12"
}

variable "kms_key_id" {
  type        = string
  description = "KMS key of the root volume: id, ARN or alias; \"\" is the account's default key for EBS."
  default     = ""
}

variable "instance_type" {
  type        = string
  description = "Type of the build instance; \"\" is t4g.small, or t3.small for x86_64."
  default     = ""
}

variable "root_volume_gib" {
  type        = number
  description = "Size of the root volume. The system uses 2 GiB, the logs up to 1 GiB."
  default     = 10

  # cdk/launch.ts gives instances 20 GiB, and EC2 does not launch one whose volume is smaller than its image.
  validation {
    condition     = var.root_volume_gib >= 8 && var.root_volume_gib <= 20
    error_message = "The root_volume_gib must be from 8, the size of the source image, to 20, the size of instances."
  }
}

variable "vpc_id" {
  type        = string
  description = "VPC of the build instance; \"\" is the default VPC."
  default     = ""
}

variable "subnet_id" {
  type        = string
  description = "Subnet of the build instance; it must reach Amazon Linux's repositories, which are on S3."
  default     = ""
}

variable "ssh_interface" {
  type        = string
  description = "How Packer reaches the build instance: public_ip, private_ip, or session_manager, which opens no port."
  default     = "public_ip"

  validation {
    condition     = contains(["public_ip", "private_ip", "session_manager"], var.ssh_interface)
    error_message = "The ssh_interface must be public_ip, private_ip or session_manager."
  }
}

variable "iam_instance_profile" {
  type        = string
  description = "Instance profile of the build instance; session_manager needs one with AmazonSSMManagedInstanceCore. It is not part of the image."
  default     = ""
}
