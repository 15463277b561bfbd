# The node image: one virtual machine, one play of Ansible, one cleanup.
#
# `python -m node_image build` gives every variable. Both Packer 1.6.6, which Debian has,
# and current versions read this file; plugins.pkr.hcl.in is for the latter alone.

variable "base" {
  type        = string
  description = "debian: the disk made here from Debian's packages. exordos: the platform's own base (not run here)."
}

variable "base_image" {
  type        = string
  description = "Path or address of the disk to begin with, in qcow2."
}

variable "base_checksum" {
  type        = string
  description = "sha256:... of that disk; Packer refuses another one."
}

variable "accelerator" {
  type = string
}

variable "cpu_model" {
  type        = string
  description = "host with kvm, max with tcg."
}

variable "disk_size" {
  type = string
}

variable "ssh_username" {
  type        = string
  description = "root on the Debian base, which has no other account; ubuntu on the platform's."
}

variable "ssh_private_key_file" {
  type = string
}

variable "seed_directory" {
  type        = string
  default     = ""
  description = "user-data and meta-data for cloud-init, which the platform's base has; empty for Debian's."
}

variable "network" {
  type        = string
  description = "isolated: everything is on the disk, and the machine reaches nobody. open: for a base that still needs packages."
}

variable "ansible_playbook" {
  type        = string
  description = "The program ansible-playbook."
}

variable "ansible_config" {
  type = string
}

variable "playbook" {
  type = string
}

variable "extra_vars" {
  type        = string
  description = "A JSON file with the layout, and the engine to install."
}

variable "cleanup" {
  type        = string
  description = "The script that ends the work, as root."
}

variable "output_directory" {
  type        = string
  description = "It must not exist yet."
}

variable "serial_log" {
  type        = string
  description = "What the machine writes to its console; kept when the build fails."
}

variable "image_file" {
  type = string
}

locals {
  as_root = var.ssh_username == "root" ? "" : "sudo "

  # Packer's own forward of ssh is open to the whole network of the building machine.
  restrict = var.network == "isolated" ? "restrict=on," : ""
  netdev   = "user,id=user.0,${local.restrict}hostfwd=tcp:127.0.0.1:{{ .SSHHostPort }}-:22"

  # The seed comes by HTTP, which needs no further tool: the address is told by the BIOS.
  seed   = "type=1,serial=ds=nocloud-net;s=http://{{ .HTTPIP }}:{{ .HTTPPort }}/"
  smbios = [for value in [local.seed] : ["-smbios", value] if var.seed_directory != ""]
  qemuargs = concat([
    ["-cpu", var.cpu_model],
    ["-netdev", local.netdev],
    ["-serial", "file:${var.serial_log}"],
  ], local.smbios)
}

source "qemu" "node" {
  iso_url            = var.base_image
  iso_checksum       = var.base_checksum
  disk_image         = true
  format             = "raw"
  disk_size          = var.disk_size
  skip_compaction    = true
  disk_interface     = "virtio-scsi"
  disk_cache         = "unsafe"
  disk_discard       = "unmap"
  disk_detect_zeroes = "unmap"
  output_directory   = var.output_directory
  vm_name            = var.image_file

  qemu_binary  = "qemu-system-x86_64"
  accelerator  = var.accelerator
  machine_type = "q35"
  cpus         = 2
  memory       = 1024
  net_device   = "virtio-net"
  headless     = true
  qemuargs     = local.qemuargs

  # Nothing is typed: without these Packer waits ten seconds for nothing.
  boot_wait      = "-1s"
  boot_command   = []
  http_directory = var.seed_directory

  communicator         = "ssh"
  ssh_username         = var.ssh_username
  ssh_private_key_file = var.ssh_private_key_file
  # An emulated machine may take a minute, and cloud-init brings the key after sshd.
  ssh_timeout            = "10m"
  ssh_handshake_attempts = 1000
  shutdown_command       = "${local.as_root}systemctl poweroff"
  shutdown_timeout       = "5m"
}

build {
  sources = ["source.qemu.node"]

  provisioner "ansible" {
    command       = var.ansible_playbook
    playbook_file = var.playbook
    user          = var.ssh_username
    # Packer 1.6.6 would offer a kind of host key that OpenSSH refuses by now.
    use_proxy       = false
    extra_arguments = ["--extra-vars", "@${var.extra_vars}"]
    ansible_env_vars = [
      "ANSIBLE_CONFIG=${var.ansible_config}",
      "ANSIBLE_NOCOLOR=1",
    ]
  }

  provisioner "shell" {
    execute_command  = "chmod +x {{ .Path }}; ${local.as_root}env {{ .Vars }} {{ .Path }}"
    environment_vars = ["BASE=${var.base}"]
    script           = var.cleanup
  }
}
