build {
  sources = ["source.amazon-ebs.integratord"]

  provisioner "file" {
    source      = local.release
    destination = "/tmp/integratord.tar.gz"
  }

  # The scripts, and root/, which configure.sh copies into the file system.
  provisioner "file" {
    source      = "${path.root}/image"
    destination = "/tmp"
  }

  # cloud-init must finish first: it installs Packer's key and writes to the disk.
  provisioner "shell" {
    execute_command = "sudo sh -eu '{{ .Path }}'"
    inline = [
      "cloud-init status --wait",
      "mv /tmp/image /tmp/integratord-image",
      "sh /tmp/integratord-image/packages.sh",
      "mkdir /tmp/integratord-release",
      "tar -xzf /tmp/integratord.tar.gz -C /tmp/integratord-release --strip-components=1",
      "sh /tmp/integratord-release/install.sh",
      "sh /tmp/integratord-image/configure.sh",
    ]
  }

  # No image of a daemon that does not start, by itself and in systemd's sandbox.
  provisioner "shell" {
    execute_command = "sudo sh -eu '{{ .Path }}'"
    inline = [
      "sh /tmp/integratord-image/self-test.sh",
      "sh /tmp/integratord-image/self-test.sh --unit",
    ]
  }

  # Last: every earlier step may leave something behind.
  provisioner "shell" {
    execute_command = "sudo sh -eu '{{ .Path }}'"
    inline          = ["sh /tmp/integratord-image/clean-up.sh"]
  }

  # The AMI's id for the next step: packer/README.md shows how to pass it to cdk deploy.
  post-processor "manifest" {
    output     = "${path.root}/manifest.json"
    strip_path = true
    custom_data = {
      version      = local.version
      architecture = var.architecture
    }
  }
}
