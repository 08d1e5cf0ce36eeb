package process

import "golang.org/x/sys/windows"

const openNonblock = 0

// errFormat is the system's error for a file that it cannot execute.
const errFormat = windows.ERROR_BAD_EXE_FORMAT
