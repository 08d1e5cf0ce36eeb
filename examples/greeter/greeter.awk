#!/bin/sh
# Not buffered: fflush() after each print.

# mawk (the awk of Debian and Ubuntu) collects its input into blocks as well,
# unless told not to; other awks complain about the option.
case $(awk -W version 2>&1 </dev/null) in
mawk*) set -- -W interactive ;;
esac

exec awk "$@" '{ print "Hello, " $0 "!"; fflush() }'
