//go:build !unix

package bridge

import "errors"

const canTry = false

func readOnce(uintptr, []byte) (int, error)  { return 0, errors.ErrUnsupported }
func writeOnce(uintptr, []byte) (int, error) { return 0, errors.ErrUnsupported }
