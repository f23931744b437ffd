build {
  sources = ["source.amazon-ebs.integratord"]

  provisioner "file" {
    source      = local.release
    destination = "/tmp/integratord.tar.gz"
  }

  # root/, which becomes part of the file system, and the scripts.
  provisioner "file" {
    source      = "${path.root}/image"
    destination = "/tmp"
  }

  # cloud-init has to be done first: it still installs Packer's key and writes to the disk.
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

  # No image of a daemon that does not start: first by itself, and then as systemd starts it, with all that takes away.
  provisioner "shell" {
    execute_command = "sudo sh -eu '{{ .Path }}'"
    inline = [
      "sh /tmp/integratord-image/self-test.sh",
      "sh /tmp/integratord-image/self-test.sh --unit",
    ]
  }

  # Last: whatever ran before it may have left something.
  provisioner "shell" {
    execute_command = "sudo sh -eu '{{ .Path }}'"
    inline          = ["sh /tmp/integratord-image/clean-up.sh"]
  }

  # The AMI's id for the next step: packer/README.md shows how cdk deploy takes it from there.
  post-processor "manifest" {
    output     = "${path.root}/manifest.json"
    strip_path = true
    custom_data = {
      version      = local.version
      architecture = var.architecture
    }
  }
}
