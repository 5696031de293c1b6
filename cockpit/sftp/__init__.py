"""Files to and from hosts, over SFTP on the pooled connections: evidence in, uploads out."""
