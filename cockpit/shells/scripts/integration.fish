# Read after the user's own files, in the shell itself.
set -g __cockpit_set (string split ' ' -- $COCKPIT_SET)
set -e COCKPIT_SET
set -e COCKPIT_FISH
set -g __cockpit_status 0
function __cockpit_mark
    printf '\e]%s;%s\a' $argv[1] $__cockpit_set[1]
end
function __cockpit_text
    string sub -l 65536 -- $argv[1] | string collect | string replace -a -- '\\' '\\x5c' | string replace -a -- ';' '\\x3b' \
        | string replace -a -- \t '\\x09' | string replace -ar -- '[\x01-\x09\x0b-\x1f\x7f]' '?' | string join '\\x0a'
end
function __cockpit_return
    return $argv[1]
end
function __cockpit_preexec --on-event fish_preexec
    __cockpit_mark "633;E;"(__cockpit_text $argv[1])
    __cockpit_mark '133;C'
end
function __cockpit_postexec --on-event fish_postexec
    set -g __cockpit_status $status
end
function __cockpit_before --on-event fish_prompt
    __cockpit_mark "133;D;$__cockpit_status"
    __cockpit_mark "633;P;Cwd="(__cockpit_text $PWD)
end
functions -q fish_prompt; and functions -c fish_prompt __cockpit_prompt
function fish_prompt
    set -l last $status
    __cockpit_mark '133;A'
    if functions -q __cockpit_prompt
        __cockpit_return $last
        __cockpit_prompt
    end
    __cockpit_mark '133;B'
end
if test "$__cockpit_set[2]" = 1
    set -g __cockpit_number 0
    function __cockpit_enter
        set -l line (commandline -b | string collect)
        if test -z (string trim -- "$line" | string collect)
            commandline -f execute
            return
        end
        commandline --is-valid
        if test $status -eq 2
            commandline -i \n
            __cockpit_mark '633;P;More='
            return
        end
        set -g __cockpit_asked "$line"
        set -g __cockpit_number (math "($__cockpit_number + 1) % 10")
        __cockpit_mark "633;H;$__cockpit_number;"(__cockpit_text "$line")
    end
    function __cockpit_go
        if test "$argv[1]" = $__cockpit_number; and test "$(commandline -b | string collect)" = "$__cockpit_asked"
            commandline -f execute
        else
            __cockpit_enter
        end
    end
    for mode in default insert
        bind -M $mode \r __cockpit_enter
        bind -M $mode \n __cockpit_enter
        for number in (seq 0 9)
            bind -M $mode \cx\x1d$__cockpit_set[4]$number "__cockpit_go $number"
        end
    end
end
__cockpit_mark '633;P;Shell=fish'
