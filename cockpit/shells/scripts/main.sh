# Starts the account's own shell with what marks its command lines; run by sh with everything in its arguments.
# $cp_nonce, $cp_guard, $cp_login, $cp_key, $nl and the scripts $cp_bash, $cp_zsh and $cp_fish are set by then.
export COLORTERM=truecolor
cp_shell=${SHELL:-}
[ -x "$cp_shell" ] || cp_shell=/bin/sh
cp_none() { printf '\033]633;P;None=%s;%s\007' "$1" "$cp_nonce"; }
case ${cp_shell##*/} in
bash)
  cp_set="cp_nonce=$cp_nonce cp_guard=$cp_guard cp_login=$cp_login cp_key=$cp_key"
  exec "$cp_shell" -c 'exec "$0" --rcfile <(printf %s "$1") -i' "$cp_shell" "$cp_set$nl$cp_bash"
  ;;
zsh)
  COCKPIT_SET="$cp_nonce $cp_guard $cp_login $cp_key" COCKPIT_ZSH=$cp_zsh
  # A mark for lines without an end is expanded once before the first prompt: that makes the function that does the rest.
  PROMPT_EOL_MARK='${${functions[precmd]::=$COCKPIT_ZSH}:+}'
  export COCKPIT_SET COCKPIT_ZSH PROMPT_EOL_MARK
  [ "$cp_login" = 1 ] && exec "$cp_shell" -l -f -i -o promptsubst
  exec "$cp_shell" -f -i -o promptsubst
  ;;
fish)
  COCKPIT_SET="$cp_nonce $cp_guard $cp_login $cp_key" COCKPIT_FISH=$cp_fish
  export COCKPIT_SET COCKPIT_FISH
  [ "$cp_login" = 1 ] && exec "$cp_shell" -l -i -C 'printf %s $COCKPIT_FISH | source'
  exec "$cp_shell" -i -C 'printf %s $COCKPIT_FISH | source'
  ;;
*)
  cp_none "${cp_shell##*/} can't be asked for its command lines"
  [ "$cp_login" = 1 ] && exec "$cp_shell" -l
  exec "$cp_shell" -i
  ;;
esac
