# The guest image: `packer build packer/` (docs/operating/guest-image.md).

source "qemu" "guest" {
  iso_url              = var.base_image
  iso_checksum         = var.base_image_checksum
  disk_image           = true
  disk_size            = var.disk_size
  format               = "qcow2"
  disk_compression     = true
  accelerator          = var.accelerator
  qemuargs             = var.qemu_args
  memory               = 1024
  headless             = true
  cd_files             = ["${var.seed}/user-data", "${var.seed}/meta-data"]
  cd_label             = "cidata"
  ssh_username         = "packer"
  ssh_private_key_file = var.ssh_private_key_file
  ssh_timeout          = "25m"
  shutdown_command     = "sudo sh -c 'userdel --force --remove packer; rm -f /etc/sudoers.d/90-cloud-init-users; poweroff'"
  output_directory     = var.output_directory
  vm_name              = "${var.image_name}.qcow2"
}

source "openstack" "guest" {
  image_name        = var.image_name
  source_image_name = var.openstack_source_image
  flavor            = var.openstack_flavor
  networks          = var.openstack_networks
  ssh_username      = "debian"
  config_drive      = true
}

build {
  sources = ["source.qemu.guest", "source.openstack.guest"]

  provisioner "shell" {
    inline = ["cloud-init status --wait || true", "mkdir -p /tmp/k2hdkc"]
  }
  provisioner "file" {
    source      = "${var.debs}/"
    destination = "/tmp/k2hdkc"
  }
  provisioner "file" {
    source      = var.package_key
    destination = "/tmp/k2hdkc.asc"
  }
  provisioner "file" {
    sources     = ["${path.root}/provision", "${path.root}/clean", "${path.root}/check-image"]
    destination = "/tmp/"
  }
  provisioner "shell" {
    environment_vars = [
      "K2HDKC_PACKAGES=${var.packages}",
      "K2HDKC_SOURCE=${var.package_source}",
      "K2HDKC_KEY=${var.package_source == "" ? "" : "/tmp/k2hdkc.asc"}",
    ]
    inline = ["sudo -E sh /tmp/provision /tmp/k2hdkc", "sudo cp /tmp/clean /tmp/check-image /root/"]
  }
  provisioner "shell" {
    inline = ["dpkg-query --show --showformat '$${Package} $${Version}\\n' > /tmp/packages.txt"]
  }
  provisioner "file" {
    direction   = "download"
    source      = "/tmp/packages.txt"
    destination = "${var.output_directory}/packages.txt"
  }
  # The session outlives its key. What would not work ends the build.
  provisioner "shell" {
    inline = [
      "sudo sh /root/clean",
      "sudo sh /root/check-image",
      "sudo rm /root/clean /root/check-image",
    ]
  }
}
