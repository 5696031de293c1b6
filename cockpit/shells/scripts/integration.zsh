# The body of a function `precmd` that runs once, before the first prompt. The user's files must be read outside of
# any function, else what they declare would be local: `sched` does that, right after this.
unfunction precmd
unset PROMPT_EOL_MARK COCKPIT_ZSH
typeset -g __cockpit_nonce=${${(s: :)COCKPIT_SET}[1]} __cockpit_guard=${${(s: :)COCKPIT_SET}[2]}
typeset -g __cockpit_bound= __cockpit_asked= __cockpit_number=0
typeset -g __cockpit_login=${${(s: :)COCKPIT_SET}[3]} __cockpit_key=${${(s: :)COCKPIT_SET}[4]}
unset COCKPIT_SET
unsetopt promptsubst
setopt rcs
__cockpit_mark() { builtin print -rn -- $'\e]'"$1;$__cockpit_nonce"$'\a' }
__cockpit_text() {
  emulate -L zsh
  local LC_ALL=C s=${1[1,65536]}
  s=${s//\\/\\x5c} s=${s//;/\\x3b} s=${s//$'\n'/\\x0a} s=${s//$'\t'/\\x09}
  REPLY=${s//[$'\x01'-$'\x1f'$'\x7f']/?}
}
__cockpit_preexec() {
  local REPLY
  __cockpit_text "${1:-$3}"
  __cockpit_mark "633;E;$REPLY"
  __cockpit_mark '133;C'
}
__cockpit_precmd() {
  local __cockpit_status=$? REPLY
  __cockpit_mark "133;D;$__cockpit_status"
  __cockpit_text "$PWD"
  __cockpit_mark "633;P;Cwd=$REPLY"
  return $__cockpit_status
}
__cockpit_wrap() {
  emulate -L zsh
  if [[ $PS1 != *"$__cockpit_nonce"* ]]; then
    PS1=$'%{\e]133;A;'"$__cockpit_nonce"$'\a%}'"$PS1"$'%{\e]133;B;'"$__cockpit_nonce"$'\a%}'
  fi
  if [[ $PS2 != *"$__cockpit_nonce"* ]]; then
    PS2=$'%{\e]633;P;More=;'"$__cockpit_nonce"$'\a%}'"$PS2"
  fi
  if [[ $__cockpit_guard == 1 && -z $__cockpit_bound ]]; then
    typeset -g __cockpit_bound=1
    local widget keymap
    if [[ ${widgets[accept-line]} == user:* ]]; then
      zle -A accept-line __cockpit_accept
    else
      zle -A .accept-line __cockpit_accept
    fi
    zle -N __cockpit_go
    for widget in accept-line accept-and-hold accept-and-infer-next-history accept-line-and-down-history; do
      zle -N $widget __cockpit_ask
    done
    for keymap in emacs viins vicmd; do
      for widget in {0..9}; do
        bindkey -M $keymap "^X^]$__cockpit_key$widget" __cockpit_go
      done
    done
    # While searching the history, Enter would accept the line without asking anybody.
    bindkey -M isearch '^M' accept-search '^J' accept-search
  fi
}
__cockpit_go() {
  if [[ $KEYS == *$__cockpit_number && $PREBUFFER$BUFFER == "$__cockpit_asked" ]]; then
    zle __cockpit_accept
  else
    __cockpit_ask
  fi
}
__cockpit_ask() {
  local REPLY line=$PREBUFFER$BUFFER bang=${options[banghist]}
  emulate -L zsh
  if [[ -z ${line//[[:space:]]/} || $CONTEXT == (vared|select) ]]; then
    zle __cockpit_accept
    return
  fi
  [[ $bang == on && $BUFFER == *'!'* ]] && zle .expand-history
  typeset -g __cockpit_asked=$PREBUFFER$BUFFER __cockpit_number=$(((__cockpit_number + 1) % 10))
  __cockpit_text "$__cockpit_asked"
  __cockpit_mark "633;H;$__cockpit_number;$REPLY" >$TTY
}
zmodload zsh/sched
sched +0 '
  [[ $__cockpit_login == 1 ]] || __cockpit_login=
  for __cockpit_file in zshenv ${__cockpit_login:+zprofile} zshrc ${__cockpit_login:+zlogin}; do
    if [[ $__cockpit_file != zshenv ]]; then
      for __cockpit_dir in /etc/zsh /etc; do
        [[ -r $__cockpit_dir/$__cockpit_file ]] && { source $__cockpit_dir/$__cockpit_file; break; }
      done
    fi
    [[ -r ${ZDOTDIR:-$HOME}/.$__cockpit_file ]] && source ${ZDOTDIR:-$HOME}/.$__cockpit_file
  done
  unset __cockpit_file __cockpit_dir
  [[ -n ${HISTFILE-} ]] && fc -R
  precmd_functions=(__cockpit_precmd ${precmd_functions+"${precmd_functions[@]}"} __cockpit_wrap)
  preexec_functions=(__cockpit_preexec ${preexec_functions+"${preexec_functions[@]}"})
  __cockpit_mark "633;P;Shell=zsh"
  for __cockpit_file in "${precmd_functions[@]}"; do
    $__cockpit_file
  done
  unset __cockpit_file
'
