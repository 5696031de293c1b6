# Reads the user's own files as bash would have, then marks prompts and command lines.
__cockpit_nonce=$cp_nonce __cockpit_guard=$cp_guard __cockpit_login=$cp_login __cockpit_key=$cp_key
unset cp_nonce cp_guard cp_login cp_key
if [[ $__cockpit_login == 1 ]]; then
  [[ -r /etc/profile ]] && . /etc/profile
  if [[ -r ~/.bash_profile ]]; then
    . ~/.bash_profile
  elif [[ -r ~/.bash_login ]]; then
    . ~/.bash_login
  elif [[ -r ~/.profile ]]; then
    . ~/.profile
  fi
else
  [[ -r ~/.bashrc ]] && . ~/.bashrc
fi
__cockpit_mark() { builtin printf '\e]%s;%s\a' "$1" "$__cockpit_nonce"; }
__cockpit_text() { # REPLY: a text as a mark carries it
  local LC_ALL=C s=${1:0:65536}
  s=${s//\\/\\x5c} s=${s//;/\\x3b} s=${s//$'\n'/\\x0a} s=${s//$'\t'/\\x09}
  REPLY=${s//[$'\x01'-$'\x1f\x7f']/?}
}
if ((BASH_VERSINFO[0] * 100 + BASH_VERSINFO[1] < 404)); then
  __cockpit_mark "633;P;None=bash $BASH_VERSION is older than 4.4"
else
  __cockpit_lines=() __cockpit_asked='' __cockpit_number=0
  __cockpit_joined() {
    local IFS=$'\n' REPLY
    __cockpit_text "${__cockpit_lines[*]}${2:+${__cockpit_lines:+$'\n'}$2}"
    __cockpit_mark "633;$1;$REPLY"
  }
  __cockpit_take() { __cockpit_lines+=("$READLINE_LINE"); }
  __cockpit_started() {
    if [[ ${#__cockpit_lines[@]} -eq 0 ]]; then # accepted by some other key
      local last
      last=$(HISTTIMEFORMAT='' builtin history 1)
      [[ $last =~ ^\ *[0-9]+[*\ ]\ (.*)$ ]] && __cockpit_lines=("${BASH_REMATCH[1]}")
    fi
    __cockpit_joined E
    __cockpit_mark '133;C'
  }
  __cockpit_before() {
    local status=$? REPLY
    __cockpit_lines=()
    __cockpit_mark "133;D;$status"
    __cockpit_text "$PWD"
    __cockpit_mark "633;P;Cwd=$REPLY"
    return $status
  }
  __cockpit_after() {
    local status=$?
    if [[ $PS1 != *"$__cockpit_nonce"* ]]; then
      PS1="\\[\\e]133;A;$__cockpit_nonce\\a\\]$PS1\\[\\e]133;B;$__cockpit_nonce\\a\\]"
    fi
    if [[ $PS2 != *"$__cockpit_nonce"* ]]; then
      PS2="\\[\\e]633;P;More=;$__cockpit_nonce\\a\\]$PS2"
    fi
    return $status
  }
  if ((BASH_VERSINFO[0] * 100 + BASH_VERSINFO[1] >= 501)); then
    PROMPT_COMMAND=(__cockpit_before ${PROMPT_COMMAND+"${PROMPT_COMMAND[@]}"} __cockpit_after)
  else
    export -n PROMPT_COMMAND
    PROMPT_COMMAND="__cockpit_before"$'\n'"$PROMPT_COMMAND"$'\n'"__cockpit_after"
  fi
  export -n PS0
  PS0='$(__cockpit_started)'${PS0-}
  __cockpit_ask() { # the keymap; what was asked about is kept, so that no other line is accepted in its place
    if [[ -z ${READLINE_LINE//[[:space:]]/} && ${#__cockpit_lines[@]} -eq 0 ]]; then
      builtin bind -m "$1" '"\C-x\C-]3": "\C-x\C-]4\C-x\C-]5"'
    else
      builtin bind -m "$1" '"\C-x\C-]3": ""'
      __cockpit_asked=$READLINE_LINE __cockpit_number=$(((__cockpit_number + 1) % 10))
      __cockpit_joined "H;$__cockpit_number" "$READLINE_LINE"
    fi
  }
  __cockpit_go() { # the keymap, and the number of the question that is answered
    if [[ $2 == "$__cockpit_number" && $READLINE_LINE == "$__cockpit_asked" ]]; then
      builtin bind -m "$1" '"\C-x\C-]3": "\C-x\C-]4\C-x\C-]5"'
    else
      __cockpit_ask "$1"
    fi
  }
  # Enter takes three steps: history expansion; then the question, or taking the line; then accepting it or nothing.
  for __cockpit_map in emacs-standard emacs-meta vi-insert vi-command; do
    builtin bind -m "$__cockpit_map" '"\C-x\C-]1": history-expand-line'
    builtin bind -m "$__cockpit_map" -x "\"\\C-x\\C-]2\": __cockpit_ask $__cockpit_map"
    builtin bind -m "$__cockpit_map" -x '"\C-x\C-]4": __cockpit_take'
    builtin bind -m "$__cockpit_map" '"\C-x\C-]5": accept-line'
    for __cockpit_to in 0 1 2 3 4 5 6 7 8 9; do
      __cockpit_enter="\C-x\C-]6$__cockpit_to"
      builtin bind -m "$__cockpit_map" -x "\"$__cockpit_enter\": __cockpit_go $__cockpit_map $__cockpit_to"
      builtin bind -m "$__cockpit_map" "\"\C-x\C-]$__cockpit_key$__cockpit_to\": \"$__cockpit_enter\C-x\C-]3\""
    done
    if [[ $__cockpit_guard == 1 ]]; then
      __cockpit_enter='"\C-x\C-]1\C-x\C-]2\C-x\C-]3"'
    else
      __cockpit_enter='"\C-x\C-]1\C-x\C-]4\C-x\C-]5"'
    fi
    for __cockpit_to in '\C-m' '\C-j' '\C-o'; do
      builtin bind -m "$__cockpit_map" "\"$__cockpit_to\": $__cockpit_enter"
    done
  done 2>/dev/null
  unset __cockpit_map __cockpit_to __cockpit_enter
  __cockpit_mark '633;P;Shell=bash'
fi
