"""What programs are given in a language of their own: SQL, a shell's line, an awk script. A judge a file."""
