"""Who knows which hosts there are: ssh_config, Ansible's inventories, and commands that print them."""
