package process

import (
	"errors"
	"os"
)

func newTerminal() (own, child *os.File, err error) { return nil, nil, errors.ErrUnsupported }

func makeUTF8(*os.File) error                { return errors.ErrUnsupported }
func makeRaw(*os.File) error                 { return errors.ErrUnsupported }
func setSize(*os.File, uint16, uint16) error { return errors.ErrUnsupported }
