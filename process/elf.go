package process

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"runtime"
)

// elf finds the fault of a program in the Executable and Linkable Format.
func (p *programFile) elf(head []byte) (f Fault, named string) {
	switch {
	case p.ahead && !likeOurs(head): // an emulator may be installed for it
		return 0, ""
	case errors.Is(p.err, errFormat):
		return OtherSystem, ""
	}
	loader := loaderOf(p.path)
	if loader == "" {
		return 0, ""
	}
	if _, err := os.Stat(loader); os.IsNotExist(err) {
		return NoLoader, loader
	}
	return 0, ""
}

// likeOurs reports whether an ELF file is for the processor that this process runs on,
// by comparing its header with that of our own file: the class, the order of bytes
// and the machine.
func likeOurs(head []byte) bool {
	if runtime.GOOS != "linux" || len(head) < 20 {
		return false
	}
	own := readHead("/proc/self/exe")
	return len(own) < 20 || bytes.Equal(head[:6], own[:6]) && bytes.Equal(head[18:20], own[18:20])
}

// What follows is from elf(5). Package debug/elf reads all of it, and brings along
// decompressors and DWARF.
const (
	elfTypeInterp = 3
	maxLoader     = 4096
)

// loaderOf is the dynamic loader that an ELF file names; empty if it names none.
func loaderOf(path string) string {
	f, err := os.OpenFile(path, os.O_RDONLY|openNonblock, 0)
	if err != nil {
		return ""
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return ""
	}
	var ident [6]byte
	if _, err := f.ReadAt(ident[:], 0); err != nil {
		return ""
	}
	order := binary.ByteOrder(binary.LittleEndian)
	if ident[5] == 2 {
		order = binary.BigEndian
	}
	is64 := ident[4] == 2
	header := make([]byte, 64)
	if _, err := f.ReadAt(header, 0); err != nil {
		return ""
	}
	offset, size, count := int64(order.Uint32(header[28:])), order.Uint16(header[42:]), order.Uint16(header[44:])
	if is64 {
		offset, size, count = int64(order.Uint64(header[32:])), order.Uint16(header[54:]), order.Uint16(header[56:])
	}
	if size < 32 || is64 && size < 56 {
		return ""
	}
	entry := make([]byte, size)
	for i := range int64(count) {
		if _, err := f.ReadAt(entry, offset+i*int64(size)); err != nil {
			return ""
		}
		if order.Uint32(entry) != elfTypeInterp {
			continue
		}
		at, length := int64(order.Uint32(entry[4:])), int64(order.Uint32(entry[16:]))
		if is64 {
			at, length = int64(order.Uint64(entry[8:])), int64(order.Uint64(entry[32:]))
		}
		if length <= 0 || length > maxLoader {
			return ""
		}
		name, err := io.ReadAll(io.NewSectionReader(f, at, length))
		if err != nil {
			return ""
		}
		name, _, _ = bytes.Cut(name, []byte{0})
		return string(name)
	}
	return ""
}
