# `packer init packer` fetches these. In a file of its own, because Packer 1.6, which test/packer checks the rest with,
# does not know the block.
packer {
  required_version = ">= 1.9.0"

  required_plugins {
    amazon = {
      source  = "github.com/hashicorp/amazon"
      version = ">= 1.3.2, < 2.0.0"
    }
  }
}
