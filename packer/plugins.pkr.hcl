# `packer init packer` downloads these. In a separate file, because Packer 1.6, with which test/packer checks the rest,
# does not know this block.
packer {
  required_version = ">= 1.9.0"

  required_plugins {
    amazon = {
      source  = "github.com/hashicorp/amazon"
      version = ">= 1.3.2, < 2.0.0"
    }
  }
}
