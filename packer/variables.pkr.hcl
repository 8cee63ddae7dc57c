variable "debs" {
  type        = string
  description = "Folder with k2hdkc-guest-agent_*_all.deb, k2hdkc-guest-agent-runtime_*_ARCH.deb and whatever else to install."
  default     = "dist/packages"
}

variable "packages" {
  type        = string
  description = "Packages to install beside those, as apt-get knows them; NAME=VERSION too."
  default     = "chmpx k2hdkc k2hash"
}

variable "package_source" {
  type        = string
  description = "Line of sources.list where they are, for example: deb [signed-by=/etc/apt/keyrings/k2hdkc.asc] https://HOST/debian bookworm main"
  default     = ""
}

variable "package_key" {
  type        = string
  description = "File with the key of that source, on the machine that builds."
  default     = "/dev/null"
}

variable "base_image" {
  type        = string
  description = "qemu: file or URL of a Debian 12 cloud image (qcow2 or raw)."
  default     = ""
}

variable "base_image_checksum" {
  type        = string
  description = "qemu: its checksum as TYPE:VALUE, or none."
  default     = "none"
}

variable "accelerator" {
  type        = string
  description = "qemu: kvm, or tcg where there is no KVM."
  default     = "kvm"
}

variable "qemu_args" {
  type        = list(list(string))
  description = "qemu: further arguments."
  default     = [["-cpu", "host"]]
}

variable "disk_size" {
  type        = string
  description = "qemu: size of the disk."
  default     = "3G"
}

variable "seed" {
  type        = string
  description = "qemu: folder of packer/seed, with user-data and meta-data."
  default     = "packer/.seed"
}

variable "ssh_private_key_file" {
  type        = string
  description = "qemu: the key file of packer/seed."
  default     = "packer/.seed/key"
}

variable "output_directory" {
  type        = string
  description = "qemu: where the image goes; the folder must not exist."
  default     = "dist/image"
}

variable "image_name" {
  type        = string
  description = "Name of the image, in Glance too."
  default     = "k2hdkc-guest"
}

variable "openstack_source_image" {
  type        = string
  description = "openstack: name of a Debian 12 cloud image in Glance."
  default     = "debian-12"
}

variable "openstack_flavor" {
  type        = string
  description = "openstack: flavor of the VM that builds."
  default     = "m1.small"
}

variable "openstack_networks" {
  type        = list(string)
  description = "openstack: ids of its networks; it must reach the package source."
  default     = []
}
